import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { lenet, tf } from 'focal-loss-lab';

const FILE = join(__dirname, '..', '..', '..', 'test', 'fixtures', 'lenet-torch.json'); // from lib/dist/test/models

/** PyTorch's values, by scripts/fixtures/lenet_torch.py, which says what they are. */
export const torch: {
  settings: {
    alpha: number;
    gamma: number;
    epsilon: number;
    learningRate: number;
    momentum: number;
    batch: number;
  };
  shapes: Record<string, number[]>;
  logits: number[];
  /** Every k-th element; k is the size divided by 200, rounded up. */
  gradients: Record<string, number[]>;
  losses: number[];
} = JSON.parse(readFileSync(FILE, 'utf8'));

const size = (shape: number[]) => shape.reduce((product, n) => product * n, 1);

/** Lehmer's generator, in (0, 1): exact in float64, hence the same numbers as in Python. */
function uniform(seed: number, count: number): number[] {
  let state = seed;
  return Array.from({ length: count }, () => (state = (state * 48271) % 2147483647) / 2147483647);
}

/** The network with the weights of the script. */
export function torchLenet(): tf.LayersModel {
  const model = lenet();
  const names = Object.keys(torch.shapes);
  const weights = names.map((name, index) => {
    const bound = 1 / Math.sqrt(size(torch.shapes[name.replace('bias', 'kernel')].slice(0, -1)));
    const values = uniform(1000 + index, size(torch.shapes[name])).map((u) => bound * (2 * u - 1));
    return tf.tensor(values, torch.shapes[name]);
  });
  model.setWeights(weights);
  tf.dispose(weights);
  return model;
}

/** The images and labels of the script. */
export function torchBatch(): { images: tf.Tensor4D; labels: tf.Tensor1D } {
  const { batch } = torch.settings;
  const noise = Float32Array.from(uniform(1, batch * 28 * 28));
  const brighter = (i: number) => Math.floor(i / 784) % 2 === 1 && i % 28 < 14;
  const pixels = noise.map((value, i) => 0.5 * value + (brighter(i) ? 0.5 : 0));
  return {
    images: tf.tensor4d(pixels, [batch, 28, 28, 1]),
    labels: tf.tensor1d(Array.from({ length: batch }, (_, i) => i % 2)),
  };
}
