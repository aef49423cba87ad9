import { tf } from 'focal-loss-lab';

/** Losses of logits, element by element. */
export type ElementwiseLoss = (logits: tf.Tensor, labels: tf.Tensor) => tf.Tensor;

/** Loss and gradient of each logit, as plain numbers; one label for all, or one per logit. */
export function evaluate(
  lossOf: ElementwiseLoss,
  logits: ArrayLike<number>,
  label: number | readonly number[],
): { loss: number[]; gradient: number[] } {
  return tf.tidy(() => {
    const x = tf.tensor1d(Float32Array.from(logits));
    const y =
      typeof label === 'number' ? tf.fill([logits.length], label) : tf.tensor1d([...label], 'float32');
    const { value, grad } = tf.valueAndGrad((x: tf.Tensor) => lossOf(x, y))(x, tf.onesLike(x));
    return { loss: [...value.dataSync()], gradient: [...grad.dataSync()] };
  });
}

/** From first to last, both included, in equal steps. */
export function range(first: number, last: number, count: number): number[] {
  return Array.from({ length: count }, (_, i) => first + ((last - first) * i) / (count - 1));
}
