import { checkParameters, checkSample } from '../losses/options';
import { FORMATS, type Precision } from './formats';
import { rounding } from './rounding';

/** Options of the exact form, step by step. */
export interface ExactStepsOptions {
  /** Default 2. */
  gamma?: number;
  /** Every operation is rounded to this format. Default 'float64'. */
  precision?: Precision;
}

/** What the exact form computes, in this order. Nothing is subtracted from 1, and no exponent is negative. */
export interface ExactSteps {
  /** e^-|z| */
  e: number;
  /** q = 1 - p_t = sigma(-z) */
  q: number;
  /** s = -log p_t = softplus(-z) */
  s: number;
  /** q^gamma */
  modulatingFactor: number;
  /** q^gamma s, in nats */
  loss: number;
  /** r = p_t s / q, in [0, 1] */
  r: number;
  /** 1 + gamma r */
  bracket: number;
  /** q (1 + gamma r) */
  product: number;
  /** dFL/dx = -(2y - 1) q^gamma q (1 + gamma r) */
  gradient: number;
}

/**
 * The unweighted focal loss and its gradient in the exact form, with every intermediate value: the counterpart of
 * naiveFocalLossGradient.
 *
 *   FL = q^gamma s      dFL/dz = -q^gamma q (1 + gamma r)      z = (2y - 1) x,  q = sigma(-z),  s = softplus(-z),  r = p_t s / q
 *
 * @param logit  x, any number; it is rounded first
 * @param label  y, 0 or 1
 * @throws TypeError if the logit is not a number; RangeError if gamma < 0, the label is not 0 or 1, or the precision is unknown
 * @see notebooks/02-nan-gradient.ipynb
 */
export function exactFocalLossSteps(
  logit: number,
  label: 0 | 1,
  { gamma = 2, precision = 'float64' }: ExactStepsOptions = {},
): ExactSteps {
  checkParameters('exactFocalLossSteps', { alpha: -1, gamma, epsilon: 0 });
  checkSample('exactFocalLossSteps', logit, label);
  const round = rounding(precision);
  const sign = 2 * label - 1;
  const z = sign * round(logit);
  const exponent = round(gamma);

  const e = round(Math.exp(-Math.abs(z)));
  const log1pE = round(Math.log1p(e));
  const q = round((z >= 0 ? e : 1) / round(1 + e));
  const s = round(Math.max(-z, 0) + log1pE);
  const modulatingFactor = round(q ** exponent);
  const loss = round(modulatingFactor * s);

  // p_t / q = e^z is 1 / e for z >= 0, where s = log(1 + e), and e for z < 0. Both have a limit: 1 and 0.
  const r = z >= 0 ? (e > 0 ? round(log1pE / e) : 1) : round(e * Math.min(s, FORMATS[precision].max));
  const bracket = round(1 + round(exponent * r));
  const product = round(q * bracket);
  const gradient = -sign * round(modulatingFactor * product);
  return { e, q, s, modulatingFactor, loss, r, bracket, product, gradient };
}
