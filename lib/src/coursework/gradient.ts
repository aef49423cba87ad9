// Exercise 1: derive the gradient, and code it.
import { focalLoss, focalLossGradient } from '../losses';
import { signedTerms } from '../losses/closedForm';
import { compare, type Misconception, type Sample } from './compare';
import { judge } from './verdict';

const TOLERANCE = 1e-8;
const GAMMAS = [0, 0.1, 0.5, 1, 2];
const ALPHAS = [0.25, 0.9];
const ORDINARY = [-6, -1.5, -0.3, 0.4, 2, 5];
const EXTREME = [-700, -100, -40, -20, 20, 30, 40, 100, 700];
const EPSILONS = [1e-3, 1e-6];

type Binary = 0 | 1;

/** alpha_t, q, p_t, s and 2y - 1 of a sample, as notebook 1 names them. */
function parts(x: number, y: number, alpha: number) {
  const sign = 2 * y - 1;
  const { q, s } = signedTerms(sign * x);
  return { alphaT: y === 1 ? alpha : 1 - alpha, q, p: 1 - q, s, sign };
}

function samples(
  xs: readonly number[],
  truth: (x: number, y: Binary, alpha: number, gamma: number) => number,
) {
  return xs.flatMap((x) =>
    ([1, 0] as const).flatMap((y) =>
      ALPHAS.flatMap((alpha) =>
        GAMMAS.map((gamma): Sample => ({ args: [x, y, alpha, gamma], truth: truth(x, y, alpha, gamma) })),
      ),
    ),
  );
}

const lossAt = (x: number, y: Binary, alpha: number, gamma: number) => focalLoss(x, y, { alpha, gamma });
const slopeAt = (x: number, y: Binary, alpha: number, gamma: number) =>
  focalLossGradient(x, y, { alpha, gamma });

const ALPHA_SAYS = {
  same: 'both labels get the weight alpha; which one does label 0 have?',
  swapped: 'the weights of the two labels are exchanged',
  none: 'the weight alpha_t is missing',
};

/** The three mistakes with alpha that any formula can have. */
function alphaMistakes(
  formula: (x: number, y: Binary, alpha: number, gamma: number) => number,
): Misconception[] {
  const unweighted = (x: number, y: number, gamma: number) => formula(x, y as Binary, -1, gamma);
  return [
    { says: ALPHA_SAYS.same, value: (x, y, alpha, gamma) => alpha * unweighted(x, y, gamma) },
    {
      says: ALPHA_SAYS.swapped,
      value: (x, y, alpha, gamma) => (y === 1 ? 1 - alpha : alpha) * unweighted(x, y, gamma),
    },
    { says: ALPHA_SAYS.none, value: (x, y, _alpha, gamma) => unweighted(x, y, gamma) },
  ];
}

/**
 * Checks 1.1: the focal loss of one logit in plain numbers.
 *
 *   FL = alpha_t (1 - p_t)^gamma (-log p_t)
 *
 * @param answer  (x, y, alpha, gamma) => number, right to 1e-8 for |x| <= 700
 */
export function loss(answer: unknown): Promise<void> {
  const misconceptions: Misconception[] = [
    ...alphaMistakes(lossAt),
    {
      says: 'the label makes no difference to p_t: what is p_t for label 0?',
      value: (x, y, alpha, gamma) => (y === 1 ? alpha : 1 - alpha) * lossAt(x, 1, -1, gamma),
    },
    {
      says: 'the modulating factor is a power of the wrong thing: it should be small for an EASY example',
      value: (x, y, alpha, gamma) => {
        const { alphaT, p, s } = parts(x, y, alpha);
        return alphaT * p ** gamma * s;
      },
    },
    {
      says: 'this is the cross-entropy: gamma changes nothing',
      value: (x, y, alpha) => lossAt(x, y as Binary, alpha, 0),
    },
  ];
  return judge({
    '1.1 the loss': () =>
      compare(answer, {
        name: 'loss',
        ordinary: samples(ORDINARY, lossAt),
        extreme: samples(EXTREME, lossAt),
        misconceptions,
        tolerance: TOLERANCE,
        advice: 'Compare it with the formula at x = 0, where p_t is 1/2 for both labels.',
      }),
  });
}

/**
 * Checks 1.2: the derivative of that loss by the logit.
 *
 *   dFL/dx = -(2y - 1) alpha_t q^gamma (q + gamma p_t s)
 *
 * @param answer  (x, y, alpha, gamma) => number, right to 1e-8 for |x| <= 700
 */
export function gradient(answer: unknown): Promise<void> {
  const misconceptions: Misconception[] = [
    ...alphaMistakes(slopeAt),
    {
      says: 'this is the derivative by the margin z; for label 0 that is not yet the derivative by x',
      value: (x, y, alpha, gamma) => (2 * y - 1) * slopeAt(x, y as Binary, alpha, gamma),
    },
    {
      says: 'this is the derivative by p_t: the chain rule has one more factor, dp_t/dx',
      value: (x, y, alpha, gamma) => {
        const { p, q } = parts(x, y, alpha);
        return ((2 * y - 1) * slopeAt(x, y as Binary, alpha, gamma)) / (p * q);
      },
    },
    {
      says: 'one of the two terms of the product rule is missing: the power depends on x, too',
      value: (x, y, alpha, gamma) => {
        const { alphaT, q, sign } = parts(x, y, alpha);
        return -sign * alphaT * q ** (gamma + 1);
      },
    },
    {
      says: 'one of the two terms of the product rule is missing: the logarithm depends on x, too',
      value: (x, y, alpha, gamma) => {
        const { alphaT, q, p, s, sign } = parts(x, y, alpha);
        return -sign * alphaT * q ** gamma * gamma * p * s;
      },
    },
  ];
  return judge({
    '1.2 its gradient': () =>
      compare(answer, {
        name: 'gradient',
        ordinary: samples(ORDINARY, slopeAt),
        extreme: samples(EXTREME, slopeAt),
        misconceptions,
        tolerance: TOLERANCE,
        advice: 'Compare it with (loss(x + h) - loss(x - h)) / 2h, h = 1e-4, at this x.',
      }),
  });
}

/**
 * Checks 1.3: the derivative of the stabilized loss, without alpha, by the margin.
 *
 *   dFL_eps/dz = -(q + epsilon)^gamma (q + gamma p_t s q / (q + epsilon))
 *
 * @param answer  (z, gamma, epsilon) => number, right to 1e-8 for |z| <= 700
 */
export function stabilizedGradient(answer: unknown): Promise<void> {
  const at = (z: number, gamma: number, epsilon: number) =>
    focalLossGradient(z, 1, { alpha: -1, gamma, epsilon });
  const samplesOf = (zs: readonly number[], epsilons: readonly number[]) =>
    zs.flatMap((z) =>
      GAMMAS.flatMap((gamma) =>
        epsilons.map((epsilon): Sample<[number, number, number]> => {
          return { args: [z, gamma, epsilon], truth: at(z, gamma, epsilon) };
        }),
      ),
    );
  const withParts = (formula: (q: number, ps: number, gamma: number, epsilon: number) => number) => {
    return (z: number, gamma: number, epsilon: number) => {
      const { q, p, s } = parts(z, 1, -1);
      return formula(q, p * s, gamma, epsilon);
    };
  };
  return judge({
    '1.3 the gradient of the stabilized loss': () =>
      compare(answer, {
        name: 'stabilizedGradient',
        ordinary: samplesOf(ORDINARY, EPSILONS),
        extreme: samplesOf(EXTREME, [...EPSILONS, 0]),
        misconceptions: [
          { says: 'epsilon changes nothing', value: (z, gamma) => at(z, gamma, 0) },
          {
            says: 'epsilon is right in one of the two terms; derive the power once more, by its base',
            value: withParts((q, ps, gamma, epsilon) => -((q + epsilon) ** gamma) * (q + gamma * ps)),
          },
          {
            says: 'q was replaced by q + epsilon everywhere, but epsilon was added to the base of the power only',
            value: withParts(
              (q, ps, gamma, epsilon) => -((q + epsilon) ** gamma) * (q + epsilon + gamma * ps),
            ),
          },
        ],
        tolerance: TOLERANCE,
        advice: 'Compare it with a finite difference of focalLoss(z, 1, { alpha: -1, gamma, epsilon }).',
      }),
  });
}
