// npm run cifar: the CNN on CIFAR-10 at the paper's settings, for notebook 4. --help tells the rest.
import { existsSync, mkdirSync } from 'node:fs';
import { LOSS_NAMES } from '../lib/dist/grid/lossNames.js';
import { cifarEpochs, readCifarRuns } from '../lib/dist/results/cifarRuns.js';
import { readRun } from '../lib/dist/results/runFile.js';
import { firstDifference } from '../lib/dist/sweep/sweepError.js';
import {
  csvFile,
  distinct,
  Failure,
  positiveInteger,
  runCommand,
  UsageError,
  wholeNumber,
} from './command.mjs';

const CACHE = 'data/cache/cifar';
const RECIPE = {
  ...{ gamma: 0.5, alpha: 0.5, epsilon: 1e-3 },
  ...{ batchSize: 128, learningRate: 1e-3, momentum: 0.9 },
};
const MACHINES = [1, 1, 0, 0, 0, 0, 0, 0, 1, 1]; // airplane, automobile, ship and truck are class 1
const DEFAULTS = { loss: 'original', seed: '1', epochs: '1000', images: '50000', out: `${CACHE}/runs.csv` };
const ABOUT = `
Trains LeNet on the photographs of CIFAR-10, machines against animals, at the paper's settings, one training run after
another, each to its first NaN or to the last epoch. Writes FILE, a row per epoch, and keeps the other runs that it has. Ctrl-C
or a crash loses at most an epoch: the same command goes on, also with more epochs. A run that has ended is not repeated. So
two commands with TF_NUM_INTRAOP_THREADS=1 and a FILE each share two cores, and one with all losses and seeds writes the
table afterwards.`;

const command = {
  name: 'cifar',
  about: ABOUT,
  options: {
    loss: ['NAMES', `of ${LOSS_NAMES.join(', ')}; default ${DEFAULTS.loss}`],
    seed: ['NUMBERS', `of the weights and the order of the images; default ${DEFAULTS.seed}`],
    epochs: ['X', `default ${DEFAULTS.epochs}`],
    images: ['X', `the first of 50,000; default ${DEFAULTS.images}`],
    out: ['FILE', `default ${DEFAULTS.out}`],
  },
};

await runCommand(command, async (values) => {
  const { losses, seeds, epochs, images: count, out } = checked({ ...DEFAULTS, ...values });
  const lab = await import('../lib/dist/index.js'); // TensorFlow takes seconds, a refusal none
  const { deviceName, fatalSamples, lenet, meanFocalLoss, results, samplesOfStep, tf, train } = lab;
  const settings = { ...RECIPE, images: count, device: deviceName().name };
  const kept = otherRuns(out, settings, { losses, seeds });
  mkdirSync(CACHE, { recursive: true });
  const data = await photographs(lab, count);
  const rows = [];
  for (const loss of losses)
    for (const seed of seeds) {
      const label = `${loss}, seed ${seed}`;
      const checkpoint = `${CACHE}/${count}-${loss}-${seed}.safetensors`;
      const meanLoss = meanFocalLoss({ ...RECIPE, loss });
      const model = lenet({ size: 32, channels: 3, seed });
      const options = { ...RECIPE, ...data, loss: meanLoss, epochs, seed, label, checkpoint };
      const run = await train(model, options).catch((error) => {
        throw error.message.startsWith('train: checkpoint') ? new Failure(error.message) : error;
      });
      const found = run.diverged && {
        fatal: fatalSamples(model, data.images, data.labels, meanLoss),
        batch: samplesOfStep(run.diverged.step, { ...RECIPE, samples: count, seed }),
      };
      model.dispose();
      rows.push(...cifarEpochs(run, { loss, seed, ...found }));
      results.writeRun(out, { settings, rows: [...kept, ...rows].sort(byRun) });
    }
  tf.dispose(data);
  console.log(`${losses.length * seeds.length} training runs in ${out}`);
});

/** The rows of the file that are not of these runs. */
function otherRuns(out, settings, { losses, seeds }) {
  if (!existsSync(out)) return [];
  const difference = firstDifference({ ...readRun(out).settings }, settings);
  if (difference !== undefined)
    throw new Failure(`${out} is of other settings: ${difference}; choose another name`);
  return readCifarRuns(out).filter(({ loss, seed }) => !losses.includes(loss) || !seeds.includes(seed));
}

function byRun(a, b) {
  return LOSS_NAMES.indexOf(a.loss) - LOSS_NAMES.indexOf(b.loss) || a.seed - b.seed || a.epoch - b.epoch;
}

/** The first of CIFAR-10, in -1..1, and their labels. */
async function photographs({ loadCifar10, normalize, tf }, count) {
  const cifar = await loadCifar10('train');
  try {
    return tf.tidy(() => ({
      images: normalize(cifar.images.slice(0, count), { mean: 0.5, std: 0.5 }),
      labels: tf.gather(tf.tensor1d(MACHINES), cifar.labels.slice(0, count)),
    }));
  } finally {
    tf.dispose([cifar.images, cifar.labels]);
  }
}

function checked({ loss, seed, epochs, images, out }) {
  const losses = distinct('loss', loss, (name) => {
    if (LOSS_NAMES.includes(name)) return name;
    throw new UsageError(`--loss: '${name}'; expected some of ${LOSS_NAMES.join(', ')}`);
  });
  const count = positiveInteger('images', images);
  if (count > 50_000) throw new UsageError(`--images: ${count}; there are 50,000`);
  const seeds = distinct('seed', seed, (item) => wholeNumber('seed', item));
  return {
    losses,
    seeds,
    epochs: positiveInteger('epochs', epochs),
    images: count,
    out: csvFile('out', out),
  };
}
