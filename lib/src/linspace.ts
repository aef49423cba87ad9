/** `count` evenly spaced numbers from `start` to `stop`, both included: the sample points of a curve. */
export function linspace(start: number, stop: number, count: number): number[] {
  if (!Number.isInteger(count) || count < 2)
    throw new RangeError(`linspace: count must be an integer of at least 2, got ${count}`);
  return Array.from({ length: count }, (_, i) => start + ((stop - start) * i) / (count - 1));
}
