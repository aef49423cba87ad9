import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  focalLoss,
  focalLossGradient,
  sigmoidFocalLoss,
  stabilizedSigmoidFocalLoss,
  tf,
} from 'focal-loss-lab';
import { expectClose } from '../expectClose';
import { evaluate, range } from './evaluate';
import { torch } from './fixtures';

describe('sigmoidFocalLoss and stabilizedSigmoidFocalLoss next to PyTorch', () => {
  // Both compute the same operations, but each may round sigma(x), exp and log1p by a unit differently. Close to 1 that is
  // 2^-23 in 1 - p_t, and as much in the difference with which the cross-entropy of label 0 ends (times its size, |x|):
  // e^z times more, relatively, for a hard label. So at z = 16 two correct textbook gradients may differ twofold.
  const hardTolerance = (gamma: number, label: number, expected: number[]) => ({
    absolute: torch.logits.map((x, i) => {
      const z = label === 1 ? x : -x;
      const relative = 4e-6 + (1 + gamma) * (1 + Math.abs(x)) * 2 ** -23 * Math.exp(Math.min(z, 20));
      return relative * Math.abs(expected[i]);
    }),
  });
  // 1 - p_t is at least 0.05 for the soft labels here; the two parts of their gradient are of size 1 and may cancel.
  const softTolerance = { relative: 1e-5, absolute: 2e-6 };

  for (const { gamma, epsilon, label, loss, gradient } of torch.cases)
    test(`equals it where it is finite, and is NaN where it is NaN (gamma ${gamma}, epsilon ${epsilon}, label ${label})`, () => {
      const { alpha, logits } = torch;
      const found = evaluate(
        (x, y) =>
          epsilon > 0
            ? stabilizedSigmoidFocalLoss(x, y, { alpha, gamma, epsilon })
            : sigmoidFocalLoss(x, y, { alpha, gamma }),
        logits,
        label,
      );
      const tolerance = (expected: number[]) =>
        label === 0 || label === 1 ? hardTolerance(gamma, label, expected) : softTolerance;
      expectClose(found.loss, loss, tolerance(loss));
      expectClose(found.gradient, gradient, tolerance(gradient));
    });

  for (const { gamma, label, logit } of torch.firstNan)
    test(`has its first NaN at the logit of PyTorch's, ${logit} (gamma ${gamma}, label ${label})`, () => {
      const sign = label === 1 ? 1 : -1;
      const gradients = (magnitudes: number[]) =>
        evaluate(
          (x, y) => sigmoidFocalLoss(x, y, { gamma }),
          magnitudes.map((x) => sign * x),
          label,
        ).gradient;
      if (logit === null) assert.ok(gradients(range(0, 38, 3801)).every(Number.isFinite));
      else {
        assert.ok(gradients(range(0, logit * (1 - 1e-5), 2000)).every(Number.isFinite));
        assert.ok(gradients(range(logit * (1 + 1e-5), 38, 2000)).every(Number.isNaN));
      }
    });
});

describe('sigmoidFocalLoss, the textbook form', () => {
  const gradientAt = (x: number, label: 0 | 1, gamma: number) =>
    evaluate((x, y) => sigmoidFocalLoss(x, y, { gamma }), [x], label).gradient[0];

  for (const gamma of [0.1, 0.5, 0.9]) {
    test(`its gradient is NaN from the logit at which p_t rounds to 1 (label 1, gamma ${gamma})`, () => {
      assert.ok(Number.isFinite(gradientAt(16.63, 1, gamma)));
      assert.ok(Number.isNaN(gradientAt(16.64, 1, gamma))); // 24 ln 2 = 16.6355: below, e^-x is added to 1 in vain
    });
    test(`its gradient is NaN from the logit at which 1 - p rounds to 1 (label 0, gamma ${gamma})`, () => {
      assert.ok(Number.isFinite(gradientAt(-17.32, 0, gamma)));
      assert.ok(Number.isNaN(gradientAt(-17.33, 0, gamma))); // 25 ln 2 = 17.3287: p is half the spacing below 1
    });
    test(`its loss is finite where its gradient is NaN (gamma ${gamma})`, () => {
      for (const label of [0, 1] as const) {
        const logits = range(17.33, 100, 500).map((z) => (label === 1 ? z : -z));
        const { loss, gradient } = evaluate((x, y) => sigmoidFocalLoss(x, y, { gamma }), logits, label);
        assert.ok(gradient.every(Number.isNaN));
        assert.ok(loss.every(Number.isFinite));
      }
    });
  }

  for (const gamma of [0, 1, 2])
    test(`its gradient is finite everywhere at gamma ${gamma}`, () => {
      const logits = [...range(-120, 120, 4801), -1e4, 1e4];
      for (const label of [0, 1]) {
        const { loss, gradient } = evaluate((x, y) => sigmoidFocalLoss(x, y, { gamma }), logits, label);
        assert.ok(loss.every(Number.isFinite) && gradient.every(Number.isFinite));
      }
    });

  test('tf.pow by itself is NaN at gamma 0: that is why the factor is left out', () => {
    const power = tf.grad((q: tf.Tensor) => tf.pow(q, 0))(tf.tensor1d([0, 0.5]));
    expectClose(power.dataSync(), [NaN, 0], {});
  });

  test('one sample that it is sure of makes the gradient of every weight NaN, the loss being finite', () => {
    const features = tf.tensor2d([
      [1, 2],
      [-1, 0.5],
      [20, 0],
    ]);
    const labels = tf.tensor2d([[0], [1], [1]]);
    const weights = tf.variable(tf.tensor2d([[1], [0]]));
    const bias = tf.variable(tf.scalar(0));
    const logits = () => tf.add(tf.matMul(features, weights), bias);
    const { value, grads } = tf.variableGrads(
      () => sigmoidFocalLoss(logits(), labels, { gamma: 0.5, reduction: 'mean' }),
      [weights, bias],
    );
    assert.ok(Number.isFinite(value.dataSync()[0]));
    for (const gradient of Object.values(grads)) assert.ok([...gradient.dataSync()].every(Number.isNaN));
    weights.dispose();
    bias.dispose();
  });

  test('any label smoothing removes the NaN by itself: 1 - p_t is then never 0', () => {
    const { gradient } = evaluate(
      (x, y) => sigmoidFocalLoss(x, y, { gamma: 0.5 }),
      range(-100, 100, 801),
      0.99,
    );
    assert.ok(gradient.every(Number.isFinite));
  });

  test('at gamma 0 its derivative in the label is that of cross-entropy, -x', () => {
    const x = tf.tensor1d([-2, 0, 3]);
    const byLabel = tf.grad((y: tf.Tensor) => sigmoidFocalLoss(x, y, { alpha: -1, gamma: 0 }));
    expectClose(byLabel(tf.tensor1d([0.2, 0.5, 0.9])).dataSync(), [2, 0, -3], {});
  });
});

describe("stabilizedSigmoidFocalLoss, the paper's", () => {
  for (const gamma of [0, 0.001, 0.1, 0.5, 0.9, 1, 2, 5])
    test(`is finite in loss and gradient everywhere (gamma ${gamma})`, () => {
      for (const label of [0, 0.5, 1]) {
        const { loss, gradient } = evaluate(
          (x, y) => stabilizedSigmoidFocalLoss(x, y, { gamma }),
          [...range(-120, 120, 4801), -1e4, 1e4],
          label,
        );
        assert.ok(loss.every(Number.isFinite) && gradient.every(Number.isFinite));
      }
    });

  test('does not lose an epsilon far below the spacing of 1: it is added to 1 - p_t, not to 1', () => {
    for (const label of [0, 1]) {
      const { gradient } = evaluate(
        (x, y) => stabilizedSigmoidFocalLoss(x, y, { gamma: 0.5, epsilon: 1e-30 }),
        range(-120, 120, 4801),
        label,
      );
      assert.ok(gradient.every(Number.isFinite));
    }
  });

  test('is the closed form with epsilon, 1e-3 by default', () => {
    const logits = range(-9, 3, 49);
    const options = { alpha: 0.25, gamma: 0.5, epsilon: 1e-3 };
    const { loss, gradient } = evaluate(
      (x, y) => stabilizedSigmoidFocalLoss(x, y, { gamma: 0.5 }),
      logits,
      1,
    );
    expectClose(
      loss,
      logits.map((x) => focalLoss(x, 1, options)),
      { relative: 1e-5 },
    );
    expectClose(
      gradient,
      logits.map((x) => focalLossGradient(x, 1, options)),
      { relative: 1e-5 },
    );
  });

  test('approaches the original as epsilon goes to 0, in proportion', () => {
    const logits = range(-5, 5, 81);
    for (const gamma of [0.5, 2]) {
      const original = evaluate((x, y) => sigmoidFocalLoss(x, y, { gamma }), logits, 1);
      const [far, near] = [1e-2, 1e-3].map((epsilon) => {
        const { loss, gradient } = evaluate(
          (x, y) => stabilizedSigmoidFocalLoss(x, y, { gamma, epsilon }),
          logits,
          1,
        );
        const distance = (values: number[], from: number[]) =>
          Math.max(...values.map((v, i) => Math.abs(v - from[i])));
        return { loss: distance(loss, original.loss), gradient: distance(gradient, original.gradient) };
      });
      for (const ratio of [far.loss / near.loss, far.gradient / near.gradient])
        assert.ok(ratio > 8 && ratio < 12, `${ratio} is not about 10`);
    }
  });
});
