import { LARGEST, SMALLEST_NORMAL, log1p, power, splitGamma, type Gamma } from './numerics.js';
import { isNone } from './options.js';
import { binaryLoss, type FocalLossOptions, type Reduced, type Reduction } from './tensors.js';
import { tf, where, withGradient } from './tf.js';

/**
 * Binary focal loss, exact: the same function as sigmoidFocalLoss, and no logit at which it fails.
 *
 *   FL = alpha_t q^gamma s             z = (2y - 1) x               signed logit
 *   dFL/dz = -alpha_t q^gamma (q + gamma p_t s)                     bounded, and continuous for every gamma >= 0
 *                                      q = 1 - p_t = sigma(-z),  s = -log p_t = log(1 + e^-z)
 *
 * Loss and gradient, unweighted, are finite for every finite logit, and for hard labels within this many units in the last
 * place of the true values for the gamma that was asked for. They are rounded-up results of a search, at 4 million logits for
 * gamma up to 1 and a million beyond (scripts/losses/search.mjs; found on a CPU: 7.9, 11.1, 19.9, 27.6), at 20,000 on WebGL
 * (found: 122, 121, 172, 204).
 *
 *   gamma up to        1     2     5     8
 *   ulp                9    12    22    30     backends tensorflow, cpu, wasm
 *                    200   200   300   300     webgl in Chromium's software renderer; graphics cards differ
 *
 * Each operation but the power adds a unit or two; the power multiplies the error of q, up to 4 units of 2^-24, by gamma. WebGL's exp
 * and pow are less exact. Results below 1.2e-38 may be flushed to 0.
 *
 * @param logits  x, float32, any shape
 * @param labels  y in [0, 1], float32, int32 or bool, same shape; constants: no gradient flows through them. float32: a label
 *   may be soft, which is the mixture of the two hard ones, y FL(x, 1) + (1 - y) FL(x, 0) (not torchvision's meaning of soft
 *   labels; the same for 0 and 1). int32 and bool: labels 0 and 1, at half the cost.
 * @returns losses in nats, float32: same shape for reduction 'none', a scalar for 'mean' and 'sum'
 * @throws TypeError, RangeError for bad tensors, options or labels, Error for WebGL with 16-bit floats. Labels are read
 *   where they lie in the memory of the CPU and are at most 65,536; elsewhere one outside [0, 1] makes its loss and gradient
 *   NaN. Error if differentiated twice.
 * @see notebooks/01-derivation.ipynb
 */
export function exactSigmoidFocalLoss<R extends Reduction = 'none'>(
  logits: tf.Tensor,
  labels: tf.Tensor,
  { alpha = 0.25, gamma = 2, ...options }: FocalLossOptions<R> = {},
): Reduced<R> {
  return binaryLoss('exactSigmoidFocalLoss', logits, labels, { alpha, gamma, ...options }, (x, y) =>
    mixtureLoss(
      x,
      labels.dtype === 'float32' ? softSample(y, alpha) : [hardSample(y, alpha)],
      splitGamma(gamma),
    ),
  );
}

/** One hard label per logit, with its weight: alpha_t FL(sign x). */
export interface Sample {
  sign: tf.Tensor | number;
  weight: tf.Tensor | number;
}

// Labels 0 and 1 only: sign = 2y - 1, alpha_t = alpha y + (1 - alpha) (1 - y), both without rounding.
function hardSample(y: tf.Tensor, alpha: number | null): Sample {
  const notY = tf.sub(1, y);
  const weight = isNone(alpha) ? 1 : tf.add(tf.mul(alpha, y), tf.mul(1 - alpha, notY));
  return { sign: tf.sub(y, notY), weight };
}

// Any label: y times label 1 (sign +1) and 1 - y times label 0 (sign -1). For labels 0 and 1 one of them has the weight 0 and
// changes no bit of the other.
function softSample(y: tf.Tensor, alpha: number | null): Sample[] {
  const notY = tf.sub(1, y);
  if (isNone(alpha))
    return [
      { sign: 1, weight: y },
      { sign: -1, weight: notY },
    ];
  return [
    { sign: 1, weight: tf.mul(alpha, y) },
    { sign: -1, weight: tf.mul(1 - alpha, notY) },
  ];
}

/** The sum of weight * FL(sign x) over the samples, with its gradient in x written out. */
function mixtureLoss(logits: tf.Tensor, samples: Sample[], gamma: Gamma): tf.Tensor {
  return withGradient('exactSigmoidFocalLoss', [logits], (x) => {
    const terms = samples.map((sample) => exactLoss(x, sample, gamma));
    return {
      value: sum(terms.map(({ loss }, i) => (samples.length > 1 ? weightless(samples[i], loss) : loss))),
      saved: terms.flatMap(({ saved }) => saved),
      gradient: (dy, saved) => {
        const perTerm = saved.length / samples.length;
        const slopes = samples.map((_, i) =>
          exactGradient(saved.slice(i * perTerm, (i + 1) * perTerm), gamma),
        );
        return [tf.mul(dy, sum(slopes))];
      },
    };
  });
}

/** 0 where the weight is 0: the loss of an infinite logit is Infinity for the label that it does not have, and 0 * Infinity NaN. */
const weightless = ({ weight }: Sample, loss: tf.Tensor) => where(tf.equal(weight, 0), 0, loss);

function sum(tensors: tf.Tensor[]): tf.Tensor {
  return tensors.reduce((total, tensor) => tf.add(total, tensor));
}

// One of u = e^-max(z, 0) and v = e^-max(-z, 0) is 1, the other is e^-|z|: both in [0, 1], and u v = e^-|z|.
//
//   q = sigma(-z) = 1 / (1 + e^z) = e^-z / (1 + e^-z)    first form for z < 0, second for z >= 0: u / (1 + u v) in both.
//                                                        Nothing is subtracted from 1.
//   s = log(1 + e^-z) = max(-z, 0) + log(1 + e^-|z|)     the second term is in [0, log 2]: e^-z cannot overflow.
//   FL = weight q^gamma s                                0^0 = 1: gamma 0 is cross-entropy.
export function exactLoss(
  x: tf.Tensor,
  { sign, weight }: Sample,
  gamma: Gamma<number | tf.Tensor>,
): { loss: tf.Tensor; saved: tf.Tensor[] } {
  const z = tf.mul(x, sign);
  const shortfall = tf.relu(tf.neg(z));
  const u = tf.exp(tf.neg(tf.relu(z)));
  const v = tf.exp(tf.neg(shortfall));
  const uv = tf.mul(u, v);
  const q = tf.div(u, tf.add(1, uv));
  const s = tf.add(shortfall, log1p(uv));
  const weighted = tf.mul(weight, power(q, gamma));
  return { loss: tf.mul(weighted, s), saved: [u, v, s, q, tf.mul(tf.neg(sign), weighted)] };
}

// dFL/dx = -sign weight q^gamma (q + gamma p_t s), with q taken out of the bracket:
//
//   q + gamma p_t s = q (1 + gamma r)
//   r = p_t s / q = v s / u              p_t = v / (1 + u v) has the denominator of q. r is in [0, 1]: s <= 1/p_t - 1 = q/p_t.
//
// So the smaller summand cannot underflow alone; and the bracket comes before the power, for q^(gamma + 1) may be flushed to 0
// where 1 + gamma times it is not. u = 0 (z beyond 87 or so): q is 0 too and r does not matter, but 0 / 0 would.
// s = Infinity (z = -Infinity): v is 0, and r is 0 once s is cut to the largest number.
export function exactGradient(
  [u, v, s, q, signedWeight]: tf.Tensor[],
  gamma: Gamma<number | tf.Tensor>,
): tf.Tensor {
  const r = tf.div(tf.mul(v, tf.minimum(s, LARGEST)), tf.maximum(u, SMALLEST_NORMAL));
  return tf.mul(signedWeight, tf.mul(q, tf.add(1, tf.mul(gamma.high, r))));
}
