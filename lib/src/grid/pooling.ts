import { tf } from '../tf';
import { hasOneDnnPool, oneDnnPool, oneDnnPoolGradient, poolAttributes } from '../tf/oneDnn';
import { rawOp } from '../tf/rawOps';

const WINDOW = { filterSize: 2, strides: 2, pad: 'valid' };

/** A pooled tensor, and what its gradient needs. */
export interface Pooled {
  /** What was pooled. */
  z: tf.Tensor4D;
  /** The maximum of each 2x2 window. */
  value: tf.Tensor;
  /** oneDNN's note of where the maxima lie; the other kernel has none. */
  workspace?: tf.Tensor;
}

/**
 * The maximum of each 2x2 window: [channels, rows, columns, batch] -> [channels, rows / 2, columns / 2, batch]
 *
 * To the kernels, which take [batch, rows, columns, channels], the batch stands for the channels, and so comes in long rows.
 */
export function maxPool(z: tf.Tensor4D): Pooled {
  if (!hasOneDnnPool) return { z, value: tf.maxPool(z, 2, 2, 'valid') };
  const [value, workspace] = oneDnnPool(z, WINDOW);
  return { z, value, workspace };
}

/** The gradient by z, from that by the value. Of equal values the first gets all, as in PyTorch. */
export function maxPoolGradient(dy: tf.Tensor, { z, value, workspace }: Pooled): tf.Tensor {
  if (workspace !== undefined) return oneDnnPoolGradient(dy, z, [value, workspace], WINDOW);
  return rawOp('MaxPoolGrad', poolAttributes(WINDOW), [z, value, dy]);
}
