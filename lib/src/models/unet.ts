import seedrandom from 'seedrandom';
import { tf } from '../tf';
import { Conv2d } from './layers/conv2d';
import { ConvNormRelu } from './layers/convNormRelu';
import { ConvTranspose2d } from './layers/convTranspose2d';

export interface UnetOptions {
  /** Height and width of the images in pixels, at least 2^depth. */
  size?: number;
  /** 1 for gray, 3 for color images. */
  channels?: number;
  /** Channels at full resolution, doubled with each halving of it: 64, 128, ..., 1024 in the paper. */
  width?: number;
  /** How many times the resolution is halved, at least 1. */
  depth?: number;
  /** An integer: the same seed gives the same initial weights. Without it they differ from call to call. */
  seed?: number;
}

/**
 * The paper's U-Net, one logit per pixel:
 *
 *   level i = 0 .. depth - 1:   twice (conv 3x3, batch norm, ReLU) with width 2^i channels, then max-pool 2x2
 *   bottom:                     the same with width 2^depth channels
 *   level i = depth - 1 .. 0:   transposed conv 2x2 to width 2^i channels, zeros below and to the right up to the size
 *                               of what level i had before its pool, [this, that] concatenated, and twice as above
 *   head:                       conv 1x1
 *
 * Images of 28 pixels become 14, 7, 3 and 1. Initial weights and batch norm are PyTorch's (ConvNormRelu says
 * where those of tf.layers differ). 31,042,369 trainable parameters with the default width and depth.
 *
 * @returns a model from float32 [n, size, size, channels] to logits float32 [n, size, size, 1]; the caller disposes it
 * @throws RangeError for a size below 2^depth (nothing would be left), channels, width or depth < 1, or a seed that is
 *   not an integer
 * @see Ronneberger et al. 2015
 */
export function unet(options: UnetOptions = {}): tf.LayersModel {
  const { size = 28, channels = 1, width = 64, depth = 4, seed } = options;
  const expectAtLeast = (name: string, value: number, least: number) => {
    if (!(Number.isInteger(value) && value >= least))
      throw new RangeError(`unet: ${name} is ${value}; expected an integer >= ${least}`);
  };
  expectAtLeast('channels', channels, 1);
  expectAtLeast('width', width, 1);
  expectAtLeast('depth', depth, 1);
  expectAtLeast('size', size, 2 ** depth);
  if (seed !== undefined && !Number.isInteger(seed))
    throw new RangeError(`unet: seed is ${seed}; expected an integer`);

  const random = seedrandom(seed?.toString());
  const { concatenate, maxPooling2d, zeroPadding2d } = tf.layers;
  const apply = (layer: tf.layers.Layer, x: tf.SymbolicTensor | tf.SymbolicTensor[]) =>
    layer.apply(x) as tf.SymbolicTensor;

  const doubleConv = (name: string, x: tf.SymbolicTensor, filters: number) => {
    for (const i of [1, 2])
      x = apply(new ConvNormRelu({ name: `${name}_conv${i}`, filters, seed: random.int32() }), x);
    return x;
  };

  const images = tf.input({ shape: [size, size, channels] });
  const skips: tf.SymbolicTensor[] = [];
  let x = images;
  for (let level = 0; level < depth; level++) {
    skips[level] = doubleConv(`down${level}`, x, width * 2 ** level);
    x = apply(maxPooling2d({ name: `down${level}_pool`, poolSize: 2 }), skips[level]);
  }
  x = doubleConv('bottom', x, width * 2 ** depth);
  for (let level = depth - 1; level >= 0; level--) {
    const name = `up${level}`;
    const filters = width * 2 ** level;
    x = apply(new ConvTranspose2d({ name: `${name}_enlarge`, filters, scale: 2, seed: random.int32() }), x);
    const missing = (skips[level].shape[1] as number) - (x.shape[1] as number); // 1 where the pool met an odd size
    if (missing > 0)
      x = apply(zeroPadding2d({ name: `${name}_pad`, padding: [[0, missing], [0, missing]] }), x); // prettier-ignore
    x = apply(concatenate({ name: `${name}_concat` }), [x, skips[level]]);
    x = doubleConv(name, x, filters);
  }
  const logits = apply(new Conv2d({ name: 'logit', filters: 1, kernelSize: 1, seed: random.int32() }), x);
  return tf.model({ inputs: images, outputs: logits });
}
