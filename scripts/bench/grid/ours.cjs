// Steps of many LeNets side by side, as trainGrid takes them. Argument and output: see together.mjs.
const lab = require('focal-loss-lab');
const { GridBatches } = require('focal-loss-lab/dist/grid/batches.js');
const { LenetBatch } = require('focal-loss-lab/dist/grid/lenetBatch.js');
const { initialParameters } = require('focal-loss-lab/dist/grid/parameters.js');
const { everyStep } = require('./everyStep.cjs');
const { trainingSet } = require('./trainingSet.cjs');

const { tf } = lab;
const task = JSON.parse(process.argv.at(-1));
const { batch: size, gamma, alpha, learningRate, momentum } = task.work;
const seeds = Array.from({ length: task.models }, (_, i) => i);
const models = seeds.map((seed) => {
  return { loss: 'original', gamma, alpha, epsilon: 1e-3, threshold: seed % 9 };
});
const lenets = new LenetBatch(models, { weights: initialParameters(seeds) }, { learningRate, momentum });

const { images, digits, nextBatch } = trainingSet(tf, size);
const batches = new GridBatches(models, { images, digits, noise: 0 });
everyStep(() =>
  tf.tidy(() => {
    const batch = batches.of(nextBatch(), 1);
    return lenets.step(batch.images, batch.labels);
  }),
);
