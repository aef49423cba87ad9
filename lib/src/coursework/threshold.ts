// Exercise 2: the first logit with a NaN gradient, by bisection.
import { tf } from '../tf';
import { ask, askNumber, kindOf, text } from './ask';
import { gradientsOf, publishedLosses } from './published';
import { judge, NotAttempted, Wrong } from './verdict';

const GAMMA = 0.5;
/** Of 2.3: with it the walls are in no notebook. */
const TEMPERATURE = 1.7;
const MOST_CALLS = 1000;

/**
 * Checks 2.1: a search for the smallest float32 at which something is bad.
 *
 * @param answer  (isBad, low, high) => number: isBad is false at low, true at high, and changes once in between
 */
export function bisection(answer: unknown): Promise<void> {
  return judge({
    '2.1 the bisection': () => {
      for (const [first, low, high] of [
        [16.6355, 0, 100],
        [36.7368, 1, 64],
        [3.0000002, 2, 3.5],
        [99.9999, 0, 100],
        [0.001, 0, 50],
      ])
        findsFirst(answer, Math.fround(first), low, high);
    },
  });
}

function findsFirst(answer: unknown, first: number, low: number, high: number): void {
  let calls = 0;
  const isBad = (x: number) => {
    if (++calls > MOST_CALLS)
      throw new Wrong(
        `isBad was called more than ${MOST_CALLS} times between ${low} and ${high}: halving that interval takes some ` +
          'thirty. Does the loop end when no float32 is left between low and high?',
      );
    return Math.fround(x) >= first;
  };
  const call = { name: 'firstBad', args: [isBad, low, high] };
  const found = askNumber(answer, call);
  if (!(found >= low && found <= high))
    throw new Wrong(`${text(call)} is ${found}, which is not between ${low} and ${high}`);
  if (Math.fround(found) !== found)
    throw new Wrong(`${text(call)} is not a float32: round every midpoint with Math.fround`);
  if (found < first)
    throw new Wrong(`isBad is false at what ${text(call)} returns: is it the last good number?`);
  if (found > first)
    throw new Wrong(`what ${text(call)} returns is bad, but not the first: smaller float32 are bad as well`);
}

/**
 * Checks 2.2: whether the gradient of the textbook loss, gamma 0.5, is NaN.
 *
 * @param answer  (logit, label) => boolean; leaves no tensor behind
 */
export function gradientIsNaN(answer: unknown): Promise<void> {
  return judge({
    '2.2 the test for NaN': () => {
      for (const logit of [3, 16, 20, 40, -3, -16, -20, -40])
        for (const label of [1, 0] as const) {
          const call = { name: 'gradientIsNaN', args: [logit, label] };
          const before = tf.memory().numTensors;
          const [returned, left] = ask(answer, call, (result) => [result, tf.memory().numTensors - before]);
          if (typeof returned !== 'boolean')
            throw new Wrong(`${text(call)} returns ${kindOf(returned)}; expected true or false`);
          const truth = Number.isNaN(textbookGradient(logit, label));
          if (returned !== truth)
            throw new Wrong(
              `${text(call)} is ${returned}, and that is not so. Is it the gradient that you look at, as a plain number, and for this label?`,
            );
          if (left !== 0)
            throw new Wrong(`each call leaves ${String(left)} tensors behind: compute inside tf.tidy`);
        }
    },
  });
}

const textbookGradient = (logit: number, label: 0 | 1) =>
  gradientsOf(publishedLosses.textbook, [logit], label, GAMMA)[0];

/**
 * Checks 2.3: the two measured walls, as logits x, on this machine, of the textbook loss of x / 1.7.
 *
 * @param answer  { label1, label0 }: the logits nearest to 0 at which the gradient is NaN, to four decimals
 */
export function walls(answer: unknown): Promise<void> {
  const given = (answer ?? {}) as Record<string, unknown>;
  return judge({
    '2.3 the wall of label 1': () => isWall(given.label1, 'label1', 1),
    '2.3 the wall of label 0': () => isWall(given.label0, 'label0', 0),
  });
}

function isWall(found: unknown, name: string, label: 0 | 1): void {
  if (found === undefined) throw new NotAttempted();
  if (typeof found !== 'number' || Number.isNaN(found))
    throw new Wrong(`${name} is ${kindOf(found)}; expected a number`);
  const easy = 2 * label - 1; // the sign of a logit that is right about this label
  if (Math.sign(found) !== easy)
    throw new Wrong(
      `${name} has the sign of a logit that is wrong about label ${label}: such an example is hard`,
    );
  const isBad = (z: number) => Number.isNaN(textbookGradient((easy * z) / TEMPERATURE, label));
  const wall = easy * smallestBad(isBad, 1, 64);
  const isClose = (other: number) => Math.abs(found - other) <= 1e-3 * Math.abs(other);
  if (Math.abs(found - wall) <= 1e-4) return;
  if (isClose(wall / TEMPERATURE))
    throw new Wrong(`${name} is the wall without the temperature: the loss sees x / ${TEMPERATURE}`);
  if (isClose(wall / TEMPERATURE ** 2))
    throw new Wrong(`${name} is divided by the temperature; which x gives such an x / ${TEMPERATURE}?`);
  if (Math.abs(found / TEMPERATURE) > 30 && Math.abs(found / TEMPERATURE) < 40)
    throw new Wrong(`${name} is a wall of float64: this loss is computed in float32`);
  const other = label === 1 ? 'label 0' : 'label 1';
  if (Math.abs(found - wall) < 1.5 && Math.abs(found - wall) > 0.5)
    throw new Wrong(`${name} is not the wall of label ${label}: is it that of ${other}?`);
  throw new Wrong(
    Math.abs(found) < Math.abs(wall)
      ? `at ${found} the gradient of label ${label} is still finite`
      : `the gradient of label ${label} is NaN before ${found}`,
  );
}

function smallestBad(isBad: (x: number) => boolean, low: number, high: number): number {
  for (;;) {
    const middle = Math.fround((low + high) / 2);
    if (middle === low || middle === high) return high;
    if (isBad(middle)) high = middle;
    else low = middle;
  }
}

/**
 * Checks 2.4: where the wall is in a format of so many significant bits.
 *
 *   bits ln 2 for label 1        -(bits + 1) ln 2 for label 0
 *
 * @param answer  (bits, label) => logit
 */
export function rule(answer: unknown): Promise<void> {
  const right = (bits: number, label: number) => (label === 1 ? bits : -(bits + 1)) * Math.LN2;
  const mistakes: [(bits: number, label: number) => number, string][] = [
    [
      (bits, label) => Math.abs(right(bits, label)),
      'the sizes are right; but a logit that is right about label 0 is not positive',
    ],
    [
      (bits, label) => (label === 1 ? bits : -bits) * Math.LN2,
      'label 1 is right; label 0 has finer numbers to round to: the spacing just below 1 is half that above it',
    ],
    [
      (bits, label) => (label === 1 ? bits : -(bits + 1)),
      'these are powers of 2; the logit is the exponent of another base',
    ],
    [
      (bits, label) => (label === 1 ? bits - 1 : -bits) * Math.LN2,
      'each is one bit too low: what is the distance from 1 to the next number below it?',
    ],
  ];
  const places = [8, 11, 24, 53].flatMap((bits) => [
    [bits, 1],
    [bits, 0],
  ]);
  return judge({
    '2.4 the rule for other precisions': () => {
      const found = places.map(([bits, label]) => askNumber(answer, { name: 'wall', args: [bits, label] }));
      const isOf = (formula: (bits: number, label: number) => number) =>
        places.every(([bits, label], i) => Math.abs(found[i] - formula(bits, label)) < 1e-3);
      if (isOf(right)) return;
      const known = mistakes.find(([formula]) => isOf(formula));
      if (known !== undefined) throw new Wrong(known[1]);
      const at = places.findIndex(([bits, label], i) => !(Math.abs(found[i] - right(bits, label)) < 1e-3));
      const [bits, label] = places[at];
      throw new Wrong(
        `wall(${bits}, ${label}) is wrong. Compare the rule with what you have measured (24 bits), and with ` +
          'naiveFocalLossGradient (53 bits).',
      );
    },
  });
}
