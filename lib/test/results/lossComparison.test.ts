import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, describe, test } from 'node:test';
import { results } from 'focal-loss-lab';
import { writeLossComparison } from 'focal-loss-lab/dist/results/lossComparison';

const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'loss-comparison-test-'));
after(() => fs.rmSync(folder, { recursive: true }));

const run = (
  seed: number,
  loss: results.ComparedRun['loss'],
  accuracy: number | null,
  more = {},
): results.ComparedRun => ({
  ...{ seed, loss, gamma: 0.5, epsilon: loss === 'stabilized' ? 1e-3 : null, epochs: 2, accuracy },
  ...{ firstNanEpoch: null, firstNanStep: null, trainingLoss: 0.1, trainingAccuracy: 0.9, maxAbsLogit: 12 },
  ...{ crossEntropy: 0.2, brier: 0.05, calibrationError: 0.01 },
  ...more,
});

describe('pairedDifferences', () => {
  test('what the seeds share does not widen the interval', () => {
    const runs = [0.5, 0.7, 0.9].flatMap((accuracy, seed) => [
      run(seed, 'exact', accuracy),
      run(seed, 'stabilized', accuracy + 0.01),
    ]);
    const [{ gamma, epsilon, pairs, exact, mean, low, high, includesZero }] = results.pairedDifferences(
      runs,
      ['accuracy'],
    );
    assert.deepEqual([gamma, epsilon, pairs, includesZero], [0.5, 1e-3, 3, false]);
    for (const value of [mean, low, high]) assert.ok(Math.abs(value - 0.01) < 1e-12);
    assert.ok(Math.abs(exact - 0.7) < 1e-12);
  });

  test('a pair with a run that met a NaN, or without its partner, does not count', () => {
    const runs = [
      ...[1, 2, 3].map((seed) => run(seed, 'exact', 0.9)),
      ...[1, 2, 4].map((seed) => run(seed, 'stabilized', 0.9)),
      run(5, 'exact', null, { firstNanStep: 7, firstNanEpoch: 0 }),
      run(5, 'stabilized', 0.9),
    ];
    const [{ pairs, includesZero }] = results.pairedDifferences(runs, ['accuracy']);
    assert.deepEqual([pairs, includesZero], [2, true]);
    assert.deepEqual(results.pairedDifferences(runs.slice(0, 4), ['accuracy']), []);
  });
});

describe('the file of a comparison', () => {
  const file = path.join(folder, 'comparison.csv');
  const comparison = {
    settings: { epochs: 2 },
    versions: { node: '20' },
    runs: [run(1, 'exact', 0.9), run(1, 'original', null, { firstNanStep: 3, firstNanEpoch: 0 })],
    margins: [{ seed: 1, loss: 'exact' as const, gamma: 0.5, epsilon: null, margin: -2, count: 7 }],
  };

  test('is read as it was written', () => {
    writeLossComparison(file, comparison);
    assert.deepEqual(results.readLossComparison(file), comparison);
  });

  test('another table, such as that of the margins, is refused by name', () => {
    const margins = path.join(folder, 'comparison.margins.csv');
    assert.throws(
      () => results.readLossComparison(margins),
      /^Error: readLossComparison: .*margins\.csv has epochs undefined in row 0/,
    );
  });
});
