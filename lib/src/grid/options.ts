import { tf } from '../tf';
import { checkSchedule, expecting } from '../training/check';
import { LOSS_NAMES } from './lossNames';
import type { GridModel, GridRun } from './run';

export interface GridOptions {
  /** float32 [n, 28, 28, 1] in 0..1 */
  images: tf.Tensor4D;
  /** int32 [n], 0..9 */
  digits: tf.Tensor1D;
  models: readonly GridModel[];
  /** float32 [m, 28, 28, 1] in 0..1: the trained models are tried on them. */
  testImages?: tf.Tensor4D;
  /** Amplitude of the uniform noise added to every batch afresh (addUniformNoise). */
  noise: number;
  /** An integer; determines initial weights, the order of the samples and the noise. */
  seed: number;
  /** An integer; determines the order and the noise in place of `seed`. */
  orderSeed?: number;
  epochs: number;
  /** Samples per step; the last batch of an epoch may be smaller. */
  batchSize: number;
  learningRate: number;
  /** In [0, 1). */
  momentum: number;
  /** Name on the progress line. */
  label?: string;
  /** Called after every epoch. */
  afterEpoch?: (progress: GridProgress) => void | Promise<void>;
  /** A file for the state after every epoch, from which the same call goes on; made if there is none. */
  checkpoint?: string;
  /** Runs every step operation by operation, slower, with the same numbers: for debugging. Default: FOCAL_EAGER=1 does. */
  eager?: boolean;
}

export interface GridProgress {
  /** Complete epochs. */
  epochs: number;
  /** Epochs in the checkpoint: fewer, if it could not be written; undefined without one. */
  savedEpochs: number | undefined;
  /** Models that are still trained. */
  alive: number;
  /** All runs, as far as they have come. */
  runs: readonly GridRun[];
}

/** @throws RangeError naming the first option that is not as trainGrid expects it */
export function checkOptions(options: GridOptions): void {
  const { images, digits, models } = options;
  const expect = expecting('trainGrid');
  checkSchedule(expect, options);
  const { orderSeed = 0 } = options;
  expect(Number.isInteger(orderSeed), 'orderSeed', orderSeed, 'an integer');

  expect(images.dtype === 'float32', 'the dtype of images', images.dtype, 'float32');
  const [n, ...size] = images.shape;
  expect(n >= 1 && size.join() === '28,28,1', 'the shape of images', `[${images.shape.join(', ')}]`, '[n, 28, 28, 1]'); // prettier-ignore
  const [low, high] = tf.tidy(() => tf.stack([tf.min(images), tf.max(images)]).dataSync());
  expect(low >= 0 && high <= 1, 'a pixel', low < 0 ? low : high, 'a number in 0..1');
  const test = options.testImages;
  if (test !== undefined)
    expect(test.dtype === 'float32' && test.shape.slice(1).join() === '28,28,1', 'the shape of testImages', `${test.dtype} [${test.shape.join(', ')}]`, 'float32 [n, 28, 28, 1]'); // prettier-ignore
  expect(digits.dtype === 'int32', 'the dtype of digits', digits.dtype, 'int32');
  expect(digits.shape.join() === `${n}`, 'the shape of digits', `[${digits.shape.join(', ')}]`, `[${n}], one per image`); // prettier-ignore
  const areDigits = tf.tidy(() => tf.all(tf.logicalAnd(tf.greaterEqual(digits, 0), tf.lessEqual(digits, 9))).dataSync()[0]); // prettier-ignore
  expect(areDigits === 1, 'a digit', 'not in 0..9', 'MNIST labels');

  expect(models.length >= 1, 'the number of models', models.length, 'at least 1');
  models.forEach(({ loss, gamma, alpha, epsilon, threshold }, i) => {
    const ofModel = (name: string) => `${name} of model ${i}`;
    expect(LOSS_NAMES.includes(loss), ofModel('loss'), loss, LOSS_NAMES.join(', '));
    expect(Number.isFinite(gamma) && gamma >= 0, ofModel('gamma'), gamma, 'a finite number >= 0');
    expect(Number.isFinite(alpha) && alpha >= 0 && alpha <= 1, ofModel('alpha'), alpha, 'a number in [0, 1]');
    expect(Number.isFinite(epsilon) && epsilon > 0, ofModel('epsilon'), epsilon, 'a finite number > 0');
    const inRange = Number.isInteger(threshold) && threshold >= 0 && threshold <= 8;
    expect(inRange, ofModel('threshold'), threshold, 'an integer in 0..8');
  });
}
