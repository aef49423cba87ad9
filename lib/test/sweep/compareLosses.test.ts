import '../oneThread';
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { tf } from 'focal-loss-lab';
import { COMPARED, compareLosses, type ComparisonOptions } from 'focal-loss-lab/dist/sweep/compareLosses';

describe('compareLosses', () => {
  let options: ComparisonOptions;
  before(() => {
    const images = (n: number, seed: number) =>
      tf.randomUniform<tf.Rank.R4>([n, 28, 28, 1], 0, 1, 'float32', seed);
    const digits = (n: number) =>
      tf.tensor1d(
        Array.from({ length: n }, (_, i) => i % 10),
        'int32',
      );
    options = {
      ...{ images: images(64, 1), digits: digits(64), testImages: images(32, 2), testDigits: digits(32) },
      ...{ noise: 0, seed: 3, epochs: 2, batchSize: 32, learningRate: 0.01, momentum: 0.9 },
      ...{ threshold: 4, alpha: 0.5 },
    };
  });
  after(() => tf.dispose([options.images, options.digits, options.testImages, options.testDigits]));

  test('has a row for every loss, and the margins of all test images, half of them of each class', async () => {
    const atStart = tf.memory().numTensors;
    const { runs, margins } = await compareLosses(options);
    assert.equal(tf.memory().numTensors, atStart);
    assert.equal(runs.length, COMPARED.length);
    runs.forEach((run, i) => {
      const { loss, gamma, epsilon } = COMPARED[i];
      assert.deepEqual([run.seed, run.loss, run.gamma], [3, loss, gamma]);
      assert.equal(run.epsilon, loss === 'stabilized' ? epsilon : null);
      assert.equal(run.epochs, 2);
      const own = margins.filter(
        (row) => row.loss === loss && row.gamma === gamma && row.epsilon === run.epsilon,
      );
      assert.equal(own.reduce((sum, { count }) => sum + count, 0), 32); // prettier-ignore
      const right = own.filter(({ margin }) => margin >= 0).reduce((sum, { count }) => sum + count, 0);
      assert.equal(run.accuracy, right / 32);
    });
  });

  test('losses of one gamma start from the same weights: after a vanishing step they say the same', async () => {
    const { runs } = await compareLosses({ ...options, epochs: 1, learningRate: 1e-30 });
    for (const gamma of [0.01, 0.5]) {
      const entropies = runs.filter((run) => run.gamma === gamma).map(({ crossEntropy }) => crossEntropy);
      assert.ok(entropies.length >= 2);
      for (const entropy of entropies) assert.equal(entropy, entropies[0]);
    }
  });

  test('a run that meets its NaN has a step and no numbers on the test images', async () => {
    const { runs } = await compareLosses({ ...options, epochs: 20, learningRate: 30 });
    const dead = runs.filter(({ firstNanStep }) => firstNanStep !== null);
    assert.ok(dead.some(({ loss }) => loss === 'original'));
    for (const { accuracy, brier, maxAbsLogit } of dead) {
      assert.deepEqual([accuracy, brier], [null, null]);
      assert.ok(maxAbsLogit !== null);
    }
  });
});
