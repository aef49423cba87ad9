import { checkParameters, checkSample } from '../losses/options';
import { naiveFocalLossGradient } from './chainRule';
import { exactFocalLossSteps } from './exactSteps';
import type { Precision } from './formats';
import { rounding } from './rounding';

/**
 * Ways to write the focal loss, all of them found in use; with q = 1 - p_t and epsilon:
 *
 *   'textbook'             ((1 - p_t) + epsilon)^gamma CE(x, y)            epsilon 0: the original; > 0: the stabilized loss
 *   'epsilon first'        ((1 + epsilon) - p_t)^gamma CE(x, y)            the same on paper
 *   'epsilon in the log'   (1 - p_t)^gamma (-log(p_t + epsilon))           epsilon where it does not help
 *   'log space'            e^(gamma log q) s                               log q and s = -log p_t by log1p(e^-|z|)
 *   'exact'                q^gamma s, gradient -q^gamma q (1 + gamma r)    as exactSigmoidFocalLoss
 */
export type Formulation = (typeof FORMULATIONS)[number];
export const FORMULATIONS = [
  'textbook',
  'epsilon first',
  'epsilon in the log',
  'log space',
  'exact',
] as const;

/** Options of the emulation. */
export interface EmulationOptions {
  formulation: Formulation;
  /** Every operation is rounded to this format. */
  precision: Precision;
  gamma: number;
  /** Where the formulation has one; default 0. */
  epsilon?: number;
}

/**
 * Unweighted focal loss of one logit and its gradient as a program with such numbers computes them: in this formulation, by
 * the chain rule, every sum, product, quotient and elementary function rounded to the format.
 *
 * The elementary functions (exp, log, log1p, pow) are those of float64, rounded once: as good as they can be, which those of a
 * library need not be. The sigmoid is composed, 1 / (1 + e^-x).
 *
 * @param logit  x, any number; it is rounded first
 * @param label  y, 0 or 1
 * @returns loss in nats and dFL/dx; not finite where such a program's are not
 * @throws TypeError if the logit is not a number; RangeError if gamma or epsilon < 0, the label is not 0 or 1, or precision or
 *   formulation is unknown
 * @see notebooks/07-epsilon.ipynb
 */
export function emulatedFocalLoss(
  logit: number,
  label: 0 | 1,
  { formulation, precision, gamma, epsilon = 0 }: EmulationOptions,
): { loss: number; gradient: number } {
  checkParameters('emulatedFocalLoss', { alpha: -1, gamma, epsilon });
  checkSample('emulatedFocalLoss', logit, label);
  switch (formulation) {
    case 'textbook':
      return naiveFocalLossGradient(logit, label, { alpha: -1, gamma, epsilon, precision });
    case 'epsilon first':
      return naiveFocalLossGradient(logit, label, {
        alpha: -1,
        gamma,
        epsilon,
        precision,
        epsilonFirst: true,
      });
    case 'epsilon in the log':
      return epsilonInTheLog(logit, label, gamma, epsilon, rounding(precision));
    case 'log space':
      return logSpace(logit, label, gamma, rounding(precision));
    case 'exact':
      return exactFocalLossSteps(logit, label, { gamma, precision });
    default:
      throw new RangeError(
        `emulatedFocalLoss: formulation is '${formulation as string}'; expected one of ${FORMULATIONS.join(', ')}`,
      );
  }
}

type Round = (value: number) => number;

// FL = w c         w = (1 - p_t)^gamma,  c = -log(p_t + epsilon)
// dFL/dp_t = -c gamma (1 - p_t)^(gamma - 1) - w / (p_t + epsilon)       dp_t/dx = (2y - 1) p (1 - p)
function epsilonInTheLog(logit: number, label: 0 | 1, gamma: number, epsilon: number, round: Round) {
  const x = round(logit);
  const exponent = round(gamma);
  const p = round(1 / round(1 + round(Math.exp(-x))));
  const pT = label === 1 ? p : round(1 - p);
  const q = round(1 - pT);
  const kept = round(pT + round(epsilon));
  const w = round(q ** exponent);
  const c = -round(Math.log(kept));
  const throughPower = round(c * round(exponent * round(q ** round(exponent - 1))));
  const byPT = -round(throughPower + round(w / kept));
  const gradient = round((2 * label - 1) * round(byPT * round(p * round(1 - p))));
  return { loss: round(w * c), gradient };
}

// FL = w s          w = e^(gamma log q),  log q = -log(1 + e^z),  s = -log p_t = log(1 + e^-z)       z = (2y - 1) x
// dFL/dz = -(w q + gamma w p_t s)         what autodiff makes of it: two terms, each of which may underflow alone
function logSpace(logit: number, label: 0 | 1, gamma: number, round: Round) {
  const sign = 2 * label - 1;
  const z = sign * round(logit);
  const e = round(Math.exp(-Math.abs(z)));
  const log1pE = round(Math.log1p(e));
  const logQ = -round(Math.max(z, 0) + log1pE);
  const s = round(Math.max(-z, 0) + log1pE);
  const exponent = round(gamma);
  const w = round(Math.exp(round(exponent * logQ)));
  const d = round(1 + e);
  const q = round((z >= 0 ? e : 1) / d);
  const pT = round((z >= 0 ? 1 : e) / d);
  const throughWeight = round(round(round(w * exponent) * pT) * s);
  return { loss: round(w * s), gradient: -sign * round(round(w * q) + throughWeight) };
}
