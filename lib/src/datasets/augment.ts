import seedrandom from 'seedrandom';
import { tf } from '../tf';

/**
 * Shifts and scales all values alike:
 *
 *   x' = (x - mean) / std
 *
 * @param images  float32, any shape
 * @param mean    the paper's is 0.5, which with std 0.5 takes 0..1 to -1..1
 * @param std     > 0; the paper's is 0.5
 * @returns float32, the shape of `images`
 * @throws RangeError if mean or std is out of range
 */
export function normalize<T extends tf.Tensor>(images: T, { mean, std }: { mean: number; std: number }): T {
  if (!Number.isFinite(mean)) throw new RangeError(`normalize: mean is ${mean}; expected a finite number`);
  if (!(std > 0 && std < Infinity))
    throw new RangeError(`normalize: std is ${std}; expected a finite number > 0`);
  return tf.tidy(() => tf.div(tf.sub(images, mean), std));
}

export interface RandomResizedCropOptions {
  /** Height and width of the result, in pixels. */
  size: number;
  /** An integer, determines the crops; take a fresh one for every batch. */
  seed: number;
  /** Least and greatest area of a crop, as a fraction of the image's: 0 < least <= greatest <= 1. Default [0.08, 1]. */
  scale?: readonly [number, number];
  /** Least and greatest width / height of a crop, > 0. Default [3/4, 4/3]. */
  ratio?: readonly [number, number];
}

/**
 * Takes a random part of every image and resizes it to one size: torchvision's RandomResizedCrop on tensors, with
 * bilinear interpolation and antialiasing. Only the choice of the crops runs in JavaScript.
 *
 * @param images  float32 [n, height, width, channels]
 * @returns float32 [n, size, size, channels]
 * @throws RangeError naming the option that is out of range
 * @see notebooks/04-cifar10-classification.ipynb; Szegedy et al. 2015 (arXiv:1409.4842), section 6
 */
export function randomResizedCrop(
  images: tf.Tensor4D,
  { size, seed, scale = [0.08, 1], ratio = [3 / 4, 4 / 3] }: RandomResizedCropOptions,
): tf.Tensor4D {
  const expect = (valid: boolean, name: string, value: unknown, expected: string) => {
    if (!valid) throw new RangeError(`randomResizedCrop: ${name} is ${value}; expected ${expected}`);
  };
  expect(Number.isInteger(size) && size >= 1, 'size', size, 'an integer >= 1');
  expect(Number.isSafeInteger(seed), 'seed', seed, 'an integer');
  const bounds = (name: string, [least, greatest]: readonly [number, number], limit: number) =>
    expect(
      least > 0 && least <= greatest && greatest <= limit,
      name,
      `[${least}, ${greatest}]`,
      `[least, greatest] with 0 < least <= greatest <= ${limit}`,
    );
  bounds('scale', scale, 1);
  bounds('ratio', ratio, Number.MAX_VALUE);

  const [n, height, width] = images.shape;
  const random = seedrandom(String(seed));
  const crops = Array.from({ length: n }, () => drawCrop(height, width, scale, ratio, random));
  return resizeCrops(images, crops, size);
}

interface Crop {
  top: number;
  left: number;
  height: number;
  width: number;
}

/**
 * A crop as torchvision draws it: area uniform, log(width / height) uniform, redrawn while it does not fit, position
 * uniform; after ten tries the largest central part whose width / height is within bounds.
 *
 * @param random  uniform in [0, 1)
 */
export function drawCrop(
  height: number,
  width: number,
  scale: readonly [number, number],
  ratio: readonly [number, number],
  random: () => number,
): Crop {
  const uniform = (least: number, greatest: number) => least + (greatest - least) * random();
  const upTo = (greatest: number) => Math.floor(random() * (greatest + 1));
  for (let tries = 0; tries < 10; tries++) {
    const area = height * width * uniform(...scale);
    const aspect = Math.exp(uniform(Math.log(ratio[0]), Math.log(ratio[1])));
    const w = Math.round(Math.sqrt(area * aspect));
    const h = Math.round(Math.sqrt(area / aspect));
    if (w >= 1 && w <= width && h >= 1 && h <= height)
      return { top: upTo(height - h), left: upTo(width - w), height: h, width: w };
  }
  const aspect = Math.min(Math.max(width / height, ratio[0]), ratio[1]);
  const within = (side: number, greatest: number) => Math.min(Math.max(Math.round(side), 1), greatest);
  const w = within(height * aspect, width);
  const h = within(width / aspect, height);
  return { top: Math.floor((height - h) / 2), left: Math.floor((width - w) / 2), height: h, width: w };
}

/**
 * One crop of every image, resized. Resizing is linear in the pixels, so it is a product with one matrix per axis. For
 * an axis cropped to `length` pixels from `start` on, and resized by s = length / size, the weight of pixel k in pixel d
 * of the result is a triangle around the place from which d comes:
 *
 *   w[d, k] = max(0, 1 - |k + 1/2 - c| / max(s, 1))      c = start + (d + 1/2) s
 *
 * for k inside the crop, 0 elsewhere, divided by the sum over k. Enlarging (s <= 1), this is interpolation between
 * neighbors that repeats the border of the crop; reducing, the triangle widens, so that every pixel counts.
 *
 * @param images  float32 [n, height, width, channels]
 * @param crops   n of them, inside the images
 * @returns float32 [n, size, size, channels]
 */
export function resizeCrops(images: tf.Tensor4D, crops: Crop[], size: number): tf.Tensor4D {
  const [n, height, width, channels] = images.shape;
  return tf.tidy(() => {
    const columns = resizingWeights(
      crops.map((crop) => crop.left),
      crops.map((crop) => crop.width),
      width,
      size,
    );
    const rows = resizingWeights(
      crops.map((crop) => crop.top),
      crops.map((crop) => crop.height),
      height,
      size,
    );
    const byColumn = tf.transpose(images, [0, 2, 1, 3]).reshape([n, width, height * channels]);
    const narrow = tf.matMul(columns, byColumn).reshape([n, size, height, channels]);
    const byRow = tf.transpose(narrow, [0, 2, 1, 3]).reshape([n, height, size * channels]);
    return tf.matMul(rows, byRow).reshape([n, size, size, channels]);
  });
}

/** float32 [n, size, pixels]: w[d, k] of `resizeCrops` along an axis, for the crop of each of n images. */
function resizingWeights(starts: number[], lengths: number[], pixels: number, size: number): tf.Tensor {
  const n = starts.length;
  const start = tf.tensor3d(starts, [n, 1, 1]);
  const length = tf.tensor3d(lengths, [n, 1, 1]);
  const s = tf.div(length, size);
  const d = tf.tensor3d(countingTo(size), [1, size, 1]);
  const k = tf.tensor3d(countingTo(pixels), [1, 1, pixels]);
  const c = tf.add(start, tf.mul(tf.add(d, 0.5), s));
  const distance = tf.abs(tf.sub(tf.add(k, 0.5), c));
  const triangle = tf.relu(tf.sub(1, tf.div(distance, tf.maximum(s, 1))));
  const inside = tf.logicalAnd(tf.greaterEqual(k, start), tf.less(k, tf.add(start, length)));
  const w = tf.mul(triangle, inside.toFloat());
  return tf.div(w, tf.sum(w, 2, true));
}

/** 0, 1, ..., n - 1. Not tf.range, which computes on the host, so that a GPU would have to wait for it. */
const countingTo = (n: number) => Float32Array.from({ length: n }, (_, i) => i);
