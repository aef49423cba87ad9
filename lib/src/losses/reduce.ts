import { tf } from '../tf';
import type { Reduced, Reduction } from './options';

/** Keeps, averages or sums per-element losses. */
export function reduce<R extends Reduction>(losses: tf.Tensor, reduction: R): Reduced<R> {
  if (reduction === 'mean') return tf.mean(losses);
  return (reduction === 'sum' ? tf.sum(losses) : losses) as Reduced<R>;
}
