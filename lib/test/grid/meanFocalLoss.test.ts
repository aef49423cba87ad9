import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  exactSigmoidFocalLoss,
  meanFocalLoss,
  sigmoidFocalLoss,
  stabilizedSigmoidFocalLoss,
  tf,
} from 'focal-loss-lab';

const settings = { alpha: 0.3, gamma: 0.5, epsilon: 0.01 };

describe('meanFocalLoss, a loss by its name in results', () => {
  const logits = [-3, 0.5, 12];
  const labels = [1, 0, 1];
  const functions = {
    original: sigmoidFocalLoss,
    stabilized: stabilizedSigmoidFocalLoss,
    exact: exactSigmoidFocalLoss,
  };
  for (const [name, lossOf] of Object.entries(functions))
    test(`${name} is the mean of ${lossOf.name}, gradient included, and leaves no tensor`, () => {
      const before = tf.memory().numTensors;
      const [found, expected] = tf.tidy(() => {
        const [x, y] = [tf.tensor1d(logits), tf.tensor1d(labels)];
        const mean = meanFocalLoss({ ...settings, loss: name as keyof typeof functions });
        const options = { ...settings, reduction: 'mean' as const };
        return [(z: tf.Tensor) => mean(z, y), (z: tf.Tensor) => lossOf(z, y, options)].map((f) => {
          const { value, grad } = tf.valueAndGrad(f)(x);
          return [...value.dataSync(), ...grad.dataSync()];
        });
      });
      assert.deepEqual(found, expected);
      assert.equal(tf.memory().numTensors, before);
    });

  test('another name is refused with those that there are', () => {
    assert.throws(
      () => meanFocalLoss({ ...settings, loss: 'textbook' as 'exact' }),
      /^RangeError: meanFocalLoss: loss is 'textbook'; expected one of original, stabilized, exact$/,
    );
  });
});
