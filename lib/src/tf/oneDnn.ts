import { attribute, backend, rawOp, rawOps, type Attribute } from './rawOps';
import { tf } from './tensorflow';

// oneDNN's max-pooling is several times faster on a CPU than TensorFlow's in both directions. Its softmax is what TensorFlow takes
// in a graph, so that a compiled step has the bits of an eager one only if that takes it, too. They are internal operations of
// TensorFlow's CPU build, so each is tried once (hasOneDnnPool, hasOneDnnSoftmax) and left alone where it is missing: on a GPU, in
// an ARM build, with oneDNN switched off.

const ONE_DNN = attribute.text('_kernel', 'MklNameChangeOp');

export type PoolAttributes = { filterSize: number | number[]; strides: number | number[]; pad: unknown };

/** The attributes of TensorFlow's MaxPool and MaxPoolGrad, for images with channels last. */
export function poolAttributes({ filterSize, strides, pad }: PoolAttributes): Attribute[] {
  const window = (size: number | number[]) => [1, ...(Array.isArray(size) ? size : [size, size]), 1];
  return [
    attribute.dtype('T', 'float32'),
    attribute.int('ksize', window(filterSize)),
    attribute.int('strides', window(strides)),
    attribute.text('padding', String(pad).toUpperCase()),
    attribute.text('data_format', 'NHWC'),
  ];
}

function oneDnnAttributes(pool: PoolAttributes): Attribute[] {
  return [...poolAttributes(pool), attribute.bool('workspace_enabled', true), ONE_DNN];
}

/** The maxima, and a workspace that says where in its window each lies. */
export function oneDnnPool(x: tf.Tensor, pool: PoolAttributes): [y: tf.Tensor, workspace: tf.Tensor] {
  return rawOps(2, '_MklNativeMaxPool', oneDnnAttributes(pool), [x]) as [tf.Tensor, tf.Tensor];
}

/** The gradient by x, from what oneDnnPool gave for it. */
export function oneDnnPoolGradient(
  dy: tf.Tensor,
  x: tf.Tensor,
  [y, workspace]: [y: tf.Tensor, workspace: tf.Tensor],
  pool: PoolAttributes,
): tf.Tensor {
  return rawOp('_MklNativeMaxPoolGrad', oneDnnAttributes(pool), [x, y, dy, workspace]);
}

/** softmax over the last axis */
export function oneDnnSoftmax(logits: tf.Tensor): tf.Tensor {
  return rawOp('_MklSoftmax', [attribute.dtype('T', 'float32'), ONE_DNN], [logits]);
}

export const hasOneDnnPool: boolean = works(() => {
  const pool = { filterSize: 2, strides: 2, pad: 'valid' };
  const x = tf.ones([1, 2, 2, 1]);
  oneDnnPoolGradient(tf.ones([1, 1, 1, 1]), x, oneDnnPool(x, pool), pool);
});

export const hasOneDnnSoftmax: boolean = works(() => {
  oneDnnSoftmax(tf.ones([1, 2]));
});

function works(operation: () => void): boolean {
  if (backend.isUsingGpuDevice) return false;
  try {
    tf.tidy(operation);
    return true;
  } catch {
    return false;
  }
}
