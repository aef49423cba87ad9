// How a check calls what a student has written: whatever that does, a sentence comes of it, and no tensor is left.
import { tf } from '../tf';
import { messageOf, NotAttempted, Wrong } from './verdict';

/** A call as it is told to the student: what was called, and with what. */
export interface Call {
  name: string;
  args: readonly unknown[];
}

/**
 * The student's function, called once; the tensors that it makes are disposed.
 *
 * @param read  looks at the result while its tensors are alive
 * @throws NotAttempted if there is no function yet, or where it says todo(); Wrong if it is none, throws, or is async
 */
export function ask<T>(answer: unknown, call: Call, read: (result: unknown) => T): T {
  if (answer === undefined) throw new NotAttempted();
  if (typeof answer !== 'function') throw new Wrong(`${call.name} is ${kindOf(answer)}; expected a function`);
  let value: T | undefined;
  tf.tidy(() => {
    value = read(result(answer as (...args: readonly unknown[]) => unknown, call));
  });
  return value as T;
}

function result(answer: (...args: readonly unknown[]) => unknown, call: Call): unknown {
  let returned: unknown;
  try {
    returned = answer(...call.args);
  } catch (error) {
    if (error instanceof NotAttempted || error instanceof Wrong) throw error;
    throw new Wrong(`${text(call)} throws ${messageOf(error)}`);
  }
  if (isPromise(returned)) {
    returned.then(undefined, () => undefined); // if it fails too, nobody else hears of it
    throw new Wrong(`${text(call)} returns a promise; write it without async`);
  }
  if (returned === undefined) throw new Wrong(`${text(call)} returns undefined: is a return missing?`);
  return returned;
}

/** A call that has to give a number, which may be NaN or infinite. */
export function askNumber(answer: unknown, call: Call): number {
  return ask(answer, call, (returned) => {
    if (typeof returned !== 'number')
      throw new Wrong(`${text(call)} returns ${kindOf(returned)}; expected a number`);
    return returned;
  });
}

/** A call as it would be written: gradient(40, 1). Functions, tensors and data frames have no text of their own. */
export function text({ name, args }: Call): string {
  return `${name}(${args.map(argument).join(', ')})`;
}

function argument(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(argument).join(', ')}]`;
  if (typeof value === 'function') return value.name;
  if (value instanceof tf.Tensor) return 'tensor';
  return typeof value === 'object' && value !== null ? 'frame' : String(value);
}

/** What a value is, in words: 'a string', 'a tensor', 'NaN'. */
export function kindOf(value: unknown): string {
  if (value === undefined || value === null || Number.isNaN(value)) return String(value);
  if (value instanceof tf.Tensor) return 'a tensor';
  if (Array.isArray(value)) return 'an array';
  if (isPromise(value)) return 'a promise';
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`;
}

function isPromise(value: unknown): value is Promise<unknown> {
  return (
    typeof value === 'object' && value !== null && typeof (value as Promise<unknown>).then === 'function'
  );
}
