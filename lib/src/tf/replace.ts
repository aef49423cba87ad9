// tfjs computes by kernels, and differentiates by gradients, which it looks up by name. Here one of them gets a
// faster one put before it, once, for every model in the process: no model, layer or loss changes, and tfjs's own stays
// in use for what the faster one does not cover.
import { tf } from './tensorflow';

type KernelCall = Parameters<tf.KernelConfig['kernelFunc']>[0];
type GradientConfig = NonNullable<ReturnType<typeof tf.getGradient>>;
type Attributes = Parameters<GradientConfig['gradFunc']>[2];
type InputGradients = ReturnType<GradientConfig['gradFunc']>;

/** `fast` returns null for what it does not cover. */
export function replaceKernel(
  kernelName: string,
  fast: (inputs: Record<string, tf.Tensor>, attributes: unknown) => tf.TensorInfo | null,
): void {
  const own = tf.getKernel(kernelName, 'tensorflow');
  if (own === undefined) throw new Error(`replaceKernel: tfjs has no kernel ${kernelName}`);
  tf.unregisterKernel(kernelName, 'tensorflow'); // registering over it would print a warning
  tf.registerKernel({
    ...own,
    kernelFunc: (call: KernelCall) =>
      fast(call.inputs as Record<string, tf.Tensor>, call.attrs) ?? own.kernelFunc(call),
  });
}

/**
 * `fast` returns null for what it does not cover, and may use raw operations. These leave no trace on the tape, so it is
 * called only where the tape is off, which is in a first-order backward pass; for higher-order gradients tfjs's own
 * remains.
 */
export function replaceGradient(
  kernelName: string,
  fast: (dy: tf.Tensor, saved: tf.Tensor[], attributes: Attributes) => InputGradients | null,
  saves: Pick<GradientConfig, 'inputsToSave' | 'outputsToSave'> = {},
): void {
  const own = tf.getGradient(kernelName);
  if (own === undefined) throw new Error(`replaceGradient: tfjs has no gradient for ${kernelName}`);
  tf.registerGradient({
    ...own,
    ...saves,
    gradFunc: (dy, saved, attributes) => {
      const native = tf.engine().isTapeOn() ? null : fast(dy as tf.Tensor, saved, attributes);
      return native ?? own.gradFunc(dy, saved, attributes);
    },
  });
}
