import { tf } from '../tf';
import { attribute, rawOp } from '../tf/rawOps';

// TensorFlow kernels that tfjs does not offer, or not without reading an index back from the device.

const FLOAT32 = attribute.dtype('T', 'float32');

/** Largest number up to which float32 has all integers. */
const MAX_INDEX = 2 ** 24;

/**
 * An int32 tensor on the device, to be disposed by the caller, also inside tf.tidy. Those that tfjs makes lie in the memory
 * of the host, and a GPU would have to fetch a large index in every step.
 *
 * @param values  at most 2^24 of them, and none above: they travel as float32
 * @throws RangeError if there are more
 */
export function deviceIndices(values: Int32Array): tf.Tensor {
  if (values.length > MAX_INDEX)
    throw new RangeError(
      `LenetBatch: too many models side by side (${values.length} indices, at most ${MAX_INDEX})`,
    );
  return tf.keep(tf.tidy(() => tf.cast(tf.tensor1d(Float32Array.from(values)), 'int32')));
}

/**
 * The rows of x at the given indices: [rows, ...] and [...indices] -> [...indices, ...].
 * @param indices  int32
 */
export function gatherRows(x: tf.Tensor, indices: tf.Tensor): tf.Tensor {
  const attributes = [
    attribute.dtype('Tparams', 'float32'),
    attribute.dtype('Tindices', 'int32'),
    attribute.dtype('Taxis', 'int32'),
    attribute.int('batch_dims', 0),
  ];
  return rawOp('GatherV2', attributes, [x, indices, tf.scalar(0, 'int32')]);
}

/** Which rows to add up: the transpose of a gather. */
export interface Segments {
  /** int32 [n], rows of x in the order of the sums they belong to. */
  rows: tf.Tensor;
  /** int32 [n], the sum that each belongs to, ascending. */
  sums: tf.Tensor;
  /** Number of sums. */
  count: number;
}

/** Sums of rows: [n, ...] -> [count, ...]. */
export function sumSegments(x: tf.Tensor, { rows, sums, count }: Segments): tf.Tensor {
  const attributes = [
    FLOAT32,
    attribute.dtype('Tidx', 'int32'),
    attribute.dtype('Tnumsegments', 'int32'),
    attribute.dtype('Tsegmentids', 'int32'),
  ];
  const inputs = [x, rows, sums, tf.scalar(count, 'int32')];
  return rawOp('SparseSegmentSumWithNumSegments', attributes, inputs);
}

/** dy where y > 0, else 0: the gradient of y = relu(x). */
export function reluGradient(dy: tf.Tensor, y: tf.Tensor): tf.Tensor {
  return rawOp('ReluGrad', [FLOAT32], [dy, y]);
}

/** x * y, and 0 where y is 0, whatever x is. Shapes broadcast. */
export function multiplyNoNan(x: tf.Tensor, y: tf.Tensor): tf.Tensor {
  return rawOp('MulNoNan', [FLOAT32], [x, y]);
}
