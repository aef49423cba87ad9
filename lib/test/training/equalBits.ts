// Run by compiled.test.ts as a process of its own, since the number of threads is fixed before TensorFlow is loaded: trains
// every network operation by operation and compiled, and sends both results.
import { createHash } from 'node:crypto';
import {
  exactSigmoidFocalLoss,
  lenet,
  sigmoidFocalLoss,
  stabilizedSigmoidFocalLoss,
  tf,
  train,
  trainGrid,
  unet,
  vit,
  type GridModel,
  type Loss,
} from 'focal-loss-lab';

/** By the name of a network: a checksum of all numbers, eager and compiled. */
export type Checksums = Record<string, { eager: string; compiled: string }>;

const FOCAL = { alpha: 0.5, gamma: 0.5, reduction: 'mean' } as const;
const LOSSES: Loss[] = [
  (x, y) => sigmoidFocalLoss(x, y, FOCAL),
  (x, y) => stabilizedSigmoidFocalLoss(x, y, { ...FOCAL, epsilon: 1e-3 }),
  (x, y) => exactSigmoidFocalLoss(x, y, FOCAL),
];

interface Task {
  model: () => tf.LayersModel;
  size: number;
  channels: number;
  batchSize: number;
  loss: Loss;
}

const TASKS: Record<string, Task> = {
  'LeNet 28': { model: () => lenet({ seed: 1 }), size: 28, channels: 1, batchSize: 16, loss: LOSSES[0] },
  'LeNet 32': { model: () => lenet({ size: 32, channels: 3, seed: 1 }), size: 32, channels: 3, batchSize: 16, loss: LOSSES[1] }, // prettier-ignore
  'U-Net, depth 2': { model: () => unet({ width: 4, depth: 2, seed: 1 }), size: 28, channels: 1, batchSize: 4, loss: LOSSES[2] }, // prettier-ignore
  'U-Net, depth 4': { model: () => unet({ width: 2, depth: 4, seed: 1 }), size: 28, channels: 1, batchSize: 4, loss: LOSSES[0] }, // prettier-ignore
  ViT: { model: () => vit({ size: 32, channels: 3, patch: 8, width: 32, depth: 2, heads: 4, seed: 1 }), size: 32, channels: 3, batchSize: 8, loss: LOSSES[2] }, // prettier-ignore
};

const EPOCHS = 6; // of 5 steps, the last of them with half a batch: 30 steps

/** Weights, running statistics, velocities (they decide the next weights) and records. */
async function checksum(
  { model: build, size, channels, batchSize, loss }: Task,
  eager: boolean,
): Promise<string> {
  const model = build();
  const samples = 4.5 * batchSize;
  const images = tf.randomUniform<tf.Rank.R4>([samples, size, size, channels], 0, 1, 'float32', 3);
  const ofLabels = model.outputs[0].shape.length === 2 ? [samples] : [samples, size, size, 1];
  const labels = tf.tidy(() =>
    tf.cast(tf.greater(tf.randomUniform(ofLabels, 0, 1, 'float32', 4), 0.5), 'float32'),
  );
  const settings = {
    epochs: EPOCHS,
    batchSize,
    learningRate: 0.02,
    momentum: 0.9,
    seed: 5,
    noise: 0.5,
    recordEvery: 1,
  };
  const { records, diverged } = await train(model, { images, labels, loss, eager, ...settings });
  const hash = createHash('sha256');
  for (const weight of model.weights) hash.update(bytesOf(weight.read()));
  hash.update(JSON.stringify([records.map((record) => ({ ...record, seconds: 0 })), diverged]));
  model.dispose();
  tf.dispose([images, labels]);
  return hash.digest('hex');
}

async function gridChecksum(count: number, eager: boolean): Promise<string> {
  const models = Array.from({ length: count }, (_, i): GridModel => {
    const loss = (['original', 'stabilized', 'exact'] as const)[i % 3];
    return { loss, gamma: 0.1 * (1 + (i % 9)), alpha: 0.5, epsilon: 1e-3, threshold: i % 9 };
  });
  const images = tf.randomUniform<tf.Rank.R4>([144, 28, 28, 1], 0, 1, 'float32', 3);
  const digits = tf.tensor1d(Array.from({ length: 144 }, (_, i) => i % 10), 'int32'); // prettier-ignore
  const testImages = tf.slice(images, 0, 32);
  const settings = {
    noise: 0.5,
    seed: 5,
    epochs: 9,
    batchSize: 64,
    learningRate: 0.05,
    momentum: 0.9,
    eager,
  };
  const runs = await trainGrid({ images, digits, testImages, models, ...settings });
  const hash = createHash('sha256');
  for (const { records, diverged, testLogits } of runs) {
    hash.update(JSON.stringify([records.map((record) => ({ ...record, seconds: 0 })), diverged]));
    hash.update(Buffer.from(testLogits!.buffer));
  }
  tf.dispose([images, digits, testImages]);
  return hash.digest('hex');
}

const bytesOf = (tensor: tf.Tensor) => Buffer.from(tensor.dataSync<'float32'>().buffer);

async function main(): Promise<void> {
  const checksums: Checksums = {};
  for (const [name, task] of Object.entries(TASKS))
    checksums[name] = { eager: await checksum(task, true), compiled: await checksum(task, false) };
  for (const count of [1, 3, 27])
    checksums[`grid of ${count}`] = {
      eager: await gridChecksum(count, true),
      compiled: await gridChecksum(count, false),
    };
  process.send?.(checksums);
}

void main();
