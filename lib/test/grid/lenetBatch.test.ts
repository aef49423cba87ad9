import '../oneThread';
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { tf } from 'focal-loss-lab';
import { LenetBatch } from 'focal-loss-lab/dist/grid/lenetBatch';
import { initialParameters } from 'focal-loss-lab/dist/grid/parameters';

const BATCH = 64; // the paper's
const SETTINGS = { loss: 'original', gamma: 0.5, alpha: 0.5, epsilon: 1e-3 } as const;

/** The first gradients of the models with these seeds, which are their velocities after a step: by parameter and model. */
function gradients(seeds: number[]): Float32Array[][] {
  return tf.tidy(() => {
    const models = seeds.map(() => SETTINGS);
    const start = { weights: initialParameters(seeds) };
    const batch = new LenetBatch(models, start, { learningRate: 0.02, momentum: 0.9 });
    const images = tf.randomNormal([784, BATCH], 0, 1, 'float32', 1);
    const odd = tf.tensor1d(Array.from({ length: BATCH }, (_, i) => i % 2));
    batch.step(images, tf.tile(tf.reshape(odd, [1, 1, BATCH]), [seeds.length, 1, 1]));
    const { velocities } = batch.state();
    batch.dispose();
    return Object.values(velocities).map((values) =>
      tf.unstack(values).map((ofModel) => ofModel.dataSync<'float32'>()),
    );
  });
}

describe('LenetBatch, the step of many LeNets', () => {
  for (const count of [10, 27, 45])
    test(`each of ${count} models has, bit for bit, the gradient that it has alone`, () => {
      const together = gradients(Array.from({ length: count }, (_, i) => i));
      const middle = [0.5, 2 / 3].map((part) => Math.floor(part * count));
      for (const seed of [0, ...middle, count - 1]) {
        const alone = gradients([seed]);
        together.forEach((models, parameter) => {
          assert.ok(alone[parameter][0].every(Number.isFinite));
          assert.deepEqual(models[seed], alone[parameter][0], `parameter ${parameter} of model ${seed}`);
        });
      }
    });

  // oneDNN cuts products of many rows, and in some numbers of models the last rows of a piece come out otherwise.
  for (const count of [2, 5, 11, 12, 13, 15, 21, 23, 27, 39, 45])
    test(`${count} equal models have equal gradients, in each place`, () => {
      const alone = gradients([1]);
      gradients(Array.from({ length: count }, () => 1)).forEach((models, parameter) => {
        for (const [place, gradient] of models.entries())
          assert.deepEqual(gradient, alone[parameter][0], `parameter ${parameter} of model ${place}`);
      });
    });
});
