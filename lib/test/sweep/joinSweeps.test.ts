import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, describe, test } from 'node:test';
import { PAPER_SWEEP, readSweep, type SweepSettings } from 'focal-loss-lab';
import { joinSweeps } from 'focal-loss-lab/dist/sweep/joinSweeps';
import { plan } from 'focal-loss-lab/dist/sweep/plan';
import { writeResult } from 'focal-loss-lab/dist/sweep/resultFiles';

const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'join-test-'));
after(() => fs.rmSync(folder, { recursive: true }));
let files = 0;

/** A sweep in which the run of threshold t had t epochs. */
function written(changes: Partial<SweepSettings>, versions = { code: 'abc' }): string {
  const settings = {
    ...PAPER_SWEEP,
    losses: ['original' as const],
    noises: [0],
    thresholds: [1, 2],
    ...changes,
  };
  const file = path.join(folder, `${files++}.csv`);
  const states = plan(settings, 9).map((shard) => ({
    shard,
    device: 'a CPU',
    runs: shard.models.map((model) => ({
      ...{ ...model, alpha: 0.5, epsilon: 1e-3, diverged: null },
      records: Array.from({ length: model.threshold }, (_, epoch) => {
        return { step: epoch + 1, epoch, loss: model.gamma, accuracy: 1, maxAbsLogit: 9, seconds: 60 };
      }),
    })),
  }));
  writeResult(file, settings, versions, states);
  return file;
}
const newFile = () => path.join(folder, `joined-${files++}.csv`);

describe('joinSweeps', () => {
  test('of the rows of a sweep is that sweep', () => {
    const rows = [0.3, 0.1].flatMap((gamma) =>
      [0.5, 0].map((noise) => written({ gammas: [gamma], noises: [noise] })),
    );
    const whole = readSweep(written({ gammas: [0.1, 0.3], noises: [0, 0.5] }));
    const out = newFile();
    const runs = joinSweeps(rows, out);
    const joined = readSweep(out);
    assert.deepEqual(joined.runs, whole.runs);
    assert.deepEqual(runs, whole.runs);
    assert.deepEqual(joined.epochs, whole.epochs);
    assert.deepEqual(joined.versions, whole.versions);
    assert.deepEqual({ ...joined.settings, secondsOfShards: 0 }, { ...whole.settings, secondsOfShards: 0 });
    assert.equal(joined.settings.secondsOfShards, 4 * 60);
  });

  for (const [what, make, message] of [
    [
      'other recipes',
      () => written({ gammas: [0.2], epochs: 7 }),
      /cannot be joined: epochs is 100 there, 7 here/,
    ],
    ['another version of the code', () => written({ gammas: [0.2] }, { code: 'def' }), /the version of code is "abc" there, "def" here/], // prettier-ignore
    ['a run that is there twice', () => written({ gammas: [0.1, 0.2], thresholds: [2, 3] }), /the run with loss original, noise 0, gamma 0.1, threshold 2, seed 1 is in .* and in /], // prettier-ignore
  ] as const)
    test(`refuses ${what}, and writes nothing`, () => {
      const out = newFile();
      assert.throws(() => joinSweeps([written({ gammas: [0.1] }), make()], out), message);
      assert.ok(!fs.existsSync(out));
    });

  test('refuses no files, and a name that is not that of a table', () => {
    assert.throws(() => joinSweeps([], newFile()), /joinSweeps: no files; expected at least one/);
    assert.throws(
      () => joinSweeps([written({})], path.join(folder, 'x')),
      /out: '.*x'; expected a name that ends with .csv/,
    );
  });
});
