// Elementary functions in float32, as exact as every backend of TensorFlow.js lets them be.
import { tf, where } from './tf.js';

/** The largest finite float32. */
export const LARGEST = (2 - 2 ** -23) * 2 ** 127;
/** The smallest normal float32: below it, digits are lost or the number is flushed to 0. */
export const SMALLEST_NORMAL = 2 ** -126;

// Only these backends have a log1p. The others, WASM, WebGL and WebGPU, compute log(1 + w) under its name, which is 0 for
// w < 2^-24: the loss of every well-classified example (https://github.com/tensorflow/tfjs/issues/7282).
const HAVE_LOG1P: ReadonlySet<string> = new Set(['tensorflow', 'cpu']);

/**
 * log(1 + w) for w >= 0, with all digits where w is small.
 *
 * Without a log1p, w > 1 loses nothing as log(1 + w). For w <= 1, with v = w / (2 + w) in [0, 1/3],
 *
 *   log(1 + w) = log((1 + v) / (1 - v)) = 2 artanh v = 2 v (1 + v^2 / 3 + v^4 / 5 + ...)
 *
 * whose terms after v^12 / 13 are less than 1.5e-8 of the sum: nothing is subtracted, and no logarithm near 1 is asked of a
 * graphics card, which may have it to 2^-21 only.
 */
export function log1p(w: tf.Tensor): tf.Tensor {
  if (HAVE_LOG1P.has(tf.getBackend())) return tf.log1p(w);
  const small = tf.minimum(w, 1);
  const share = tf.div(2, tf.add(2, small)); // 2 v / w: v itself may be flushed to 0 where w is not
  const square = tf.square(tf.mul(0.5, tf.mul(small, share)));
  let series: tf.Tensor = tf.scalar(1 / 13);
  for (let n = 11; n >= 1; n -= 2) series = tf.add(1 / n, tf.mul(square, series));
  return where(tf.greater(w, 1), tf.log(tf.add(1, w)), tf.mul(small, tf.mul(share, series)));
}

/**
 * The sum over the last axis, which stays, of terms >= 0.
 *
 * WASM adds one term to the other in float32, which costs 20 units in the last place for 1,000 of them. Sums of about sqrt(n) terms
 * each, added up, cost a few.
 */
export function sumOfLast(x: tf.Tensor): tf.Tensor {
  const n = x.shape.at(-1) ?? 1;
  if (tf.getBackend() !== 'wasm' || n < 16) return tf.sum(x, -1, true);
  const size = Math.ceil(Math.sqrt(n));
  const count = Math.ceil(n / size);
  const filled = tf.pad(tf.reshape(x, [-1, n]), [[0, 0], [0, count * size - n]]); // prettier-ignore
  const sums = tf.sum(tf.reshape(filled, [-1, count, size]), 2);
  return tf.reshape(tf.sum(sums, 1), [...x.shape.slice(0, -1), 1]);
}

/** The exponent gamma as float32 holds it, and what it leaves out: gamma = high + low. */
export interface Gamma<T = number> {
  high: T;
  low: T;
}

export function splitGamma(gamma: number): Gamma {
  const high = Math.fround(gamma);
  return { high, low: gamma - high };
}

/**
 * q^gamma for q in [0, 1], for the very gamma that was asked for.
 *
 *   q^gamma = q^high e^(low log q) = q^high (1 + low log q)
 *
 * up to (low log q)^2 / 2 < 1e-11: |low| is less than 3e-8 gamma, |log q| less than 88. Without the second factor, the power of
 * gamma 0.9, which float32 takes for 0.9 - 2.4e-8, is off by 18 units of its last digit at q = 1e-38.
 */
export function power(q: tf.Tensor, { high, low }: Gamma<number | tf.Tensor>): tf.Tensor {
  const w = tf.pow(q, high);
  if (low === 0) return w;
  return tf.mul(w, tf.add(1, tf.mul(low, tf.log(tf.maximum(q, SMALLEST_NORMAL)))));
}
