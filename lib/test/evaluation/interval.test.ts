import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { meanInterval } from 'focal-loss-lab';
import { studentQuantile } from 'focal-loss-lab/dist/evaluation/interval';

describe('meanInterval', () => {
  test("uses the quantiles of Student's distribution that are in every table", () => {
    const table = { 1: 12.706, 2: 4.303, 3: 3.182, 4: 2.776, 9: 2.262, 29: 2.045, 100: 1.984 };
    for (const [freedom, quantile] of Object.entries(table))
      assert.ok(
        Math.abs(studentQuantile(Number(freedom)) - quantile) < 6e-4,
        `${freedom}: ${studentQuantile(Number(freedom))}`,
      );
  });

  test('of 1, 2, 3, 4, 5 is 3 -+ 2.776 sqrt(2.5 / 5)', () => {
    const { mean, low, high } = meanInterval([1, 2, 3, 4, 5]);
    assert.equal(mean, 3);
    assert.ok(Math.abs(high - 3 - 2.7764451 * Math.sqrt(0.5)) < 1e-6);
    assert.ok(Math.abs(low + high - 6) < 1e-12);
  });

  test('of equal numbers has no width, and of one number there is none', () => {
    assert.deepEqual(meanInterval([0.25, 0.25, 0.25]), { mean: 0.25, low: 0.25, high: 0.25 });
    assert.throws(() => meanInterval([1]), /^RangeError: meanInterval: \[1\]; expected at least two/);
    assert.throws(() => meanInterval([1, NaN]), /at least two finite numbers/);
  });
});
