import { tf } from '../tf';
import { attribute, rawOp } from '../tf/rawOps';

/**
 * The paper's noise: every pixel gets its own uniform draw, and the sum is clipped.
 *
 *   x' = min(max(x + u, 0), 1)      u ~ U[0, amplitude)
 *
 * Drawn by TensorFlow's counter-based generator: the same seed gives the same noise, whatever was drawn before.
 *
 * @param images     float32, any shape, in 0..1
 * @param amplitude  >= 0; the paper's are 0, 0.5 and 0.75
 * @param seed       an integer; take a fresh one for every batch
 * @returns float32, the shape of `images`, in 0..1; `images` itself is left alone
 * @throws RangeError if amplitude < 0 or the seed is not an integer
 */
export function addUniformNoise<T extends tf.Tensor>(images: T, amplitude: number, seed: number): T {
  if (!(amplitude >= 0 && amplitude < Infinity))
    throw new RangeError(`addUniformNoise: amplitude is ${amplitude}; expected a finite number >= 0`);
  return tf.tidy(() => {
    const noise = tf.mul(standardUniform(images.shape, seed), amplitude);
    return tf.clipByValue(tf.add(images, noise), 0, 1) as T;
  });
}

/** float32 of the given shape in [0, 1), determined by the seed alone. */
function standardUniform(shape: number[], seed: number): tf.Tensor {
  if (!Number.isSafeInteger(seed))
    throw new RangeError(`addUniformNoise: seed is ${seed}; expected an integer`);
  const halves = [seed | 0, Math.floor(seed / 2 ** 32) | 0];
  const attributes = [
    attribute.dtype('dtype', 'float32'),
    attribute.dtype('T', 'int32'),
    attribute.dtype('Tseed', 'int32'),
  ];
  return rawOp('StatelessRandomUniform', attributes, [
    tf.tensor1d(shape, 'int32'),
    tf.tensor1d(halves, 'int32'),
  ]);
}
