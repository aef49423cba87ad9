import { alphaT as weightOf, checkParameters, checkSample } from '../losses/options';
import type { ClosedFormOptions } from '../losses';
import type { Precision } from './formats';
import { rounding } from './rounding';

/** Options of the chain rule, step by step. */
export interface ChainRuleOptions extends ClosedFormOptions {
  /** Every operation is rounded to this format. Default 'float64'. */
  precision?: Precision;
  /** Form the base of the power as (1 + epsilon) - p_t instead of (1 - p_t) + epsilon. Default false. */
  epsilonFirst?: boolean;
}

/** What autodiff computes on its way to the gradient of the textbook focal loss, in this order. */
export interface ChainRuleSteps {
  /** p = sigma(x) */
  p: number;
  /** p_t: p for label 1, 1 - p for label 0 */
  pT: number;
  /** (1 - p_t) + epsilon, or (1 + epsilon) - p_t */
  base: number;
  /** base^gamma */
  modulatingFactor: number;
  /** CE = (1 - y) x - log sigma(x) */
  crossEntropy: number;
  /** alpha_t base^gamma CE */
  loss: number;
  /** The singular factor, d base^gamma / d base = gamma base^(gamma - 1) */
  singularFactor: number;
  /** d base / dp = 1 - 2y */
  baseByP: number;
  /** dp/dx = p (1 - p) */
  pByLogit: number;
  /** dCE/dx = p - y */
  crossEntropyByLogit: number;
  /** alpha_t CE * singularFactor * baseByP * pByLogit: through the modulating factor, Infinity * 0 where 1 - p_t is 0 */
  throughModulatingFactor: number;
  /** alpha_t base^gamma * crossEntropyByLogit: through the cross-entropy */
  throughCrossEntropy: number;
  /** The sum of both: dFL/dx */
  gradient: number;
}

/**
 * The textbook focal loss and its gradient by the chain rule, naively, with every intermediate value: NaN where theory says.
 *
 *   FL = alpha_t ((1 - p_t) + epsilon)^gamma CE
 *   dFL/dx = alpha_t CE gamma ((1 - p_t) + epsilon)^(gamma - 1) (1 - 2y) p (1 - p) + alpha_t ((1 - p_t) + epsilon)^gamma (p - y)
 *
 * With epsilon 0 and gamma < 1 the gradient is NaN once 1 - p_t rounds to 0: for label 1 from x = 53 ln 2 = 36.74 in float64
 * and 24 ln 2 = 16.64 in float32, for label 0 from -54 ln 2 = -37.43 and -25 ln 2 = -17.33. Also at gamma 0, as in tf.pow and
 * Keras: 0 * base^-1. (PyTorch and sigmoidFocalLoss make an exception for gamma 0.)
 *
 * In float16 the logits are 11 ln 2 = 7.62 and -12 ln 2 = -8.32, in bfloat16 8 ln 2 = 5.55 and -9 ln 2 = -6.24. (PyTorch
 * forms the sigmoid of such a number in float32 and rounds it once: then the second number holds for both labels.)
 *
 * @param logit  x, any number
 * @param label  y, 0 or 1
 * @throws TypeError if the logit is not a number; RangeError if alpha > 1, gamma or epsilon < 0, the label is not 0 or 1, or
 *   the precision is unknown
 * @see notebooks/02-nan-gradient.ipynb
 */
export function naiveFocalLossGradient(
  logit: number,
  label: 0 | 1,
  {
    alpha = 0.25,
    gamma = 2,
    epsilon = 0,
    precision = 'float64',
    epsilonFirst = false,
  }: ChainRuleOptions = {},
): ChainRuleSteps {
  checkParameters('naiveFocalLossGradient', { alpha, gamma, epsilon });
  checkSample('naiveFocalLossGradient', logit, label);
  const round = rounding(precision);
  const product = (first: number, ...factors: number[]) =>
    factors.reduce((left, factor) => round(left * factor), first);

  const x = round(logit);
  const alphaT = round(weightOf(label, alpha));
  const exponent = round(gamma);

  const p = round(1 / round(1 + round(Math.exp(-x))));
  const pT = label === 1 ? p : round(1 - p);
  const base = epsilonFirst ? round(round(1 + round(epsilon)) - pT) : round(round(1 - pT) + round(epsilon));
  const modulatingFactor = round(base ** exponent);
  const logSigmoid = round(Math.min(x, 0) - round(Math.log1p(round(Math.exp(-Math.abs(x))))));
  const crossEntropy = round((1 - label) * x - logSigmoid);
  const loss = product(alphaT, modulatingFactor, crossEntropy);

  const singularFactor = round(exponent * round(base ** round(exponent - 1)));
  const baseByP = 1 - 2 * label;
  const pByLogit = round(p * round(1 - p));
  const crossEntropyByLogit = round(p - label);
  const throughModulatingFactor = product(alphaT, crossEntropy, singularFactor, baseByP, pByLogit);
  const throughCrossEntropy = product(alphaT, modulatingFactor, crossEntropyByLogit);
  const gradient = round(throughModulatingFactor + throughCrossEntropy);

  return {
    p,
    pT,
    base,
    modulatingFactor,
    crossEntropy,
    loss,
    singularFactor,
    baseByP,
    pByLogit,
    crossEntropyByLogit,
    throughModulatingFactor,
    throughCrossEntropy,
    gradient,
  };
}
