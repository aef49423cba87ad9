// tfjs builds the gradient of most operations from several others, where TensorFlow has one kernel; and for some
// operations it calls a slow kernel where a fast one exists. This module registers the fast ones instead, once, for
// every model in the process: no model, layer or loss changes. Each entry keeps tfjs's own for what it does not cover.
//
// Gradients made of raw operations leave no trace on the tape, so they are used only where the tape is off, which is in
// a first-order backward pass; for higher-order gradients tfjs's own remains.
import { hasOneDnnPool, oneDnnPool, oneDnnPoolGradient, type PoolAttributes } from './oneDnnPool';
import { attribute, rawOp } from './rawOps';
import { tf } from './tensorflow';

type GradientConfig = NonNullable<ReturnType<typeof tf.getGradient>>;
type Attributes = Parameters<GradientConfig['gradFunc']>[2];
type InputGradients = ReturnType<GradientConfig['gradFunc']>;
type FastGradient = (dy: tf.Tensor, saved: tf.Tensor[], attributes: Attributes) => InputGradients | null;

/** `fast` returns null for what it does not cover. */
function replaceGradient(
  kernelName: string,
  fast: FastGradient,
  saves: Pick<GradientConfig, 'inputsToSave' | 'outputsToSave'> = {},
): void {
  const own = tf.getGradient(kernelName);
  if (own === undefined) throw new Error(`nativeGradients: tfjs has no gradient for ${kernelName}`);
  tf.registerGradient({
    ...own,
    ...saves,
    gradFunc: (dy, saved, attributes) => {
      const native = tf.engine().isTapeOn() ? null : fast(dy as tf.Tensor, saved, attributes);
      return native ?? own.gradFunc(dy, saved, attributes);
    },
  });
}

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
const maxPool = tf.getKernel('MaxPool', 'tensorflow');
if (maxPool !== undefined && hasOneDnnPool) {
  const covers = (x: tf.TensorInfo, pool: PoolAttributes) =>
    x.dtype === 'float32' && typeof pool.pad === 'string';
  tf.unregisterKernel('MaxPool', 'tensorflow'); // registering over it would print a warning
  tf.registerKernel({
    ...maxPool,
    kernelFunc: (call) => {
      const x = call.inputs.x as tf.Tensor;
      const pool = call.attrs as unknown as PoolAttributes;
      if (!covers(x, pool)) return maxPool.kernelFunc(call);
      const [y, workspace] = oneDnnPool(x, pool);
      workspace.dispose();
      return y;
    },
  });
  replaceGradient('MaxPool', (dy, [x], attributes) => {
    const pool = attributes as unknown as PoolAttributes;
    return covers(x, pool) ? { x: () => oneDnnPoolGradient(dy, x, oneDnnPool(x, pool), pool) } : null;
  });
}
