import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { results } from 'focal-loss-lab';

/** One cell per entry at gamma 0.1, 0.2, ...: an epoch, or null for 100 epochs without NaN. */
const grid = (deaths: (number | null)[]): results.CellDeath[] =>
  deaths.map((epoch, i) => ({
    gamma: (i + 1) / 10,
    threshold: 0,
    firstNanEpoch: epoch,
    epochs: epoch ?? 100,
  }));

const compare = (first: results.CellDeath[], second: results.CellDeath[]) =>
  results.compareDeaths(first, second, 100);

describe('compareDeaths, two grids setting by setting', () => {
  test('a run dies in both, in one or in neither', () => {
    const { both, onlyFirst, onlySecond, neither, undecided } = compare(
      grid([3, 3, null, null, 5]),
      grid([9, null, 3, null, 5]),
    );
    assert.deepEqual({ both, onlyFirst, onlySecond, neither, undecided }, { both: 2, onlyFirst: 1, onlySecond: 1, neither: 1, undecided: 0 }); // prettier-ignore
  });

  test('a run without NaN that has not been trained to the end is undecided', () => {
    const alive = (epochs: number): results.CellDeath[] => [
      { gamma: 0.1, threshold: 0, firstNanEpoch: null, epochs },
    ];
    assert.equal(compare(grid([50]), alive(99)).undecided, 1, 'it may die in the last epoch, too');
    assert.equal(compare(grid([50]), alive(100)).onlyFirst, 1);
    assert.equal(compare(grid([null]), alive(99)).undecided, 1);
    assert.equal(compare(grid([null]), alive(100)).neither, 1);
    assert.equal(compare(alive(10), grid([50])).undecided, 1);
  });

  test('a run that does not say its epochs was trained to the end, or to its NaN', () => {
    const silent = (deaths: (number | null)[]) =>
      grid(deaths).map(({ gamma, threshold, firstNanEpoch }) => ({ gamma, threshold, firstNanEpoch }));
    const deaths = [3, null, 99, 7];
    const told = compare(grid(deaths), grid([4, 50, null, 6]));
    assert.deepEqual(results.compareDeaths(silent(deaths), grid([4, 50, null, 6]), 100), told);
  });

  test('the rank correlation is that of scipy.stats.spearmanr, ties included', () => {
    const { rankCorrelation } = compare(grid([3, 4, 8, 21, 16, 11, 7, 7, 6]), grid([4, 4, 9, 15, 19, 9, 8, 6, 6])); // prettier-ignore
    assert.ok(Math.abs(rankCorrelation! - 0.961898948442243) < 1e-12, `${rankCorrelation}`);
    assert.ok(Math.abs(compare(grid([1, 2, 3]), grid([10, 20, 90])).rankCorrelation! - 1) < 1e-12);
    assert.ok(Math.abs(compare(grid([1, 2, 3]), grid([9, 2, 0])).rankCorrelation! + 1) < 1e-12);
    assert.equal(compare(grid([1, 2]), grid([1, 2])).rankCorrelation, null);
  });

  test('the concordance counts pairs of settings, and a survivor outlives whatever died in its epochs', () => {
    assert.equal(compare(grid([1, 2, 3]), grid([9, 20, 30])).concordance, 1);
    assert.equal(compare(grid([1, 2, 3]), grid([3, 2, 1])).concordance, 0);
    assert.equal(compare(grid([1, 2, 3]), grid([1, 3, 2])).concordance, 2 / 3);
    assert.equal(compare(grid([7, null]), grid([5, null])).concordance, 1);
    assert.equal(compare(grid([7, null]), grid([null, 5])).concordance, 0);
    assert.equal(compare(grid([3, 3]), grid([1, 2])).concordance, null, 'no order');
    const begun = { gamma: 0.2, threshold: 0, firstNanEpoch: null, epochs: 5 };
    assert.equal(compare([...grid([7]), begun], grid([1, 2])).concordance, null, 'it has not come so far');
    assert.equal(compare([...grid([4]), begun], grid([1, 2])).concordance, 1);
  });

  test('the ratio is of epochs counted from 1, and its median does not see one outlier', () => {
    const { medianRatio, medianFactor } = compare(grid([0, 1, 9]), grid([1, 3, 999]));
    assert.deepEqual({ medianRatio, medianFactor }, { medianRatio: 2, medianFactor: 2 });
    const mixed = compare(grid([0, 3]), grid([3, 0]));
    assert.deepEqual([mixed.medianRatio, mixed.medianFactor], [(4 + 1 / 4) / 2, 4]);
    assert.equal(compare(grid([null]), grid([3])).medianRatio, null);
    const seven = compare(grid([0, 0, 0, 0, 0, 0, 0]), grid([6, 5, 4, 3, 2, 1, 0]));
    assert.deepEqual([seven.factorLow, seven.medianFactor, seven.factorHigh], [1, 4, 7]);
    assert.deepEqual([mixed.factorLow, mixed.factorHigh], [null, null]);
  });

  test('only common settings are compared; none, or one that is there twice, is an error', () => {
    assert.equal(compare(grid([1, 2, 3]), grid([1])).pairs.length, 1);
    const elsewhere = grid([1]).map((cell) => ({ ...cell, threshold: 5 }));
    assert.throws(() => compare(grid([1]), elsewhere), /compareDeaths: the two grids have no setting in common/); // prettier-ignore
    assert.throws(() => compare([...grid([1]), ...grid([2])], grid([1])), /gamma 0.1, threshold 0 is there twice/); // prettier-ignore
  });
});
