// The losses need the core of TensorFlow.js and nothing else, whichever of its packages and backends the caller has loaded:
// one core in the process owns all tensors, gradients and backends.
import * as tf from '@tensorflow/tfjs-core';

export { tf };

/** tf.where with a number for one of both: tf.where itself cannot broadcast a number to an empty tensor. */
export function where(condition: tf.Tensor, a: tf.Tensor | number, b: tf.Tensor | number): tf.Tensor {
  if (typeof a === 'number') return tf.where(condition, tf.fill((b as tf.Tensor).shape, a), b);
  return tf.where(condition, a, typeof b === 'number' ? tf.fill(a.shape, b) : b);
}

/**
 * Evaluates f at tensors, with its gradient written out. TensorFlow.js keeps the tensors saved for a custom gradient off the
 * tape: a second derivative through them would lack terms, and say nothing. So it is refused.
 *
 * @param caller  the public function, for the error
 * @param f  returns the value, the tensors to keep for the gradient, and from these the derivatives: one per input, each
 *   already multiplied by dy
 * @throws Error, from the gradient, if it is computed under a tape, as in tf.grad(tf.grad(f))
 */
export function withGradient<T extends tf.Tensor[]>(
  caller: string,
  inputs: T,
  f: (...inputs: T) => {
    value: tf.Tensor;
    saved: tf.Tensor[];
    gradient: (dy: tf.Tensor, saved: tf.Tensor[]) => tf.Tensor[];
  },
): tf.Tensor {
  return tf.customGrad((...args) => {
    const save = args.pop() as unknown as tf.GradSaveFunc;
    const { value, saved, gradient } = f(...(args as T));
    save(saved);
    return {
      value,
      gradFunc: (dy: tf.Tensor, saved: tf.Tensor[]) => {
        if (tf.engine().isTapeOn())
          throw new Error(
            `${caller}: second derivatives are not supported; its gradient cannot be differentiated`,
          );
        return gradient(dy, saved);
      },
    };
  })(...inputs);
}
