import type { tf } from './tensorflow';

/**
 * f(x), after which x is freed: for intermediate results that nobody keeps. tf.tidy would free them at its end; freed at
 * once, the memory is still in the processor's cache when the next result is written to it.
 */
export function consume(x: tf.Tensor, f: (x: tf.Tensor) => tf.Tensor): tf.Tensor {
  const y = f(x);
  x.dispose();
  return y;
}
