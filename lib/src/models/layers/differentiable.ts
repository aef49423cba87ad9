import { tf } from '../../tf';

/** A function of tensors in three forms that agree. */
export interface Differentiable<Inputs extends tf.Tensor[]> {
  /** f(inputs), in any operations; `kept` is what the gradient needs besides the inputs. */
  forward(...inputs: Inputs): { value: tf.Tensor; kept: tf.Tensor[] };
  /** The gradients of sum(dy * f) by the inputs, in any operations. */
  gradient(dy: tf.Tensor, inputs: Inputs, kept: tf.Tensor[]): tf.Tensor[];
  /** f(inputs) in operations that tfjs can differentiate. */
  composed(...inputs: Inputs): tf.Tensor;
}

/**
 * Calls f with a gradient of our own, which may use raw operations.
 *
 * Raw operations leave no trace on the tape, so the gradient's own gradient would be silently wrong: while an outer
 * gradient is recorded, the gradient of `composed` takes the place of `gradient`.
 */
export function differentiable<Inputs extends tf.Tensor[]>(
  { forward, gradient, composed }: Differentiable<Inputs>,
  ...inputs: Inputs
): tf.Tensor {
  const f = tf.customGrad((...values) => {
    const save = values.pop() as (tensors: tf.Tensor[]) => void;
    const { value, kept } = forward(...(values as Inputs));
    save([...(values as Inputs), ...kept]);
    return {
      value,
      // Tidied, since tfjs keeps what a gradient leaves until the whole backward pass is over.
      gradFunc: (dy: tf.Tensor, saved: tf.Tensor[]) =>
        tf.tidy(() => {
          const savedInputs = saved.slice(0, inputs.length) as Inputs;
          if (!tf.engine().isTapeOn()) return gradient(dy, savedInputs, saved.slice(inputs.length));
          return tf.grads((...xs: tf.Tensor[]) => composed(...(xs as Inputs)))(savedInputs, dy);
        }),
    };
  });
  return f(...inputs);
}
