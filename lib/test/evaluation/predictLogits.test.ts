import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { lenet, predictLogits, tf, unet } from 'focal-loss-lab';

describe('predictLogits', () => {
  const models = {
    LeNet: () => lenet({ size: 16, seed: 1 }),
    'U-Net, with running statistics': () => unet({ size: 16, width: 2, depth: 1, seed: 1 }),
  };
  for (const [name, build] of Object.entries(models))
    test(`gives what the model predicts, to the last bit, also in a smaller last batch, and frees the rest (${name})`, () => {
      const model = build();
      const images = tf.randomUniform<tf.Rank.R4>([23, 16, 16, 1], 0, 1, 'float32', 2);
      const expected = model.predict(images, { batchSize: 5 }) as tf.Tensor;
      const before = tf.memory().numTensors;
      const logits = predictLogits(model, images, 5);
      assert.equal(tf.memory().numTensors, before + 1);
      assert.deepEqual(logits.shape, expected.rank === 2 ? [23] : expected.shape);
      assert.deepEqual(logits.dataSync(), expected.dataSync());
      model.dispose();
      tf.dispose([images, expected, logits]);
    });

  test('refuses a batch of half an image', () => {
    const model = models.LeNet();
    const images = tf.zeros<tf.Rank.R4>([2, 16, 16, 1]);
    assert.throws(
      () => predictLogits(model, images, 0.5),
      /^RangeError: predictLogits: batchSize is 0.5; expected an integer >= 1/,
    );
    model.dispose();
    images.dispose();
  });
});
