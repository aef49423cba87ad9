// Exercise 5: epsilon against exact.
import { focalLoss, focalLossGradient } from '../losses';
import { signedTerms } from '../losses/closedForm';
import { kindOf } from './ask';
import { compare, type Sample } from './compare';
import { judge, NotAttempted, Wrong } from './verdict';

const GAMMAS = [0.1, 0.5, 1, 2];
const EPSILONS = [1e-3, 1e-8];

/** FL_eps / FL - 1 = (1 + epsilon / q)^gamma - 1, also where it is tiny. */
const biasAt = (z: number, gamma: number, epsilon: number) =>
  Math.expm1(gamma * Math.log1p(epsilon / signedTerms(z).q));

/**
 * Checks 5.1: by which fraction the stabilized loss is too large.
 *
 *   FL_eps / FL - 1 = (1 + epsilon / q)^gamma - 1
 *
 * @param answer  (z, gamma, epsilon) => number, right to 1e-6 for |z| <= 100
 */
export function bias(answer: unknown): Promise<void> {
  const samples = (zs: readonly number[], epsilons: readonly number[]) =>
    zs.flatMap((z) =>
      GAMMAS.flatMap((gamma) =>
        epsilons.map((epsilon): Sample => ({ args: [z, gamma, epsilon], truth: biasAt(z, gamma, epsilon) })),
      ),
    );
  return judge({
    '5.1 the relative bias of the loss': () =>
      compare(answer, {
        name: 'bias',
        ordinary: samples([-4, -1, 0.5, 3, 6], [1e-3, 1e-4]),
        extreme: samples([-100, -20, 20, 40, 100], EPSILONS),
        misconceptions: [
          {
            says: 'this is the ratio of the losses: how much is it above 1?',
            value: (...args) => 1 + biasAt(args[0], args[1], args[2]),
          },
          {
            says: 'this is the absolute difference; divide it by the true loss',
            value: (z, gamma, epsilon) => biasAt(z, gamma, epsilon) * focalLoss(z, 1, { alpha: -1, gamma }),
          },
          {
            says: 'this is the difference divided by the stabilized loss; divide it by the true one',
            value: (z, gamma, epsilon) => 1 - 1 / (1 + biasAt(z, gamma, epsilon)),
          },
          {
            says: 'for a small epsilon only: the power is not linear',
            value: (z, gamma, epsilon) => (gamma * epsilon) / signedTerms(z).q,
          },
        ],
        tolerance: 1e-6,
        advice: 'Divide the two losses on paper first: what cancels?',
      }),
  });
}

/**
 * Checks 5.2: the margin at which the stabilized loss is too large by a given fraction.
 *
 *   (1 + epsilon / q)^gamma = 1 + tolerated,  z = log((1 - q) / q)
 *
 * @param answer  (gamma, epsilon, tolerated) => number, right to 1e-4 relative
 */
export function margin(answer: unknown): Promise<void> {
  const samples = GAMMAS.flatMap((gamma) =>
    [1e-3, 1e-5].flatMap((epsilon) =>
      [0.1, 1].map((tolerated): Sample<[number, number, number]> => {
        const q = epsilon / Math.expm1(Math.log1p(tolerated) / gamma);
        return { args: [gamma, epsilon, tolerated], truth: Math.log((1 - q) / q) };
      }),
    ),
  );
  const qOf = (gamma: number, epsilon: number, tolerated: number) =>
    epsilon / ((1 + tolerated) ** (1 / gamma) - 1);
  return judge({
    '5.2 where it becomes noticeable': () =>
      compare(answer, {
        name: 'margin',
        ordinary: samples,
        extreme: [],
        misconceptions: [
          { says: 'this is q, not yet the margin', value: qOf },
          { says: 'this is p_t, not yet the margin', value: (...args) => 1 - qOf(args[0], args[1], args[2]) },
          {
            says: 'this is the margin of the opposite sign: q is small for an easy example',
            value: (...args) => {
              const q = qOf(args[0], args[1], args[2]);
              return Math.log(q / (1 - q));
            },
          },
        ],
        tolerance: 1e-4,
        advice: 'Put it into your bias(): it should give the tolerated fraction.',
      }),
  });
}

const CANDIDATES = [1e-3, 1e-5, 1e-8, 1e-30];
const PLACES: Record<string, (q: number, epsilon: number) => number> = {
  'q + epsilon': (q, epsilon) => Math.fround(q + Math.fround(epsilon)),
  '(1 + epsilon) - p_t': (q, epsilon) =>
    Math.fround(Math.fround(1 + Math.fround(epsilon)) - Math.fround(1 - q)),
  'in the logarithm only': (q) => q,
};

/**
 * Checks 5.3: which epsilon keep the gradient finite where p_t is rounded to 1 in float32, for three ways to write it.
 *
 * @param answer  'q + epsilon', '(1 + epsilon) - p_t', 'in the logarithm only' -> those of 1e-3, 1e-5, 1e-8, 1e-30
 */
export function survivors(answer: unknown): Promise<void> {
  const given = (answer ?? {}) as Record<string, unknown>;
  return judge(
    Object.fromEntries(
      Object.entries(PLACES).map(([place, base]) => [
        `5.3 ${place}`,
        () => {
          const list = given[place];
          if (list === undefined) throw new NotAttempted();
          if (!Array.isArray(list)) throw new Wrong(`it is ${kindOf(list)}; expected an array, [] for none`);
          const unknown = list.find((epsilon) => !CANDIDATES.includes(epsilon as number));
          if (unknown !== undefined)
            throw new Wrong(`${String(unknown)} is not among ${CANDIDATES.map(String).join(', ')}`);
          for (const epsilon of CANDIDATES)
            if (list.includes(epsilon) !== base(0, epsilon) > 0)
              throw new Wrong(
                list.includes(epsilon)
                  ? 'one of these does not save the gradient: what is the base of the power, rounded to float32, where q is 0?'
                  : 'one is missing that does save the gradient: float32 goes down to 1e-38, near 0',
              );
        },
      ]),
    ),
  );
}

/** |G_eps| - |G| of a sample of label 1, without alpha. */
const excessAt = (z: number, gamma: number, epsilon: number) =>
  focalLossGradient(z, 1, { alpha: -1, gamma }) - focalLossGradient(z, 1, { alpha: -1, gamma, epsilon });

/**
 * Checks 5.4: how many easy samples have, by epsilon, an excess of the gradient that adds up to 1, that of one hopeless sample.
 *
 *   n (|G_eps| - |G|) = 1,  |G_eps| = (q + epsilon)^gamma (q + gamma p_t s q / (q + epsilon))
 *
 * @param answer  (z, gamma, epsilon) => number, right to 1e-4 relative
 */
export function count(answer: unknown): Promise<void> {
  const samples = [2, 5, 8, 11].flatMap((z) =>
    GAMMAS.map((gamma): Sample<[number, number, number]> => {
      return { args: [z, gamma, 1e-3], truth: 1 / excessAt(z, gamma, 1e-3) };
    }),
  );
  return judge({
    '5.4 how many easy samples add up to one': () =>
      compare(answer, {
        name: 'count',
        ordinary: samples,
        extreme: [],
        misconceptions: [
          {
            says: 'this is the excess of one sample: how many of them add up to 1?',
            value: excessAt,
          },
          {
            says: 'these have a whole gradient of 1 together; asked is the part that epsilon has added',
            value: (z, gamma, epsilon) => -1 / focalLossGradient(z, 1, { alpha: -1, gamma, epsilon }),
          },
          {
            says: 'this is the excess of the loss; what moves the weights is the gradient',
            value: (z, gamma, epsilon) =>
              1 / (biasAt(z, gamma, epsilon) * focalLoss(z, 1, { alpha: -1, gamma })),
          },
        ],
        tolerance: 1e-4,
        advice:
          'Take both gradients from your exercise 1, or from finite differences of focalLoss, and print their difference.',
      }),
  });
}
