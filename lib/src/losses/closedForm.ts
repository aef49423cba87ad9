// The focal loss in float64, number by number and without TensorFlow: the oracle for tests and plots, and what boosting needs.
import {
  alphaT,
  checkClassWeights,
  checkGamma,
  checkParameters,
  checkSample,
  type ClassWeights,
  type FocalOptions,
} from './options.js';

/** Options of the binary closed forms. */
export interface ClosedFormOptions extends FocalOptions {
  /** Added to 1 - p_t, finite and >= 0: the stabilized loss. Default 0, the focal loss itself. */
  epsilon?: number;
}

/**
 * Binary focal loss of one logit.
 *
 *   FL = alpha_t (q + epsilon)^gamma s      z = (2y - 1) x     signed logit: positive when the prediction is right
 *                                           q = 1 - p_t = sigma(-z)
 *                                           s = -log p_t = log(1 + e^-z)
 *
 * @param logit  x, any number
 * @param label  y, 0 or 1
 * @returns loss >= 0, in nats
 * @throws TypeError if the logit is not a number; RangeError if alpha > 1, gamma or epsilon < 0, or the label not 0 or 1
 * @see notebooks/01-derivation.ipynb; Lin et al. 2017, eq. 5; van Leeuwen et al., TMLR 2025 (epsilon)
 */
export function focalLoss(
  logit: number,
  label: 0 | 1,
  { alpha = 0.25, gamma = 2, epsilon = 0 }: ClosedFormOptions = {},
): number {
  checkParameters('focalLoss', { alpha, gamma, epsilon });
  checkSample('focalLoss', logit, label);
  const { q, s } = signedTerms(label === 1 ? logit : -logit);
  return alphaT(label, alpha) * (q + epsilon) ** gamma * s; // 0 ** 0 is 1: gamma 0 is cross-entropy
}

/**
 * Derivative of the binary focal loss in the logit. No power of gamma - 1 occurs in it: it is bounded.
 *
 *   dFL/dz = -alpha_t (q + epsilon)^gamma (q + gamma p_t s q / (q + epsilon))      dFL/dx = (2y - 1) dFL/dz
 *
 * @param logit  x, any number
 * @param label  y, 0 or 1
 * @returns nats per unit of logit: <= 0 for label 1, >= 0 for label 0
 * @throws TypeError if the logit is not a number; RangeError if alpha > 1, gamma or epsilon < 0, or the label not 0 or 1
 * @see notebooks/01-derivation.ipynb
 */
export function focalLossGradient(
  logit: number,
  label: 0 | 1,
  { alpha = 0.25, gamma = 2, epsilon = 0 }: ClosedFormOptions = {},
): number {
  checkParameters('focalLossGradient', { alpha, gamma, epsilon });
  checkSample('focalLossGradient', logit, label);
  const sign = label === 1 ? 1 : -1;
  const { q, r } = signedTerms(sign * logit);
  // q + gamma p_t s q / (q + epsilon) = q (1 + gamma r h), with p_t s = r q and h = q / (q + epsilon).
  return -sign * alphaT(label, alpha) * (q + epsilon) ** gamma * q * (1 + gamma * r * share(q, epsilon));
}

/**
 * Second derivative of the binary focal loss in the logit: the Hessian that LightGBM and XGBoost ask for.
 *
 *   d2FL/dx2 = alpha_t p_t q^gamma ((2 gamma + 1) q + gamma s (gamma p_t - q))          epsilon 0
 *
 * It is positive for easy examples and for cross-entropy (gamma 0), and negative for hard ones, where
 * s > 2 + 1 / gamma + gamma r (r = p_t s / q): at gamma 2 for p_t < 0.058, a logit of -2.79. The loss is not convex there, and
 * a Newton step -gradient / second derivative would climb. Give boosting max(second derivative, floor) instead, with a floor
 * such as 1e-6 that is small next to the Hessians of the other examples, and bound the steps (`max_delta_step`): a leaf full of
 * hard examples divides by little more than the regularization. The gradient needs no change.
 *
 * @param logit  x, any number
 * @param label  y, 0 or 1
 * @returns nats per squared unit of logit
 * @throws TypeError if the logit is not a number; RangeError if alpha > 1, gamma or epsilon < 0, or the label not 0 or 1
 */
export function focalLossSecondDerivative(
  logit: number,
  label: 0 | 1,
  { alpha = 0.25, gamma = 2, epsilon = 0 }: ClosedFormOptions = {},
): number {
  checkParameters('focalLossSecondDerivative', { alpha, gamma, epsilon });
  checkSample('focalLossSecondDerivative', logit, label);
  // With b = q + epsilon, and dq/dz = -p q, dp/dz = p q, ds/dz = -q (p for p_t), the two terms of -dFL/dz have the derivatives
  //
  //   d(b^gamma q)/dz             = -b^gamma p q - gamma b^(gamma - 1) p q^2
  //   d(b^(gamma - 1) p s q)/dz   = b^(gamma - 1) p q (s q - q - p s) - (gamma - 1) b^(gamma - 2) p^2 q^2 s
  //
  // With h = q / b and p s = r q everything has the factor b^gamma p q, and no division is left:
  //
  //   d2FL/dz2 = b^gamma p q (1 + gamma h (2 + r (1 + (gamma - 1) h) - s))
  //
  // which for epsilon 0, h = 1, is the formula above. The sign of z is squared: d2FL/dx2 = d2FL/dz2.
  const { p, q, s, r } = signedTerms(label === 1 ? logit : -logit);
  const h = share(q, epsilon);
  // p = e^-s is 0 in float64 from s = 746 on: beyond 1000, s counts for nothing, and 0 * Infinity would be NaN.
  const bracket = 1 + gamma * h * (2 + r * (1 + (gamma - 1) * h) - Math.min(s, 1000));
  return alphaT(label, alpha) * (q + epsilon) ** gamma * q * (p * bracket);
}

/**
 * Softmax focal loss of one example.
 *
 *   FL = alpha_t q^gamma s        R = sum over the other classes of e^(x_j - x_t)
 *                                 q = 1 - p_t = R / (1 + R)
 *                                 s = -log p_t = log(1 + R)
 *   dFL/dx_t = -alpha_t q^gamma (q + gamma p_t s)       dFL/dx_j = -dFL/dx_t e^(x_j - x_t) / R
 *
 * The formulas are those of the binary loss at the margin z = -log R: two classes are the binary loss of x_t - x_j.
 *
 * @param logits  x, two or more finite numbers
 * @param label  t, the index of the right class
 * @param options.alpha  a number for all classes, one per class, or null (no weighting, the default)
 * @param options.gamma  finite and >= 0, default 2
 * @returns loss in nats, and its derivatives by the logits
 * @throws RangeError for fewer than two logits, logits that are not finite, a label that is not the index of one, or bad
 *   options
 */
export function multiclassFocalLoss(
  logits: readonly number[],
  label: number,
  { alpha = null, gamma = 2 }: { alpha?: ClassWeights; gamma?: number } = {},
): { loss: number; gradient: number[] } {
  const caller = 'multiclassFocalLoss';
  if (logits.length < 2) throw new RangeError(`${caller}: expected two or more logits, got ${logits.length}`);
  const bad = logits.findIndex((x) => !Number.isFinite(x));
  if (bad >= 0) throw new RangeError(`${caller}: logits must be finite, got ${logits[bad]} at index ${bad}`);
  if (!Number.isInteger(label) || label < 0 || label >= logits.length)
    throw new RangeError(`${caller}: label must be in 0 .. ${logits.length - 1}, got ${label}`);
  checkClassWeights(caller, alpha, logits.length);
  checkGamma(caller, gamma);
  const weight = typeof alpha === 'object' ? (alpha?.[label] ?? 1) : alpha < 0 ? 1 : alpha;

  // log R = gap + log S, with the sum S >= 1 taken relative to the largest of the others: neither overflows.
  const others = logits.filter((_, j) => j !== label);
  const largest = others.reduce((a, b) => Math.max(a, b));
  const sum = others.reduce((total, x) => total + Math.exp(x - largest), 0);
  const { q, s, r } = signedTerms(logits[label] - largest - Math.log(sum));
  const power = weight * q ** gamma;
  const slope = power * q * (1 + gamma * r);
  const gradient = logits.map((x, j) => (j === label ? -slope : slope * (Math.exp(x - largest) / sum)));
  return { loss: power * s, gradient };
}

/**
 * p_t = sigma(z), q = 1 - p_t = sigma(-z), s = -log p_t and r = p_t s / q at a margin z. None of them is computed from another
 * by subtraction from 1.
 */
export function signedTerms(z: number): { p: number; q: number; s: number; r: number } {
  const e = Math.exp(-Math.abs(z)); // in [0, 1]: cannot overflow
  const l = Math.log1p(e);
  const [p, q] = z >= 0 ? [1 / (1 + e), e / (1 + e)] : [e / (1 + e), 1 / (1 + e)];
  const s = Math.max(-z, 0) + l; // log(1 + e^-z)
  // r = p_t s / q, in [0, 1]: p_t / q = e^z is 1 / e for z >= 0, where s = l, and e for z < 0.
  const r = z >= 0 ? (e > 0 ? l / e : 1) : e * Math.min(s, Number.MAX_VALUE); // limits at +Infinity and -Infinity
  return { p, q, s, r };
}

/** h = q / (q + epsilon); 1 without epsilon, also where q underflows to 0. */
const share = (q: number, epsilon: number) => (epsilon > 0 ? q / (q + epsilon) : 1);
