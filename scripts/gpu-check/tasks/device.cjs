// What computes, and what it was told.
const os = require('node:os');
const { device, tf, versions } = require('focal-loss-lab');
const {
  askDriver,
  describeCard,
  reasonAgainst,
  visibleCards,
} = require('focal-loss-lab/dist/tf/graphicsCards.cjs');
const { installedVariant } = require('focal-loss-lab/dist/tf/variant.js');

tf.ones([2]).dispose();
const { warning, ...found } = device();
const { cards, problem } = askDriver();
const [card] = found.kind === 'GPU' ? visibleCards(cards, process.env.CUDA_VISIBLE_DEVICES) : [];
const free = card?.freeMiB === undefined ? '' : `, ${card.freeMiB} MiB free`;
console.log(
  JSON.stringify({
    device: found,
    warning,
    card: card && describeCard(card) + free,
    verdict: card ? reasonAgainst(card) : null,
    cards,
    problem,
    variant: installedVariant(),
    cpu: `${os.cpus()[0].model.trim()}, ${os.availableParallelism()} cores`,
    versions: versions(),
    variables: Object.fromEntries(
      Object.entries(process.env).filter(([name]) => /^(TF_|CUDA_|NVIDIA_)/.test(name)),
    ),
  }),
);
