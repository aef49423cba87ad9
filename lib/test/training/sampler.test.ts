import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { samplesOfStep, tf, train } from 'focal-loss-lab';

const data = { samples: 10, batchSize: 4, seed: 3 };
const sorted = (values: number[]) => [...values].sort((a, b) => a - b);

describe('samplesOfStep', () => {
  test('the steps of an epoch have every sample once, and the last may be smaller', () => {
    for (const epoch of [0, 1, 2]) {
      const batches = [1, 2, 3].map((step) => samplesOfStep(3 * epoch + step, data));
      assert.deepEqual(
        batches.map(({ length }) => length),
        [4, 4, 2],
      );
      assert.deepEqual(
        sorted(batches.flat()),
        Array.from({ length: 10 }, (_, i) => i),
      );
    }
  });
  test('another epoch and another seed have another order', () => {
    const batches = [samplesOfStep(1, data), samplesOfStep(4, data), samplesOfStep(1, { ...data, seed: 4 })];
    assert.equal(new Set(batches.map(String)).size, 3);
  });

  /** Images of one pixel; no step can pass the one that is NaN. */
  const withOneNaN = (bad: number) => {
    const values = Array.from({ length: 10 }, (_, i) => (i === bad ? NaN : i / 10));
    return tf.tensor4d(values, [10, 1, 1, 1]);
  };
  const firstStepWith = (sample: number) => {
    const steps = Array.from({ length: 6 }, (_, i) => i + 1);
    return steps.find((step) => samplesOfStep(step, data).includes(sample));
  };

  test('train takes them: a bad image ends it in its step, with noise and without', async () => {
    for (const sample of [0, 4, 9])
      for (const noise of [0, 0.5]) {
        const model = tf.sequential({
          layers: [tf.layers.flatten({ inputShape: [1, 1, 1] }), tf.layers.dense({ units: 1 })],
        });
        const images = withOneNaN(sample);
        const labels = tf.zeros([10]);
        const { diverged } = await train(model, {
          ...{ images, labels, noise, batchSize: data.batchSize, seed: data.seed },
          loss: (logits) => tf.mean(tf.square(logits)),
          ...{ epochs: 1, learningRate: 0.01, momentum: 0 },
        });
        assert.equal(diverged?.step, firstStepWith(sample), `sample ${sample}, noise ${noise}`);
        model.dispose();
        tf.dispose([images, labels]);
      }
  });

  for (const [name, value] of [
    ['step', 0],
    ['samples', 1.5],
    ['batchSize', -1],
  ] as const)
    test(`refuses ${name} ${value}`, () => {
      assert.throws(
        () => samplesOfStep(name === 'step' ? value : 1, { ...data, [name]: value }),
        new RegExp(`^RangeError: samplesOfStep: ${name} is ${value}; expected an integer >= 1`),
      );
    });
});
