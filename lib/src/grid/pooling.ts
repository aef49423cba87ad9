import { tf } from '../tf';
import { reluGradient } from './kernels';

// Max-pooling of 2x2 windows whose four pixels lie apart: z is [4, ...], its first axis the place in the window, in the order
// top left, bottom left, top right, bottom right. So the maximum of a window is that of whole blocks of memory, and a block
// of the first axis can be had without copying it.

/** A pooled tensor, and what its gradient needs. */
export interface Pooled {
  /** [...], the maximum of each window. */
  value: tf.Tensor;
  /** [2, ...]: left and right column of each window, then [2, ...]: the larger of both, for top and bottom. */
  halves: { left: tf.Tensor; right: tf.Tensor; top: tf.Tensor; bottom: tf.Tensor };
}

/** [4, ...] -> [...], the maximum of each window. */
export function maxPool(z: tf.Tensor): Pooled {
  const [left, right] = tf.split(z, 2);
  const [top, bottom] = tf.split(tf.maximum(left, right), 2);
  return { value: tf.squeeze(tf.maximum(top, bottom), [0]), halves: { left, right, top, bottom } };
}

/**
 * The gradient by z in two parts, each [2, ...]: by its left and by its right half.
 *
 * @param dy  [...], the gradient by the pooled values
 */
export function maxPoolGradient(dy: tf.Tensor, { halves }: Pooled): { left: tf.Tensor; right: tf.Tensor } {
  const { left, right, top, bottom } = halves;
  const [byTop, byBottom] = maximumGradient(tf.expandDims(dy), top, bottom);
  const [byLeft, byRight] = maximumGradient(tf.concat([byTop, byBottom]), left, right);
  return { left: byLeft, right: byRight };
}

/** Gradients of max(a, b) by a and b. Equal values: all goes to a, as in the pooling kernels of TensorFlow and PyTorch. */
function maximumGradient(dy: tf.Tensor, a: tf.Tensor, b: tf.Tensor): [byA: tf.Tensor, byB: tf.Tensor] {
  const byB = reluGradient(dy, tf.sub(b, a)); // dy where b > a, else 0
  return [tf.sub(dy, byB), byB];
}
