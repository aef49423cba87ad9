// Exercise 8: the focal loss of many classes.
import { focalLoss, multiclassFocalLoss } from '../losses';
import { compare, type Sample } from './compare';
import { judge } from './verdict';

const GAMMAS = [0, 0.1, 0.5, 2];
const ORDINARY = [
  [0.5, -1, 2],
  [3, 0, 1, -2],
  [-1, 1],
];
const EXTREME = [
  [40, 0, 1],
  [100, 0, -5, 3],
  [1000, 1000, 990],
  [-900, -903],
  [700, -700, 650],
  [0, 36, 2],
];

/** Every row of logits with every class as the right one. */
const places = (rows: readonly number[][]) =>
  rows.flatMap((logits) => logits.flatMap((_, label) => GAMMAS.map((gamma) => ({ logits, label, gamma }))));

const lossAt = (logits: number[], label: number, gamma: number) =>
  multiclassFocalLoss(logits, label, { gamma }).loss;
const slopeAt = (logits: number[], label: number, gamma: number, j: number) =>
  multiclassFocalLoss(logits, label, { gamma }).gradient[j];

function softmax(logits: readonly number[]): number[] {
  const largest = Math.max(...logits);
  const powers = logits.map((x) => Math.exp(x - largest));
  const sum = powers.reduce((a, b) => a + b);
  return powers.map((power) => power / sum);
}

type LossArgs = [logits: number[], label: number, gamma: number];
type SlopeArgs = [logits: number[], label: number, gamma: number, j: number];

/**
 * Checks 8.1: the softmax focal loss of one row of logits, in plain numbers.
 *
 *   R = sum over j != t of e^(x_j - x_t)        FL = (R / (1 + R))^gamma log(1 + R)
 *
 * @param answer  (logits, label, gamma) => number, right to 1e-8 for |logits| <= 1000
 */
export function loss(answer: unknown): Promise<void> {
  const samples = (rows: readonly number[][]) =>
    places(rows).map(({ logits, label, gamma }): Sample<LossArgs> => {
      return { args: [logits, label, gamma], truth: lossAt(logits, label, gamma) };
    });
  return judge({
    '8.1 the loss of many classes': () =>
      compare<LossArgs>(answer, {
        name: 'loss',
        ordinary: samples(ORDINARY),
        extreme: samples(EXTREME),
        misconceptions: [
          {
            says: 'this is the cross-entropy: gamma changes nothing',
            value: (logits, label) => lossAt(logits, label, 0),
          },
          {
            says: 'this is the binary loss of the right logit: the other logits change nothing',
            value: (logits, label, gamma) => focalLoss(logits[label], 1, { alpha: -1, gamma }),
          },
          {
            says: 'the modulating factor is a power of the wrong thing: it should be small for an EASY example',
            value: (logits, label, gamma) => softmax(logits)[label] ** gamma * lossAt(logits, label, 0),
          },
          {
            says: 'the losses of all classes are added up; only the right class counts',
            value: (logits, _label, gamma) => logits.reduce((sum, _, j) => sum + lossAt(logits, j, gamma), 0),
          },
        ],
        tolerance: 1e-8,
        advice: 'With two classes it is the binary loss of the difference of the two logits.',
      }),
  });
}

/**
 * Checks 8.2: the derivative of that loss by the logit of class j.
 *
 *   dFL/dx_t = -q^gamma (q + gamma p_t s)        dFL/dx_j = -dFL/dx_t e^(x_j - x_t) / R
 *
 * @param answer  (logits, label, gamma, j) => number, right to 1e-8 for |logits| <= 1000
 */
export function gradient(answer: unknown): Promise<void> {
  const samples = (rows: readonly number[][]) =>
    places(rows).flatMap(({ logits, label, gamma }) =>
      logits.map((_, j): Sample<SlopeArgs> => {
        return { args: [logits, label, gamma, j], truth: slopeAt(logits, label, gamma, j) };
      }),
    );
  const ofRight = (logits: number[], label: number, gamma: number) => slopeAt(logits, label, gamma, label);
  return judge({
    '8.2 its gradient': () =>
      compare<SlopeArgs>(answer, {
        name: 'gradient',
        ordinary: samples(ORDINARY),
        extreme: samples(EXTREME),
        misconceptions: [
          {
            says: 'the logits of the other classes have a derivative, too: what do all derivatives of a row add up to?',
            value: (logits, label, gamma, j) => (j === label ? ofRight(logits, label, gamma) : 0),
          },
          {
            says: 'each of the other classes gets what the right one gives; they should share it',
            value: (logits, label, gamma, j) => (j === label ? 1 : -1) * ofRight(logits, label, gamma),
          },
          {
            says: 'the others share it equally; the larger e^(x_j), the larger the share',
            value: (logits, label, gamma, j) =>
              ofRight(logits, label, gamma) * (j === label ? 1 : -1 / (logits.length - 1)),
          },
          {
            says: 'the shares are p_j, which do not add up to 1 without the right class',
            value: (logits, label, gamma, j) =>
              ofRight(logits, label, gamma) * (j === label ? 1 : -softmax(logits)[j]),
          },
          {
            says: 'this is the derivative of the cross-entropy',
            value: (logits, label, _gamma, j) => slopeAt(logits, label, 0, j),
          },
        ],
        tolerance: 1e-8,
        advice: 'Compare it with (loss after x_j + h minus loss after x_j - h) / 2h, h = 1e-4.',
      }),
  });
}

/**
 * Checks 8.3: the logit of the right class from which on 1 + R is rounded to 1 in float32, R being summed first.
 *
 *   R = 2^-24  <=>  x_t = 24 ln 2 + log(sum of e^(x_j))
 *
 * @param answer  (rivals) => number, right to 1e-9 for |rivals| <= 1000
 */
export function wall(answer: unknown): Promise<void> {
  const logSum = (rivals: readonly number[]) => {
    const largest = Math.max(...rivals);
    return largest + Math.log(rivals.reduce((sum, x) => sum + Math.exp(x - largest), 0));
  };
  const BINARY = 24 * Math.LN2;
  const samples = (rows: readonly number[][]) =>
    rows.map((rivals): Sample<[number[]]> => ({ args: [rivals], truth: BINARY + logSum(rivals) }));
  const mean = (rivals: readonly number[]) => rivals.reduce((a, b) => a + b) / rivals.length;
  return judge({
    '8.3 the wall of many classes': () =>
      compare<[number[]]>(answer, {
        name: 'wall',
        ordinary: samples([[0], [0, 0, 0], [1, -2, 0.5], [3, 3], [-4, 2, 2, 2, 1]]),
        extreme: samples([
          [1000, 999],
          [-900, -905, -910],
          [800, -800],
        ]),
        misconceptions: [
          { says: 'this is the binary wall: the rivals change nothing', value: () => BINARY },
          {
            says: 'only the largest rival counts; the others have a part in R, too',
            value: (rivals) => BINARY + Math.max(...rivals),
          },
          {
            says: 'this counts the rivals, as if all were at 0',
            value: (rivals) => BINARY + Math.log(rivals.length),
          },
          {
            says: 'this counts the right class among its rivals',
            value: (rivals) => BINARY + Math.log(rivals.length + 1),
          },
          { says: 'the sign of the second part is wrong', value: (rivals) => BINARY - logSum(rivals) },
          {
            says: 'this takes the mean of the rivals; R is a sum of exponentials',
            value: (rivals) => BINARY + mean(rivals) + Math.log(rivals.length),
          },
          {
            says: 'this is the wall of label 0, one bit later',
            value: (rivals) => 25 * Math.LN2 + logSum(rivals),
          },
        ],
        tolerance: 1e-9,
        advice: 'For which x_t is R = 2^-24? With one rival at 0 it has to be 24 ln 2.',
      }),
  });
}
