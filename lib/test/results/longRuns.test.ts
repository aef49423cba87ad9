import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, describe, test } from 'node:test';
import { results } from 'focal-loss-lab';
import { longRunEpochs } from 'focal-loss-lab/dist/results/longRuns';

const folder = mkdtempSync(path.join(tmpdir(), 'long-runs-'));
after(() => rmSync(folder, { recursive: true }));

const record = (epoch: number, step: number) => {
  return { epoch, step, loss: 1 / step, accuracy: 0.9, maxAbsLogit: step, seconds: 1 };
};
const whole = { records: [record(0, 10), record(1, 20)], diverged: null };
const none = { fatalImage: null, imagesBeyond: null };
const ended = {
  records: [...whole.records, record(2, 23)],
  diverged: { epoch: 2, step: 24, what: 'gradient of all 10 weights', maxAbsLogit: 17.4 },
};

describe('long runs', () => {
  test('have a row per epoch', () => {
    assert.deepEqual(longRunEpochs(whole, { loss: 'exact', noise: 0, seed: 3 }), [
      {
        loss: 'exact',
        noise: 0,
        seed: 3,
        epoch: 0,
        step: 10,
        meanLoss: 0.1,
        accuracy: 0.9,
        maxAbsLogit: 10,
        ...none,
      },
      {
        loss: 'exact',
        noise: 0,
        seed: 3,
        epoch: 1,
        step: 20,
        meanLoss: 0.05,
        accuracy: 0.9,
        maxAbsLogit: 20,
        ...none,
      },
    ]);
  });
  test('say of the epoch of a NaN its step, its logit and its image, and no mean of the steps before it', () => {
    const fatal = [
      { sample: 7, label: 0 as const, logit: -18.1 },
      { sample: 5, label: 0 as const, logit: -17.4 },
    ];
    const rows = longRunEpochs(ended, { loss: 'original', noise: 0.5, seed: 1, fatal, batch: [3, 5] });
    assert.equal(rows.length, 3);
    const last = {
      epoch: 2,
      step: 24,
      meanLoss: null,
      accuracy: null,
      maxAbsLogit: 17.4,
      fatalImage: 5,
      imagesBeyond: 2,
    };
    assert.deepEqual(rows[2], { loss: 'original', noise: 0.5, seed: 1, ...last });
  });
  test('end with a NaN, whose batch has the largest logit that counts, or go on', () => {
    const rows = [
      ...longRunEpochs(ended, { loss: 'original', noise: 0.5, seed: 1 }),
      ...longRunEpochs(whole, { loss: 'exact', noise: 0, seed: 3 }),
    ];
    assert.deepEqual(results.longRunEnds(rows), [
      {
        ...{ loss: 'original', noise: 0.5, seed: 1, epochs: 2, firstNanEpoch: 2, firstNanStep: 24 },
        ...{ accuracy: 0.9, maxAbsLogit: 17.4, ...none },
      },
      {
        ...{ loss: 'exact', noise: 0, seed: 3, epochs: 2, firstNanEpoch: null, firstNanStep: null },
        ...{ accuracy: 0.9, maxAbsLogit: 20, ...none },
      },
    ]);
    const atOnce = { records: [], diverged: { ...ended.diverged, epoch: 0, step: 1 } };
    const [{ epochs, accuracy }] = results.longRunEnds(longRunEpochs(atOnce, { loss: 'original', noise: 0, seed: 1 })); // prettier-ignore
    assert.deepEqual([epochs, accuracy], [0, null]);
  });
  test('are read as they were written, and nothing else is', () => {
    const file = path.join(folder, 'runs.csv');
    const rows = longRunEpochs(ended, { loss: 'original', noise: 0.5, seed: 1 });
    results.writeRun(file, { settings: {}, rows });
    assert.deepEqual(results.readLongRuns(file), rows);
    results.writeRun(file, { settings: {}, rows: [{ loss: 'original', noise: 0, epoch: 1 }] });
    assert.throws(
      () => results.readLongRuns(file),
      /readLongRuns: .*runs\.csv has seed undefined in row 0; expected a number/,
    );
  });
});
