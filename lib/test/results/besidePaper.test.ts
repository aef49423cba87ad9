import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, describe, test } from 'node:test';
import { deviceName, figures, published, results } from 'focal-loss-lab';

const folder = mkdtempSync(path.join(tmpdir(), 'results-'));
const { FOCAL_RESULTS_DIR } = process.env;
process.env.FOCAL_RESULTS_DIR = folder;
afterEach(() => rmSync(folder, { recursive: true, force: true }));
process.on('exit', () => {
  if (FOCAL_RESULTS_DIR === undefined) delete process.env.FOCAL_RESULTS_DIR;
  else process.env.FOCAL_RESULTS_DIR = FOCAL_RESULTS_DIR;
});

const record = (epoch: number, step: number, loss: number) => {
  return { epoch, step, loss, accuracy: 0.9, maxAbsLogit: 1, seconds: 0 };
};
const paper = { gamma: 0.1, learningRate: 1e-3, epochs: 100, seed: 1 };
/** Of this test's own files, without the committed ones of other notebooks. */
const ownExperiments = () => results.readExperiments().filter(({ from }) => from.file.startsWith(folder));
const row = (epoch: number, meanLoss: number | null, loss = 'original', noise = 0): results.EpochResult => {
  return { loss, noise, epoch, step: 10 * (epoch + 1), meanLoss };
};

describe('the results of a training, by epoch', () => {
  const records = [record(0, 5, 0.4), record(0, 10, 0.2), record(1, 15, 0.1)];

  test('are the means of the records of every epoch', () => {
    const rows = results.epochResults(
      { records: records.slice(0, 2), diverged: null },
      { loss: 'exact', noise: 0 },
    );
    assert.deepEqual(rows, [{ loss: 'exact', noise: 0, epoch: 0, step: 10, meanLoss: (0.4 + 0.2) / 2 }]);
  });
  test('have no loss for the epoch of the first NaN, though some of its steps were healthy', () => {
    const diverged = { epoch: 1, step: 17, what: 'loss', maxAbsLogit: 17 };
    const rows = results.epochResults({ records, diverged }, { loss: 'original', noise: 0 });
    assert.deepEqual(rows.slice(1), [{ loss: 'original', noise: 0, epoch: 1, step: 17, meanLoss: null }]);
  });
});

describe('the results of a notebook', () => {
  test('come back with profile, device, day, and what was unlike the paper', () => {
    const rows = [row(0, 0.1), row(1, null)];
    results.writeResults('03-mnist-classification', {
      settings: { ...paper, learningRate: 0.1, epochs: 2 },
      paper,
      rows,
    });
    const [found, ...others] = results.readResults('03-mnist-classification');
    assert.deepEqual(others, []);
    assert.deepEqual(found.rows, rows);
    assert.deepEqual(found.unlikePaper, ['learningRate 0.1 instead of 0.001']); // fewer epochs are no other training
    const { kind, name } = deviceName();
    assert.deepEqual([found.profile, found.device], ['quick', `${kind}, ${name}`]);
    assert.match(found.date, /^20\d\d-\d\d-\d\d$/);
  });
  test('are none before it has run', () => assert.deepEqual(results.readResults('no-such-notebook'), []));

  test('are those of this machine, or else those that came with the clone, and say which', () => {
    const [committed] = results.readResults('03-mnist-classification');
    assert.equal(committed.file, 'data/results/03-mnist-classification-quick.csv');
    results.writeResults('03-mnist-classification', { settings: paper, paper, rows: [row(0, 0.1)] });
    const [own, ...others] = results.readResults('03-mnist-classification');
    assert.deepEqual([own.file, others], [path.join(folder, '03-mnist-classification-quick.csv'), []]);
    assert.deepEqual(own.rows, [row(0, 0.1)]);
  });

  test('go to data/cache, which git ignores, unless a variable names a folder', () => {
    const file = 'data/cache/results/test-of-results-quick.csv';
    const inClone = path.join(__dirname, '../../../..', file);
    delete process.env.FOCAL_RESULTS_DIR;
    try {
      results.writeResults('test-of-results', { settings: paper, paper, rows: [row(0, 0.1)] });
      assert.ok(existsSync(inClone));
      assert.equal(results.readResults('test-of-results')[0].file, file);
    } finally {
      process.env.FOCAL_RESULTS_DIR = folder;
      rmSync(inClone, { force: true });
    }
  });
});

describe('beside the paper', () => {
  const losses = published.mnistLosses({ loss: 'original', noise: 0, gamma: 0.1, threshold: 0 });

  test('a training at its settings is subtracted in the last epoch that both completed', () => {
    const rows = [0, 1, 2, 3].map((epoch) => row(epoch, 1)).concat(row(4, null));
    results.writeResults('03-mnist-classification', { settings: paper, paper, rows });
    const [{ published: theirs, ours, difference }] = ownExperiments();
    assert.equal(theirs?.firstNanEpoch, 3);
    assert.deepEqual(ours, { firstNanEpoch: 4, firstNanStep: 50, lastEpoch: 3, lastLoss: 1 });
    assert.deepEqual(difference, { firstNanEpoch: 1, epoch: 2, loss: 1 - losses[2].meanLoss! });
    assert.equal(
      figures.comparisonTable(ownExperiments())[0].difference,
      'first NaN +1; loss +0.98 in epoch 2',
    );
  });
  test('one at other settings is not', () => {
    results.writeResults('05-mnist-segmentation', {
      settings: { ...paper, learningRate: 0.1 },
      paper,
      rows: [row(0, 0.1, 'original', 0.5)],
    });
    const [comparison] = ownExperiments();
    assert.equal(comparison.difference, null);
    assert.equal(comparison.published?.firstNanEpoch, 871);
    const [shown] = figures.comparisonTable([comparison]);
    assert.equal(shown.difference, 'not comparable');
    assert.equal(shown['published first NaN'], 'epoch 871');
    assert.equal(shown['our first NaN'], 'none in 1 epochs');
    assert.equal(
      figures.comparisonSources([comparison])[0]["unlike the paper's settings"],
      'learningRate 0.1 instead of 0.001',
    );
  });
  test('the exact loss, and a noise that the paper has not, have no published run', () => {
    const rows = [row(0, 0.1, 'exact'), row(0, 0.1, 'original', 0.3)];
    results.writeResults('05-mnist-segmentation', { settings: paper, paper, rows });
    assert.deepEqual(
      ownExperiments().map((comparison) => [comparison.published, comparison.difference]),
      [
        [null, null],
        [null, null],
      ],
    );
  });
});
