import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { PAPER_SWEEP, type SweepSettings } from 'focal-loss-lab';
import { plan } from 'focal-loss-lab/dist/sweep/plan';
import { checkSettings } from 'focal-loss-lab/dist/sweep/settings';

const both: SweepSettings = { ...PAPER_SWEEP, losses: ['original', 'stabilized', 'exact'], seeds: [1, 2] };

/** Every combination as text, in a loop of its own. */
function combinations({ losses, noises, gammas, thresholds, seeds }: SweepSettings): string[] {
  const all: string[] = [];
  for (const loss of losses)
    for (const noise of noises)
      for (const gamma of gammas)
        for (const threshold of thresholds)
          for (const seed of seeds) all.push([loss, noise, gamma, threshold, seed].join());
  return all.sort();
}

describe('a sweep divided into shards', () => {
  for (const size of [1, 7, 9, 27, 1000])
    test(`has every combination of the settings in exactly one, at most ${size} models in each`, () => {
      const shards = plan(both, size);
      const found = shards.flatMap(({ noise, seed, models }) =>
        models.map(({ loss, gamma, threshold }) => [loss, noise, gamma, threshold, seed].join()),
      );
      assert.deepEqual(found.sort(), combinations(both));
      assert.ok(shards.every(({ models }) => models.length >= 1 && models.length <= size));
      assert.deepEqual(
        shards.map(({ index }) => index),
        shards.map((_, i) => i),
      );
    });

  test('of the paper is 810 runs in 90 shards of 9', () => {
    const shards = plan(PAPER_SWEEP, 9);
    assert.deepEqual([shards.length, new Set(shards.map(({ models }) => models.length))], [90, new Set([9])]);
  });

  test('has shards of about the same size', () => {
    const twelve = { ...PAPER_SWEEP, losses: ['original'], noises: [0], gammas: [0.1, 0.5] } as SweepSettings;
    const sizes = plan({ ...twelve, thresholds: [0, 1, 2, 3, 4, 5] }, 9).map(({ models }) => models.length);
    assert.deepEqual(sizes, [6, 6]);
  });

  test('keeps the runs that go NaN apart from the others, and puts them last', () => {
    const mortal = plan(PAPER_SWEEP, 9).map(
      ({ models }) => models.filter((m) => m.loss === 'original' && m.gamma > 0 && m.gamma < 1).length,
    );
    assert.deepEqual(mortal, [...Array<number>(63).fill(0), ...Array<number>(27).fill(9)]);
  });
});

describe('settings are refused', () => {
  const wrong: [Partial<Record<keyof SweepSettings, unknown>>, RegExp][] = [
    [{ losses: ['focal'] }, /losses: focal; expected original, stabilized, exact/],
    [{ losses: [] }, /losses is empty/],
    [{ noises: [0, -0.5] }, /noises: -0.5; expected a number >= 0/],
    [{ gammas: [NaN] }, /gammas: NaN; expected a number >= 0/],
    [{ gammas: [1, 2, 1] }, /gammas: 1 is there twice/],
    [{ thresholds: [9] }, /thresholds: 9; expected an integer in 0\.\.8/],
    [{ seeds: [0.5] }, /seeds: 0.5; expected an integer/],
    [{ orderSeed: -1 }, /orderSeed: -1; expected an integer >= 0, or null/],
    [{ images: 60_001 }, /images: 60001; expected an integer in 1\.\.60000/],
    [{ alpha: 2 }, /alpha: 2; expected a number in \[0, 1\]/],
    [{ epsilon: '1' }, /epsilon: 1; expected a number/],
    [{ epochs: 0 }, /epochs: 0; expected an integer >= 1/],
    [{ batchSize: undefined }, /batchSize: undefined; expected an integer/],
    [{ learningRate: 0 }, /learningRate: 0; expected a number > 0/],
    [{ momentum: 1 }, /momentum: 1; expected a number in \[0, 1\)/],
  ];
  for (const [changes, message] of wrong)
    test(`${JSON.stringify(changes)}, in one line that names it`, () => {
      assert.throws(
        () => checkSettings({ ...PAPER_SWEEP, ...changes } as SweepSettings),
        (error) =>
          error instanceof RangeError && message.test(error.message) && !error.message.includes('\n'),
      );
    });
});
