import seedrandom from 'seedrandom';
import { tf } from '../tf';
import { NormSelfAttention } from './layers/attention';
import { AddClassTokenAndPositions, TakeClassToken } from './layers/classToken';
import { Conv2d } from './layers/conv2d';
import { Gelu } from './layers/gelu';
import { Linear } from './layers/linear';
import { NormLinear } from './layers/normLinear';

export interface VitOptions {
  /** Height and width of the images in pixels. */
  size?: number;
  /** 1 for gray, 3 for color images. */
  channels?: number;
  /** Height and width of a patch in pixels; divides size. */
  patch?: number;
  /** Length of a token. */
  width?: number;
  /** Number of blocks. */
  depth?: number;
  /** Attention heads; divides width. */
  heads?: number;
  /** An integer: the same seed gives the same initial weights. Without it they differ from call to call. */
  seed?: number;
}

/**
 * Vision transformer with one logit; the default is ViT-B/16, as timm's vit_base_patch16_224:
 *
 *   tokens = [class token, patches W + b] + positions
 *   depth times:   tokens += attention(norm(tokens))
 *                  tokens += W_2 gelu(W_1 norm(tokens))        4 width hidden units
 *   logit = W norm(class token) + b
 *
 * Layer normalization with epsilon 1e-6, exact GELU, no dropout. Weights start as in timm: N(0, 0.02^2) with biases 0
 * (timm cuts its normal distribution off at +-2, a hundred standard deviations away), the patches as PyTorch's Conv2d.
 * 85,799,425 parameters with the default sizes.
 *
 * @returns a model from float32 [n, size, size, channels] to logits float32 [n, 1]; the caller disposes it
 * @throws RangeError for a patch that does not divide size, heads that do not divide width, numbers that are not
 *   integers >= 1 or a seed that is not an integer
 * @see Dosovitskiy et al. 2021, section 3.1
 */
export function vit(options: VitOptions = {}): tf.LayersModel {
  const { size = 224, channels = 3, patch = 16, width = 768, depth = 12, heads = 12, seed } = options;
  for (const [name, value] of Object.entries({ size, channels, patch, width, depth, heads }))
    if (!(Number.isInteger(value) && value >= 1))
      throw new RangeError(`vit: ${name} is ${value}; expected an integer >= 1`);
  if (size % patch !== 0) throw new RangeError(`vit: patch is ${patch}; expected a divisor of size, ${size}`);
  if (width % heads !== 0)
    throw new RangeError(`vit: heads is ${heads}; expected a divisor of width, ${width}`);
  if (seed !== undefined && !Number.isInteger(seed))
    throw new RangeError(`vit: seed is ${seed}; expected an integer`);

  const random = seedrandom(seed?.toString());
  const { add, reshape } = tf.layers;
  const apply = (layer: tf.layers.Layer, x: tf.SymbolicTensor | tf.SymbolicTensor[]) =>
    layer.apply(x) as tf.SymbolicTensor;
  const images = tf.input({ shape: [size, size, channels] });
  const patches = apply(
    new Conv2d({
      name: 'patches',
      filters: width,
      kernelSize: patch,
      strides: patch,
      padding: 'valid',
      seed: random.int32(),
    }),
    images,
  );
  let tokens = apply(reshape({ name: 'tokens', targetShape: [(size / patch) ** 2, width] }), patches);
  tokens = apply(new AddClassTokenAndPositions({ name: 'positions', seed: random.int32() }), tokens);
  for (let block = 0; block < depth; block++) {
    const name = (part: string) => `block${block}_${part}`;
    let x = apply(new NormSelfAttention({ name: name('attention'), heads, seed: random.int32() }), tokens);
    tokens = apply(add({ name: name('add1') }), [tokens, x]);
    x = apply(new NormLinear({ name: name('linear1'), units: 4 * width, seed: random.int32() }), tokens);
    x = apply(new Gelu({ name: name('gelu') }), x);
    x = apply(new Linear({ name: name('linear2'), units: width, seed: random.int32() }), x);
    tokens = apply(add({ name: name('add2') }), [tokens, x]);
  }
  // Each token is normalized by itself, so the others need not be.
  const classToken = apply(new TakeClassToken({ name: 'class_token' }), tokens);
  const logits = apply(new NormLinear({ name: 'logit', units: 1, seed: random.int32() }), classToken);
  return tf.model({ inputs: images, outputs: logits });
}
