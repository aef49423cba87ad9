import assert from 'node:assert/strict';
import { freemem } from 'node:os';
import { describe, test } from 'node:test';
import {
  binaryLabels,
  exactSigmoidFocalLoss,
  lenet,
  randomResizedCrop,
  tf,
  train,
  unet,
  vit,
  type Loss,
  type TrainingOptions,
} from 'focal-loss-lab';

const GIBIBYTE = 2 ** 30;
const loss: Loss = (logits, labels) =>
  exactSigmoidFocalLoss(logits, labels, { alpha: 0.5, gamma: 0.5, reduction: 'mean' });

/** Two steps with the paper's learning rate and momentum; returns the two losses. */
async function twoSteps(
  model: tf.LayersModel,
  batchSize: number,
  options: Pick<TrainingOptions, 'images' | 'labels' | 'augment'>,
): Promise<number[]> {
  const settings = { loss, epochs: 1, batchSize, learningRate: 1e-3, momentum: 0.9, seed: 1, recordEvery: 1 };
  try {
    const { records, diverged } = await train(model, { ...options, ...settings });
    assert.equal(diverged, null);
    return records.map((record) => record.loss);
  } finally {
    model.dispose();
    tf.dispose([options.images, options.labels]);
  }
}

const images = (n: number, size: number, channels: number) =>
  tf.randomUniform<tf.Rank.R4>([n, size, size, channels], 0, 1, 'float32', 1);
const alternating = (n: number) =>
  tf.tidy(() =>
    binaryLabels(
      tf.tensor1d(
        Array.from({ length: n }, (_, i) => i % 2),
        'int32',
      ),
      0,
    ),
  );

describe("two steps of the paper profile, at the paper's size", () => {
  const needs = (gibibytes: number) => ({
    skip: freemem() < gibibytes * GIBIBYTE && `needs ${gibibytes} GiB of free memory`,
  });

  test('the CNN on CIFAR-10, batch 128', async () => {
    const model = lenet({ size: 32, channels: 3, seed: 1 });
    const losses = await twoSteps(model, 128, { images: images(256, 32, 3), labels: alternating(256) });
    assert.equal(losses.length, 2);
  });

  test('the U-Net of 31 million parameters on MNIST, batch 64', needs(6), async () => {
    const x = images(128, 28, 1);
    const labels = tf.tidy(() => tf.greater(x, 0.5).toFloat());
    const losses = await twoSteps(unet({ seed: 1 }), 64, { images: x, labels });
    assert.equal(losses.length, 2);
  });

  test(
    'the ViT-B/16 of 86 million parameters on crops of 224 pixels, in batches of 2 that fit',
    needs(6),
    async () => {
      const augment = (batch: tf.Tensor4D, seed: number) => randomResizedCrop(batch, { size: 224, seed });
      const losses = await twoSteps(vit({ seed: 1 }), 2, {
        images: images(4, 32, 3),
        labels: alternating(4),
        augment,
      });
      assert.equal(losses.length, 2);
    },
  );
});
