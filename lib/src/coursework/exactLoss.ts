// Exercise 7: an exact loss for tensors, with a gradient of its own.
import { focalLoss, focalLossGradient } from '../losses';
import { signedTerms } from '../losses/closedForm';
import { errorInUlps } from '../precision';
import { tf } from '../tf';
import { ask, kindOf, text } from './ask';
import { compare, type Sample } from './compare';
import { differentiate } from './differentiate';
import type { ElementwiseLoss } from './published';
import { judge, NotAttempted, Wrong } from './verdict';

type Binary = 0 | 1;

/** Allowed relative error: some eighty ulp of float32, so that any careful formula passes. */
const TOLERANCE = 1e-5;
const LABELS = [1, 0] as const;
/** Ordinary ones first: a mistake is one of the formula there, and of the arithmetic at the others. */
const LOGITS = [-6, -1, -0.2, 0.2, 1, 6, -12, 12, -17.4, 17.4, -40, 40, -100, 100].map(Math.fround);
/** To 28: at gamma 2 the true gradient is a normal float32 there. */
const NORMAL_LOGITS = LOGITS.filter((x) => Math.abs(x) <= 28);
const GAMMAS = [0.1, 0.5, 0.9, 2];
const SMALLEST_NORMAL = 2 ** -126;

/**
 * Checks 7.1: the two parts of the loss as tensors, without a subtraction from 1.
 *
 *   q = 1 - p_t = sigma(-z)        s = -log p_t = log(1 + e^-z)
 *
 * @param answer  (logits, labels) => { q, s }, both to 1e-5 for |logits| <= 100
 */
export function terms(answer: unknown): Promise<void> {
  return judge({
    '7.1 q = 1 - p_t': () => examineTerm(answer, 'q'),
    '7.1 s = -log p_t': () => examineTerm(answer, 's'),
  });
}

function examineTerm(answer: unknown, term: 'q' | 's'): void {
  for (const label of LABELS)
    tf.tidy(() => {
      const x = tf.tensor1d(LOGITS);
      const call = { name: 'terms', args: [x, tf.fill(x.shape, label)] };
      const found = ask(answer, call, (returned) => {
        if (typeof returned !== 'object' || returned === null || returned instanceof tf.Tensor)
          throw new Wrong(`${text(call)} returns ${kindOf(returned)}; expected { q, s }`);
        return numbersOf((returned as Record<string, unknown>)[term], `${term} of ${text(call)}`, x);
      });
      for (const [i, logit] of LOGITS.entries()) {
        const place = `at logit ${logit.toFixed(1)}, label ${label}`;
        examineValue(term, found[i], signedTerms((2 * label - 1) * logit), place);
      }
    });
}

function examineValue(
  term: 'q' | 's',
  found: number,
  truth: { p: number; q: number; s: number },
  place: string,
): void {
  if (isClose(found, truth[term])) return;
  if (!Number.isFinite(found))
    throw new Wrong(`${place}, ${term} is ${found}: what overflows, or which logarithm is of 0?`);
  if (term === 'q' && isClose(found, truth.p))
    throw new Wrong(`${place}, q is p_t; it should be what p_t lacks to 1`);
  if (isClose(found, truth[term], 0.5) || found === 0)
    throw new Wrong(
      `${place}, ${term} has lost ${found === 0 ? 'all its digits' : 'digits'}: which number next to 1 is rounded on the way? Start from an exponential that cannot overflow`,
    );
  throw new Wrong(`${place}, ${term} is wrong. At logit 0 both labels have q = 0.5 and s = 0.693`);
}

/**
 * Checks 7.2: the exact focal loss without alpha, and its gradient.
 *
 *   FL = q^gamma s        dFL/dx = -(2y - 1) q^gamma (q + gamma p_t s)
 *
 * @param answer  (logits, labels, gamma) => losses, whose gradient may be multiplied by what comes from above; loss and
 *   gradient to 1e-5 for |logits| <= 28, finite for |logits| <= 100
 */
export function loss(answer: unknown): Promise<void> {
  return judge({
    '7.2 the loss': () => examineAll(answer, ({ losses }, truth) => examineLosses(losses, truth)),
    '7.2 its gradient': () =>
      examineAll(answer, ({ gradient, weights }, truth) => examineGradient(gradient, weights, truth)),
  });
}

interface Found {
  losses: number[];
  /** Of the sum of the weighted losses. */
  gradient: number[];
  weights: number[];
}

interface Truth {
  label: Binary;
  gamma: number;
}

function examineAll(answer: unknown, examine: (found: Found, truth: Truth) => void): void {
  for (const gamma of GAMMAS)
    for (const label of LABELS) examine(evaluate(answer, label, gamma), { label, gamma });
}

function evaluate(answer: unknown, label: Binary, gamma: number): Found {
  return tf.tidy(() => {
    const x = tf.tensor1d(LOGITS);
    const y = tf.fill(x.shape, label);
    const call = { name: 'loss', args: [x, y, gamma] };
    const losses = ask(answer, call, (returned) => numbersOf(returned, text(call), x));
    const weights = LOGITS.map((_, i) => 1 + (i % 3));
    const weighted = (logits: tf.Tensor) =>
      tf.mul((answer as ElementwiseLoss)(logits, y, gamma), tf.tensor1d(weights));
    return { losses, weights, gradient: differentiate(weighted, x, text(call)) };
  });
}

function examineLosses(losses: number[], { label, gamma }: Truth): void {
  for (const [i, logit] of LOGITS.entries()) {
    const place = `at logit ${logit.toFixed(1)}, label ${label} and gamma ${gamma}`;
    if (!Number.isFinite(losses[i])) throw new Wrong(`${place} the loss is ${losses[i]}`);
    const truth = focalLoss(logit, label, { alpha: -1, gamma });
    if (NORMAL_LOGITS.includes(logit) && !isClose(losses[i], truth))
      throw new Wrong(`${place} the loss is ${shortly(losses[i])}: is it q^gamma s, with your q and s?`);
  }
}

function examineGradient(gradient: number[], weights: number[], { label, gamma }: Truth): void {
  const truths = LOGITS.map((logit) => focalLossGradient(logit, label, { alpha: -1, gamma }));
  const all = (isRight: (slope: number, i: number) => boolean) =>
    gradient.every((slope, i) => !NORMAL_LOGITS.includes(LOGITS[i]) || isRight(slope, i));
  const gammaAndLabel = `gamma ${gamma} and label ${label}`;
  const bad = gradient.findIndex((slope) => !Number.isFinite(slope));
  if (bad >= 0)
    throw new Wrong(
      `at logit ${LOGITS[bad].toFixed(1)}, ${gammaAndLabel} the gradient is ${gradient[bad]}: does autodiff still differentiate the power, or is something divided by 0?`,
    );
  if (all((slope, i) => isClose(slope, truths[i] * weights[i]))) return;
  if (all((slope, i) => isClose(slope, truths[i])))
    throw new Wrong(
      'a loss that is multiplied by 2 has to have twice the gradient: what is dy in customGrad for?',
    );
  if (all((slope, i) => isClose(-slope, truths[i] * weights[i])))
    throw new Wrong(`for ${gammaAndLabel} the sign is wrong: is it the derivative by z, or by the logit?`);
  const wrong = gradient.findIndex(
    (slope, i) => NORMAL_LOGITS.includes(LOGITS[i]) && !isClose(slope, truths[i] * weights[i]),
  );
  throw new Wrong(
    `at logit ${LOGITS[wrong].toFixed(1)}, ${gammaAndLabel} the gradient is ${shortly(gradient[wrong] / weights[wrong])}, which is wrong. Compare it with (loss(x + h) - loss(x - h)) / 2h, h = 0.01`,
  );
}

/** Of a tensor with one number per logit. */
function numbersOf(value: unknown, name: string, x: tf.Tensor): number[] {
  if (value === undefined) throw new NotAttempted();
  if (!(value instanceof tf.Tensor)) throw new Wrong(`${name} is ${kindOf(value)}; expected a tensor`);
  if (!tf.util.arraysEqual(value.shape, x.shape))
    throw new Wrong(
      `${name} has shape [${value.shape}] for logits of shape [${x.shape}]: expected one number per logit`,
    );
  return Array.from(value.dataSync<'float32'>());
}

/** Below the normal numbers float32 has no digits to keep: TensorFlow may flush them to 0. */
const isClose = (found: number, truth: number, tolerance = TOLERANCE) =>
  Math.abs(found - truth) <= tolerance * Math.abs(truth) + SMALLEST_NORMAL;

const shortly = (x: number) => Number(x.toPrecision(6));

/**
 * Checks 7.3: an error in units in the last place.
 *
 *   |computed - expected| / ulp(expected)        ulp = 2^(e - 23) for 2^e <= |expected| < 2^(e + 1)
 *
 * @param answer  (computed, expected) => number, for expected in the normal range of float32
 */
export function ulps(answer: unknown): Promise<void> {
  const truth = (computed: number, expected: number) => errorInUlps(computed, expected, 'float32');
  const samples = (expected: readonly number[]) =>
    expected.flatMap((value) =>
      [1 + 2 ** -20, 1 - 2 ** -21, 1].map((factor): Sample<[number, number]> => {
        return { args: [value * factor, value], truth: truth(value * factor, value) };
      }),
    );
  const relative = (computed: number, expected: number) => Math.abs(computed - expected) / Math.abs(expected);
  return judge({
    '7.3 the error in ulp': () =>
      compare(answer, {
        name: 'ulps',
        ordinary: samples([1.5, 3.1, 0.013, -700.5, 1e-6]),
        extreme: samples([1, 2, 0.5, -(2 ** -100), 2 ** 100 * 1.9, 1.999999]),
        misconceptions: [
          { says: 'this is the relative error; the unit is the distance of two neighbors', value: relative },
          {
            says: 'this is the relative error in units of 2^-23; the distance of two neighbors stays the same from a power of 2 to the next',
            value: (computed, expected) => relative(computed, expected) * 2 ** 23,
          },
          {
            says: 'this is in units of the ulp of 1; what is it at the expected value?',
            value: (computed, expected) => Math.abs(computed - expected) * 2 ** 23,
          },
          {
            says: 'the exponent is one too large: 2^e is at most |expected|',
            value: (computed, expected) => truth(computed, expected) / 2,
          },
        ],
        tolerance: 1e-9,
        advice: 'The unit is 2^(e - 23), where 2^e is the largest power of 2 that is not above |expected|.',
      }),
  });
}
