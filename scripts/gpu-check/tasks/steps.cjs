// Trains a network of the bench, or a grid of so many models, for some epochs of ten steps, always on the same numbers.
const { createHash } = require('node:crypto');
const fs = require('node:fs');
const lab = require('focal-loss-lab');
const { askDriver, visibleCards } = require('focal-loss-lab/dist/tf/graphicsCards.cjs');

const STEPS = 10; // of an epoch
const { tf } = lab;
const { work, epochs, out } = JSON.parse(process.argv.at(-1));
console.log = () => {}; // of the progress line, whose last one is not ours
const states = [];
const afterEpoch = () => {
  const [card] = visibleCards(askDriver().cards, process.env.CUDA_VISIBLE_DEVICES);
  states.push({
    time: performance.now(),
    tensors: tf.memory().numTensors,
    rssMB: process.memoryUsage.rss() / 2 ** 20,
    freeMiB: epochs > 20 && [4, epochs - 1].includes(states.length) ? card?.freeMiB : undefined,
    resumed: performance.now(),
  });
};

(work.grid ? trainGrid() : trainOne()).then((values) => {
  const bytes = Buffer.from(values.buffer);
  if (out) fs.writeFileSync(out, bytes);
  const ms = states.slice(1).map(({ time }, i) => (time - states[i].resumed) / STEPS);
  const steady = ms.slice(Math.min(2, ms.length - 1)); // the first ones compile and choose algorithms
  const middle = [...steady].sort((a, b) => a - b)[steady.length >> 1];
  const result = {
    hash: createHash('sha256').update(bytes).digest('hex').slice(0, 16),
    msMin: Math.min(...steady),
    msMedian: middle,
    states: states.map(({ tensors, rssMB, freeMiB }) => ({ tensors, rssMB, freeMiB })),
  };
  process.stdout.write(`${JSON.stringify(result)}\n`);
});

async function trainOne() {
  const { model: name, batch, options } = work;
  const model = lab[name]({ ...options, seed: 1 });
  const { size, channels } = options;
  const images = tf.randomUniform([batch * STEPS, size, size, channels], 0, 1, 'float32', 1);
  const labels =
    name === 'unet'
      ? tf.tidy(() => tf.greater(images, 0.5).toFloat())
      : tf.tensor1d(Float32Array.from({ length: batch * STEPS }, (_, i) => i % 2));
  const settings = { alpha: 0.5, gamma: 0.5, epsilon: 1e-3, reduction: 'mean' };
  const { diverged } = await lab.train(model, {
    ...{ images, labels, epochs, batchSize: batch, learningRate: 0.01, momentum: 0.9, seed: 1 },
    loss: (x, y) => lab.stabilizedSigmoidFocalLoss(x, y, settings),
    afterEpoch,
  });
  if (diverged) throw new Error(`error: not finite: ${diverged.what}`);
  return joined(model.getWeights().map((weight) => weight.dataSync()));
}

async function trainGrid() {
  const images = tf.randomUniform([64 * STEPS, 28, 28, 1], 0, 1, 'float32', 1);
  const digits = tf.tensor1d(Int32Array.from({ length: 64 * STEPS }, (_, i) => i % 10), 'int32'); // prettier-ignore
  const models = Array.from({ length: work.grid }, (_, i) => ({
    loss: ['exact', 'stabilized', 'original'][i % 3],
    ...{ gamma: 0.1 * (1 + (i % 5)), alpha: 0.5, epsilon: 1e-3, threshold: i % 9 },
  }));
  const runs = await lab.trainGrid({
    ...{ images, digits, models, testImages: images, noise: 0.5, seed: 1, epochs },
    ...{ batchSize: 64, learningRate: 0.01, momentum: 0.9, afterEpoch },
  });
  return joined(
    runs.map(({ records, testLogits = [] }) =>
      Float32Array.from([...records.flatMap(({ loss, maxAbsLogit }) => [loss, maxAbsLogit]), ...testLogits]),
    ),
  );
}

function joined(arrays) {
  const all = new Float32Array(arrays.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const array of arrays) {
    all.set(array, at);
    at += array.length;
  }
  return all;
}
