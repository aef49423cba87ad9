import assert from 'node:assert/strict';
import { tmpdir } from 'node:os';
import { execFileSync } from 'node:child_process';
import { describe, test } from 'node:test';
import { published } from 'focal-loss-lab';

const ofDeath = published.mnistRuns().filter((run) => run.firstNanEpoch !== null);

describe('the published MNIST runs', () => {
  const runs = published.mnistRuns();

  test('are every combination of loss, noise, gamma and threshold, once', () => {
    assert.equal(runs.length, 2 * 3 * 15 * 9);
    assert.equal(
      new Set(runs.map(({ loss, noise, gamma, threshold }) => [loss, noise, gamma, threshold].join())).size,
      810,
    );
  });

  for (const [noise, count] of [
    [0, 78],
    [0.5, 72],
    [0.75, 64],
  ])
    test(`the original loss died in ${count} of 135 at noise ${noise}`, () => {
      const original = runs.filter((run) => run.loss === 'original' && run.noise === noise);
      assert.equal(original.length, 135);
      assert.equal(original.filter((run) => run.firstNanEpoch !== null).length, count);
    });

  test('it died at 0 < gamma < 1 only', () => {
    assert.ok(ofDeath.every(({ gamma }) => gamma > 0 && gamma < 1));
  });

  test('the stabilized loss died in 0 of 405', () => {
    assert.equal(runs.filter((run) => run.loss === 'stabilized').length, 405);
    assert.ok(ofDeath.every((run) => run.loss === 'original'));
  });

  test('a run that did not die has 100 epochs with a loss, another ends with its first NaN', () => {
    for (const run of runs) {
      const rows = published.mnistLosses(run);
      const nan = rows.flatMap(({ epoch, meanLoss }) => (meanLoss === null ? [epoch] : []));
      assert.deepEqual(nan, run.firstNanEpoch === null ? [] : [run.firstNanEpoch]);
      assert.equal(rows.length, run.firstNanEpoch === null ? 100 : run.firstNanEpoch + 1);
    }
  });

  test('the last loss of a run is its last finite loss', () => {
    for (const run of runs) {
      const finite = published.mnistLosses(run).filter(({ meanLoss }) => meanLoss !== null);
      if (run.firstNanEpoch !== 0) assert.equal(finite.at(-1)?.meanLoss, run.lastFiniteLoss);
    }
  });

  test("the paper's first example died in epoch 3", () => {
    const run = runs.find(
      (r) => r.loss === 'original' && r.noise === 0 && r.gamma === 0.1 && r.threshold === 0,
    );
    assert.equal(run?.firstNanEpoch, 3);
  });

  test('callers cannot change them for others', () => {
    published.mnistRuns()[0].lastFiniteLoss = -1;
    assert.notEqual(published.mnistRuns()[0].lastFiniteLoss, -1);
    const settings = { loss: 'stabilized', noise: 0.5, gamma: 0.3, threshold: 4 } as const;
    published.mnistLosses(settings)[0].meanLoss = -1;
    assert.notEqual(published.mnistLosses(settings)[0].meanLoss, -1);
  });

  for (const change of [
    { gamma: 0.15 },
    { threshold: 9 },
    { noise: 0.25 },
    { loss: 'exact' },
    { gamma: NaN },
  ])
    test(`there is no run with ${JSON.stringify(change)}`, () => {
      const settings = { loss: 'original', noise: 0, gamma: 0.1, threshold: 0, ...change };
      assert.throws(
        () => published.mnistLosses(settings as published.PublishedSettings),
        new RegExp(`^RangeError: published.mnistLosses: .*${Object.values(change)[0]}.*there are`),
      );
    });

  test('are found from any folder', () => {
    const script = `
      const { published } = require('${require.resolve('focal-loss-lab')}');
      console.log(published.mnistLosses({ loss: 'original', noise: 0, gamma: 2, threshold: 0 }).length);`;
    const printed = execFileSync(process.execPath, ['-e', script], { cwd: tmpdir(), encoding: 'utf8' });
    assert.equal(printed.trim(), '100');
  });
});

describe('the published CIFAR-10 runs', () => {
  test('the original loss died in epoch 293, the stabilized one not in 1000', () => {
    const nans = (loss: 'original' | 'stabilized') =>
      published.cifar10(loss).flatMap(({ epoch, meanLoss }) => (meanLoss === null ? [epoch] : []));
    assert.deepEqual([nans('original'), nans('stabilized')], [[293], []]);
    assert.equal(published.cifar10('original').length, 294);
    assert.equal(published.cifar10('stabilized').length, 1000);
  });
  test('in the epoch of the death the accuracy fell to little more than always saying class 0', () => {
    const [before, accuracy] = [292, 293].map((epoch) => published.cifar10('original')[epoch].accuracy);
    assert.ok(before > 0.95 && accuracy > 0.6 && accuracy < 0.61, `${before}, ${accuracy}`);
    assert.ok(Math.abs(50_000 * accuracy - Math.round(50_000 * accuracy)) < 1e-6); // so many images of 50,000
  });
  test('both begin at 0.6, the accuracy of always saying class 0', () => {
    assert.equal(published.cifar10('original')[0].accuracy, 0.6);
    assert.equal(published.cifar10('stabilized')[0].accuracy, 0.6);
  });
});

describe('the published segmentation runs', () => {
  for (const [noise, epochs] of [
    [0, 57],
    [0.5, 871],
    [0.75, 1000],
  ])
    test(`the original loss at noise ${noise} has ${epochs} epochs without a NaN, the stabilized one 1000`, () => {
      const finite = (loss: 'original' | 'stabilized') =>
        published
          .segmentation(loss, noise)
          .flatMap(({ epoch, meanLoss }) => (meanLoss === null ? [] : [epoch]));
      const first = (n: number) => Array.from({ length: n }, (_, epoch) => epoch);
      assert.deepEqual(finite('original'), first(epochs));
      assert.deepEqual(finite('stabilized'), first(1000));
      const nan = published.segmentation('original', noise).at(epochs);
      assert.deepEqual(nan, epochs < 1000 ? { epoch: epochs, meanLoss: null } : undefined);
    });
  test('there is no other noise', () => {
    assert.throws(
      () => published.segmentation('original', 0.25),
      /published\.segmentation: no run with .* noise 0.25; there are/,
    );
  });
});
