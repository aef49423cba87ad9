import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { median, medianInterval } from 'focal-loss-lab/dist/evaluation/median';

const upTo = (n: number) => Array.from({ length: n }, (_, i) => n - i);

describe('median', () => {
  test('is the value in the middle, or the mean of two', () => {
    assert.equal(median([5, 1, 3]), 3);
    assert.equal(median([4, 1, 3, 2]), 2.5);
    assert.ok(Number.isNaN(median([])));
  });
});

describe('medianInterval', () => {
  test('has the ranks of the tables of the sign test', () => {
    const ranks = { 6: 1, 8: 1, 9: 2, 10: 2, 12: 3, 15: 4, 20: 6, 25: 8, 30: 10, 40: 14, 50: 18, 100: 40, 2000: 956 }; // prettier-ignore
    for (const [n, rank] of Object.entries(ranks))
      assert.deepEqual(medianInterval(upTo(Number(n))), { low: rank, high: Number(n) + 1 - rank }, n);
  });

  test('does not exist for fewer than six values', () => {
    for (const n of [0, 1, 5]) assert.equal(medianInterval(upTo(n)), null);
  });

  test('holds the median of a distribution in 95 samples of 100 or more', () => {
    let seed = 1;
    const next = () => (seed = (seed * 48271) % 2147483647) / 2147483647;
    let held = 0;
    for (let sample = 0; sample < 2000; sample++) {
      const { low, high } = medianInterval(Array.from({ length: 77 }, () => -Math.log(next())))!;
      if (low <= Math.LN2 && Math.LN2 <= high) held++;
    }
    assert.ok(held >= 1890, `${held} of 2000`);
  });
});
