import { FORMATS } from '../precision';
import { tf } from '../tf';
import { checkParameters, checkTensors } from './check';
import type { FocalLossOptions, Reduced, Reduction } from './options';
import { reduce } from './reduce';
import { refuseSecondDerivative } from './secondDerivative';

const LARGEST_FLOAT32 = FORMATS.float32.max;
const SMALLEST_NORMAL_FLOAT32 = 2 ** FORMATS.float32.minExponent;

/**
 * Binary focal loss, exact: the same function as sigmoidFocalLoss, and no logit at which it fails.
 *
 *   FL = alpha_t q^gamma s             z = (2y - 1) x               signed logit
 *   dFL/dz = -alpha_t q^gamma (q + gamma p_t s)                     bounded, and continuous for every gamma >= 0
 *                                      q = 1 - p_t = sigma(-z),  s = -log p_t = log(1 + e^-z)
 *
 * Loss and gradient are within 6 + 2.5 gamma units in the last place of the true values (unweighted; measured on 20,000
 * logits, label 1, gamma up to 8), finite for every finite logit. Results below 1.2e-38 may be flushed to 0. A soft label is a mixture of the
 * two hard ones, y FL(x, 1) + (1 - y) FL(x, 0): not torchvision's meaning of soft labels, the same for y = 0 and 1.
 *
 * @param logits  x, float32, any shape
 * @param labels  y in [0, 1], float32, int32 or bool, same shape; constants: no gradient flows through them. Hard labels
 *   cost half: pass int32 or bool if there are more than 65,536 of them.
 * @returns losses in nats, float32: same shape for reduction 'none', a scalar for 'mean' and 'sum'
 * @throws TypeError, RangeError for bad tensors or parameters; labels outside [0, 1] only in tensors of at most 65,536
 *   elements (reading them waits for the device). Error if differentiated twice.
 * @see notebooks/01-derivation.ipynb
 */
export function exactSigmoidFocalLoss<R extends Reduction = 'none'>(
  logits: tf.Tensor,
  labels: tf.Tensor,
  { alpha = 0.25, gamma = 2, reduction = 'none' as R }: FocalLossOptions<R> = {},
): Reduced<R> {
  checkParameters('exactSigmoidFocalLoss', { alpha, gamma });
  const hard = checkTensors('exactSigmoidFocalLoss', logits, labels, reduction);
  return tf.tidy(() => {
    const y = tf.cast(labels, 'float32');
    return reduce(
      mixtureLoss(logits, hard ? [hardSample(y, alpha)] : softSample(y, alpha), gamma),
      reduction,
    );
  });
}

/** One hard label per logit, with its weight: alpha_t FL(sign x). */
export interface Sample {
  sign: tf.Tensor | number;
  weight: tf.Tensor | number;
}

// Labels 0 and 1 only: sign = 2y - 1, alpha_t = alpha y + (1 - alpha) (1 - y), both without rounding.
function hardSample(y: tf.Tensor, alpha: number): Sample {
  const notY = tf.sub(1, y);
  const weight = alpha < 0 ? 1 : tf.add(tf.mul(alpha, y), tf.mul(1 - alpha, notY));
  return { sign: tf.sub(y, notY), weight };
}

// Any label: y times label 1 (sign +1) and 1 - y times label 0 (sign -1).
function softSample(y: tf.Tensor, alpha: number): Sample[] {
  const notY = tf.sub(1, y);
  if (alpha < 0)
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
function mixtureLoss(logits: tf.Tensor, samples: Sample[], gamma: number): tf.Tensor {
  return tf.customGrad((...args) => {
    const [x, save] = args as [tf.Tensor, tf.GradSaveFunc];
    const terms = samples.map((sample) => exactLoss(x, sample, gamma));
    save(terms.flatMap(({ saved }) => saved));
    return {
      value: sum(terms.map(({ loss }) => loss)),
      gradFunc: (dy: tf.Tensor, saved: tf.Tensor[]) => {
        refuseSecondDerivative('exactSigmoidFocalLoss');
        const perTerm = saved.length / samples.length;
        return tf.mul(
          dy,
          sum(samples.map((_, i) => exactGradient(saved.slice(i * perTerm, (i + 1) * perTerm), gamma))),
        );
      },
    };
  })(logits);
}

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
  gamma: number | tf.Tensor,
): { loss: tf.Tensor; saved: tf.Tensor[] } {
  const z = tf.mul(x, sign);
  const shortfall = tf.relu(tf.neg(z));
  const u = tf.exp(tf.neg(tf.relu(z)));
  const v = tf.exp(tf.neg(shortfall));
  const uv = tf.mul(u, v);
  const q = tf.div(u, tf.add(1, uv));
  const s = tf.add(shortfall, tf.log1p(uv));
  const weighted = tf.mul(weight, tf.pow(q, gamma));
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
export function exactGradient([u, v, s, q, signedWeight]: tf.Tensor[], gamma: number | tf.Tensor): tf.Tensor {
  const r = tf.div(tf.mul(v, tf.minimum(s, LARGEST_FLOAT32)), tf.maximum(u, SMALLEST_NORMAL_FLOAT32));
  return tf.mul(signedWeight, tf.mul(q, tf.add(1, tf.mul(gamma, r))));
}
