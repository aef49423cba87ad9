// tfjs builds the gradient of most operations from several others, where TensorFlow has one kernel; and for some
// operations it calls a slow kernel where a fast one exists. This module puts the fast ones in their place.
import {
  hasOneDnnPool,
  hasOneDnnSoftmax,
  oneDnnPool,
  oneDnnPoolGradient,
  oneDnnSoftmax,
  type PoolAttributes,
} from './oneDnn';
import { attribute, rawOp } from './rawOps';
import { replaceGradient, replaceKernel } from './replace';
import { tf } from './tensorflow';

const FLOAT32 = attribute.dtype('T', 'float32');

// Relu: one kernel for three. The output y says as much as the input x (step(y) = step(x)), for tfjs's gradient too,
// so that only y is kept until the backward pass.
replaceGradient('Relu', (dy, [y]) => ({ x: () => rawOp('ReluGrad', [FLOAT32], [dy, y]) }), {
  inputsToSave: [],
  outputsToSave: [true],
});

// Mean, Sum: tfjs fills an array of ones of the size of x in JavaScript and sends it to the device.
for (const kernelName of ['Mean', 'Sum']) {
  replaceGradient(kernelName, (dy, [x], { axis }) => ({
    x: () => {
      const axes = tf.util.parseAxisParam(axis as number | number[], x.shape);
      const count = axes.reduce((product, i) => product * x.shape[i], 1);
      const kept = x.shape.map((n, i) => (axes.includes(i) ? 1 : n));
      const share = kernelName === 'Mean' ? tf.div(dy, count) : dy;
      const repeats = x.shape.map((n, i) => (axes.includes(i) ? n : 1));
      return tf.tile(tf.reshape(share, kept), repeats);
    },
  }));
}

// MaxPool on a CPU, where oneDNN has it. Its gradient wants the workspace of the forward pass, which is made again rather
// than kept.
if (hasOneDnnPool) {
  const covers = (x: tf.TensorInfo, pool: PoolAttributes) =>
    x.dtype === 'float32' && typeof pool.pad === 'string';
  replaceKernel('MaxPool', ({ x }, attributes) => {
    const pool = attributes as PoolAttributes;
    if (!covers(x, pool)) return null;
    const [y, workspace] = oneDnnPool(x, pool);
    workspace.dispose();
    return y;
  });
  replaceGradient('MaxPool', (dy, [x], attributes) => {
    const pool = attributes as unknown as PoolAttributes;
    return covers(x, pool) ? { x: () => oneDnnPoolGradient(dy, x, oneDnnPool(x, pool), pool) } : null;
  });
}

// Softmax: the kernel that a compiled step gets.
if (hasOneDnnSoftmax)
  replaceKernel('Softmax', ({ logits }) => (logits.dtype === 'float32' ? oneDnnSoftmax(logits) : null));
