import { checkParameters, checkSample } from './check';
import type { FocalOptions } from './options';
import { signedTerms } from './signedTerms';

/** Options of the closed forms. */
export interface ClosedFormOptions extends FocalOptions {
  /** Added to 1 - p_t, finite and >= 0: the stabilized loss. Default 0, the focal loss itself. */
  epsilon?: number;
}

/**
 * Binary focal loss of one logit, in float64: the oracle for tests and plots.
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
 * Derivative of the binary focal loss in the logit, in float64. No power of gamma - 1 occurs in it: it is bounded.
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
  // q + gamma p_t s q / (q + epsilon) = q (1 + gamma r share), with p_t s = r q and share = q / (q + epsilon).
  const share = epsilon > 0 ? q / (q + epsilon) : 1; // 1 also where q underflows to 0
  return -sign * alphaT(label, alpha) * (q + epsilon) ** gamma * q * (1 + gamma * r * share);
}

function alphaT(label: 0 | 1, alpha: number): number {
  if (alpha < 0) return 1;
  return label === 1 ? alpha : 1 - alpha;
}
