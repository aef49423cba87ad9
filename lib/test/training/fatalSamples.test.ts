import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  exactSigmoidFocalLoss,
  fatalSamples,
  lenet,
  sigmoidFocalLoss,
  tf,
  train,
  type Loss,
} from 'focal-loss-lab';

const original: Loss = (logits, labels) =>
  sigmoidFocalLoss(logits, labels, { alpha: 0.5, gamma: 0.5, reduction: 'mean' });
const exact: Loss = (logits, labels) =>
  exactSigmoidFocalLoss(logits, labels, { alpha: 0.5, gamma: 0.5, reduction: 'mean' });

/** The logits are the images' pixels, 1 by 1 or more. */
function identity(pixels: number): tf.LayersModel {
  return tf.sequential({ layers: [tf.layers.flatten({ inputShape: [pixels, 1, 1] })] });
}

function found(logits: number[][], labels: number[][], loss: Loss) {
  const model = identity(logits[0].length);
  const shape: [number, number, number, number] = [logits.length, logits[0].length, 1, 1];
  const images = tf.tensor4d(logits.flat(), shape);
  const truth = logits[0].length > 1 ? tf.tensor2d(labels) : tf.tensor1d(labels.flat());
  const before = tf.memory().numTensors;
  try {
    const samples = fatalSamples(model, images, truth, loss);
    assert.equal(tf.memory().numTensors, before, 'nothing is left behind');
    return samples.map(({ logit, ...rest }) => ({ ...rest, logit: Number(logit.toFixed(2)) }));
  } finally {
    model.dispose();
    tf.dispose([images, truth]);
  }
}

describe('fatalSamples', () => {
  test('are those beyond the wall of their own label, the farthest first', () => {
    // Walls: 24 ln 2 = 16.64 for label 1, -25 ln 2 = -17.33 for label 0.
    const logits = [[16.63], [16.65], [-17.32], [-17.4], [-30], [3]];
    const labels = [[1], [1], [0], [0], [1], [0]];
    assert.deepEqual(found(logits, labels, original), [
      { sample: 3, label: 0, logit: -17.4 },
      { sample: 1, label: 1, logit: 16.65 },
    ]);
  });
  test('there is none for the exact loss', () => {
    assert.deepEqual(found([[40], [-40]], [[1], [0]], exact), []);
  });
  test('of several logits per image the farthest is named, and each image once', () => {
    const logits = [
      [0, 1],
      [17, 20],
      [-18, 2],
    ];
    const labels = [
      [0, 1],
      [1, 1],
      [0, 1],
    ];
    assert.deepEqual(found(logits, labels, original), [
      { sample: 1, label: 1, logit: 20 },
      { sample: 2, label: 0, logit: -18 },
    ]);
  });
  test('a logit that is NaN itself is found, too', () => {
    const [{ sample, logit }] = found([[1], [NaN]], [[1], [1]], exact);
    assert.equal(sample, 1);
    assert.ok(Number.isNaN(logit));
  });
  test('a batch ends the training if and only if one of them is in it', async () => {
    const logits = [1, 17, -18, 2].map((value) => [value]);
    for (const sample of logits.keys()) {
      const model = tf.sequential({
        layers: [
          tf.layers.flatten({ inputShape: [1, 1, 1] }),
          tf.layers.dense({ units: 1, useBias: false, kernelInitializer: 'ones' }),
        ],
      });
      const images = tf.tensor4d(logits[sample], [1, 1, 1, 1]);
      const labels = tf.tensor1d([logits[sample][0] > 0 ? 1 : 0], 'float32');
      const fatal = fatalSamples(model, images, labels, original);
      const { diverged } = await train(model, {
        ...{ images, labels, loss: original, epochs: 1, batchSize: 1 },
        ...{ learningRate: 1e-6, momentum: 0, seed: 1 },
      });
      assert.equal(diverged !== null, fatal.length === 1, `logit ${logits[sample][0]}`);
      model.dispose();
      tf.dispose([images, labels]);
    }
  });
  test('refuses labels that are not one per logit', () => {
    const model = lenet({ size: 16, seed: 1 });
    const images = tf.zeros<tf.Rank.R4>([2, 16, 16, 1]);
    const labels = tf.zeros([3]);
    const before = tf.memory().numTensors;
    assert.throws(
      () => fatalSamples(model, images, labels, original),
      /^RangeError: fatalSamples: there are 3 labels; expected 2, one per logit/,
    );
    assert.equal(tf.memory().numTensors, before);
    model.dispose();
    tf.dispose([images, labels]);
  });
});
