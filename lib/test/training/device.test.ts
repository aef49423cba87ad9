import { outputsOf } from '../display/fakeKernel';
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, test } from 'node:test';
import {
  deviceName,
  exactSigmoidFocalLoss,
  loadMnist,
  tf,
  train,
  trainGrid,
  type TrainingOptions,
} from 'focal-loss-lab';
import { replaceKernel } from 'focal-loss-lab/dist/tf/replace';

/** Two images of one pixel, and a model of one weight. */
async function trainOnTwo(pixels: [number, number], options: Partial<TrainingOptions> = {}) {
  const flatten = tf.layers.flatten({ inputShape: [1, 1, 1] });
  const model = tf.sequential({ layers: [flatten, tf.layers.dense({ units: 1, useBias: false })] });
  tf.tidy(() => model.setWeights([tf.tensor2d([[1]])]));
  const images = tf.tensor4d(pixels, [2, 1, 1, 1]);
  const labels = tf.tensor1d([1, 0]);
  try {
    return await train(model, {
      ...{ images, labels, epochs: 1, batchSize: 2, learningRate: 0.1, momentum: 0, seed: 1 },
      loss: (x, y) => exactSigmoidFocalLoss(x, y, { reduction: 'mean' }),
      ...options,
    });
  } finally {
    model.dispose();
    tf.dispose([images, labels]);
  }
}

const { kind, name } = deviceName();

describe('a training', () => {
  test('ends its line with the device that computed', async () => {
    const sent = await outputsOf(async () => void (await trainOnTwo([1, 2])));
    assert.ok(sent.at(-1)!.data['text/plain'].endsWith(`, on the ${kind} (${name})`));
  });

  test('that had ended before, and is read from a file, was computed by nobody knows whom', async (t) => {
    const folder = mkdtempSync(path.join(tmpdir(), 'device-'));
    t.after(() => rmSync(folder, { recursive: true }));
    const checkpoint = path.join(folder, 'run.safetensors');
    await trainOnTwo([1, 2], { checkpoint });
    const sent = await outputsOf(async () => void (await trainOnTwo([1, 2], { checkpoint })));
    assert.doesNotMatch(sent.at(-1)!.data['text/plain'], /on the (CPU|GPU)/);
  });

  test('of many models does so too', async () => {
    const { images, labels } = await loadMnist('test');
    const [few, digits] = tf.tidy(() => [images.slice(0, 32) as tf.Tensor4D, labels.slice(0, 32)]);
    const models = [{ loss: 'exact' as const, gamma: 0.5, alpha: 0.5, epsilon: 1e-3, threshold: 4 }];
    const options = { epochs: 1, batchSize: 32, learningRate: 0.01, momentum: 0.9, noise: 0, seed: 1 };
    const sent = await outputsOf(
      async () => void (await trainGrid({ images: few, digits, models, ...options })),
    );
    assert.ok(sent.at(-1)!.data['text/plain'].endsWith(`, on the ${kind} (${name})`));
    tf.dispose([images, labels, few, digits]);
  });
});

describe('where the maximum of a device passes over a NaN, as a GPU’s may', () => {
  test('the largest |logit| of the fatal batch is NaN all the same', async () => {
    replaceKernel('Max', ({ x }, attributes) => {
      if (!tf.tidy(() => tf.any(tf.isNaN(x)).dataSync()[0])) return null;
      const { reductionIndices } = attributes as { reductionIndices: number[] };
      return tf.tidy(() => tf.max(tf.where(tf.isNaN(x), tf.zerosLike(x), x), reductionIndices));
    });
    assert.equal(
      tf.tidy(() => tf.max(tf.tensor1d([1, NaN])).dataSync()[0]),
      1,
    ); // the pretense works
    const { diverged } = await trainOnTwo([NaN, 2]);
    assert.ok(Number.isNaN(diverged!.maxAbsLogit));
  });

  test('of many models side by side too', async () => {
    const images = tf.fill([16, 28, 28, 1], 0.5) as tf.Tensor4D;
    const digits = tf.zeros<tf.Rank.R1>([16], 'int32');
    const models = [{ loss: 'exact' as const, gamma: 0.5, alpha: 0.5, epsilon: 1e-3, threshold: 4 }];
    const options = { epochs: 9, batchSize: 16, learningRate: 3e38, momentum: 0, noise: 0, seed: 1 };
    const [{ diverged }] = await trainGrid({ images, digits, models, ...options });
    assert.ok(Number.isNaN(diverged!.maxAbsLogit), `${diverged!.maxAbsLogit}`);
    tf.dispose([images, digits]);
  });
});
