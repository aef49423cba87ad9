import assert from 'node:assert/strict';

export interface Tolerance {
  /** Allowed |actual - expected| / |expected|. Default 0. */
  relative?: number;
  /** Allowed |actual - expected|, one for all or one per element. Default 0. */
  absolute?: number | readonly number[];
}

/**
 * Asserts |actual - expected| <= absolute + relative * |expected| for every element. NaN is close to NaN only, and each
 * infinity to itself only. (TensorFlow.js's own comparison lets NaN pass for Infinity.)
 * @throws AssertionError with the number of elements that differ, and index and values of the first ones
 */
export function expectClose(
  actual: ArrayLike<number>,
  expected: ArrayLike<number>,
  { relative = 0, absolute = 0 }: Tolerance,
): void {
  assert.equal(actual.length, expected.length, `lengths differ: ${actual.length} and ${expected.length}`);
  const allowed = Array.from(expected, (value, i) => {
    const least = typeof absolute === 'number' ? absolute : absolute[i];
    return Number.isFinite(value) ? least + relative * Math.abs(value) : 0;
  });
  const wrong = allowed.flatMap((tolerance, i) => (isClose(actual[i], expected[i], tolerance) ? [] : [i]));
  const examples = wrong
    .slice(0, 5)
    .map((i) => `[${i}] ${actual[i]}, expected ${expected[i]} within ${allowed[i]}`);
  assert.ok(
    wrong.length === 0,
    `${wrong.length} of ${actual.length} elements differ:\n${examples.join('\n')}`,
  );
}

function isClose(actual: number, expected: number, allowed: number): boolean {
  if (!Number.isFinite(actual) || !Number.isFinite(expected)) return Object.is(actual, expected);
  return Math.abs(actual - expected) <= allowed;
}
