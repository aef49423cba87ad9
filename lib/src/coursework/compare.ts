// A student's formula next to the true one, on many samples: what can be said about the difference.
import { askNumber, text, type Call } from './ask';
import { Wrong } from './verdict';

/** One place at which a formula is evaluated. */
export interface Sample<Args extends unknown[] = number[]> {
  args: Args;
  /** The true value. */
  truth: number;
}

/** A wrong formula that people write, and what to say to them. */
export interface Misconception<Args extends unknown[] = number[]> {
  value: (...args: Args) => number;
  says: string;
}

export interface Comparison<Args extends unknown[] = number[]> {
  /** The function's name in the exercise. */
  name: string;
  /** Where every way of writing the formula is accurate: here a mistake is one of the formula. */
  ordinary: readonly Sample<Args>[];
  /** Where only a careful way is: here a mistake is one of the arithmetic. */
  extreme: readonly Sample<Args>[];
  misconceptions: readonly Misconception<Args>[];
  /** Allowed relative error. */
  tolerance: number;
  /** Said of a value that is wrong for no reason that we know. */
  advice: string;
}

/** @throws Wrong, saying where the student's formula differs from the true one, and if possible why */
export function compare<Args extends unknown[] = number[]>(
  answer: unknown,
  comparison: Comparison<Args>,
): void {
  const { name, ordinary, extreme, tolerance } = comparison;
  const evaluated = (samples: readonly Sample<Args>[]) =>
    samples.map((sample) => {
      const call = { name, args: sample.args };
      return { ...sample, call, value: askNumber(answer, call) };
    });
  const found = evaluated(ordinary);
  const wrong = found.find(({ value, truth }) => !isClose(value, truth, tolerance));
  if (wrong !== undefined) throw new Wrong(ordinaryMistake(found, wrong, comparison));
  const lost = evaluated(extreme).find(({ value, truth }) => !isClose(value, truth, tolerance));
  if (lost !== undefined) throw new Wrong(extremeMistake(lost));
}

interface Evaluated<Args extends unknown[]> extends Sample<Args> {
  call: Call;
  value: number;
}

function ordinaryMistake<Args extends unknown[]>(
  found: Evaluated<Args>[],
  wrong: Evaluated<Args>,
  comparison: Comparison<Args>,
): string {
  const { misconceptions, tolerance, advice } = comparison;
  const isOf = ({ value }: Misconception<Args>) =>
    found.every((sample) => isClose(sample.value, value(...sample.args), tolerance));
  const known = misconceptions.find(isOf);
  if (known !== undefined) return known.says;
  if (!Number.isFinite(wrong.value)) return notFinite(wrong);
  if (found.every(({ value, truth }) => isClose(value, truth, 1e-3)))
    return `${text(wrong.call)} is right to a few digits only: is it a finite difference, or rounded?`;
  if (found.every(({ value, truth }) => isClose(-value, truth, tolerance)))
    return 'the sign is wrong everywhere';
  return `${text(wrong.call)} is wrong. ${advice}`;
}

function extremeMistake(lost: Pick<Evaluated<unknown[]>, 'call' | 'value'>): string {
  if (!Number.isFinite(lost.value)) return notFinite(lost);
  return (
    `the formula is right, its arithmetic is not: ${text(lost.call)} has lost ` +
    'digits, or all of them. What is rounded away there, and can the same be computed without it?'
  );
}

function notFinite({ call, value }: Pick<Evaluated<unknown[]>, 'call' | 'value'>): string {
  return (
    `${text(call)} is ${value}, and the true value is an ordinary number. ` +
    'Look at the factors one by one: which is infinite, and what is it multiplied with, or divided by?'
  );
}

// Values below the normal float64 are as good as 0: an intermediate result may underflow before the last one does.
const NEGLIGIBLE = 1e-290;

function isClose(value: number, truth: number, tolerance: number): boolean {
  return Object.is(value, truth) || Math.abs(value - truth) <= tolerance * Math.abs(truth) + NEGLIGIBLE;
}
