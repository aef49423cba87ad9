import { isDeepStrictEqual } from 'node:util';

/** A sweep cannot begin or go on, for a reason outside the program; the message says which, and what to do. */
export class SweepError extends Error {
  override readonly name = 'SweepError';
}

/** The first difference between two sets of named values, in words; undefined if there is none. */
export function firstDifference(
  there: Readonly<Record<string, unknown>>,
  here: Readonly<Record<string, unknown>>,
): string | undefined {
  const name = [...Object.keys(here), ...Object.keys(there)].find(
    (key) => !isDeepStrictEqual(there[key], here[key]),
  );
  const text = (value: unknown) => (value === undefined ? 'missing' : JSON.stringify(value));
  return name && `${name} is ${text(there[name])} there, ${text(here[name])} here`;
}
