// Steps of many LeNets side by side, as trainGrid takes them. Argument and output: see together.mjs.
const lab = require('focal-loss-lab');
const { LenetBatch } = require('focal-loss-lab/dist/grid/lenetBatch.js');
const { initialParameters } = require('focal-loss-lab/dist/grid/parameters.js');
const { trainBatch } = require('focal-loss-lab/dist/grid/trainGrid.js');
const { everyStep } = require('./everyStep.cjs');
const { trainingSet } = require('./trainingSet.cjs');

const { tf } = lab;
const task = JSON.parse(process.argv.at(-1));
const { batch: size, gamma, alpha, learningRate, momentum } = task.work;
const seeds = Array.from({ length: task.models }, (_, i) => i);
const models = seeds.map(() => ({ loss: 'original', gamma, alpha, epsilon: 1e-3 }));
const lenets = new LenetBatch(models, { weights: initialParameters(seeds) }, { learningRate, momentum });

const { images, digits, nextBatch } = trainingSet(tf, size);
const pixels = tf.reshape(images, [images.shape[0], 784]);
const thresholds = tf.tensor3d(
  seeds.map((seed) => seed % 9),
  [seeds.length, 1, 1],
  'int32',
);
everyStep(() => trainBatch(lenets, { pixels, digits, thresholds }, nextBatch()));
