import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { evaluateLogits } from 'focal-loss-lab';

const logit = (p: number) => Math.log(p / (1 - p));
const near = (actual: number, expected: number) =>
  assert.ok(Math.abs(actual - expected) < 1e-12, `${actual}, expected ${expected}`);

describe('evaluateLogits', () => {
  test('has the Brier score, cross-entropy and accuracy worked out by hand', () => {
    const { accuracy, brier, crossEntropy, maxAbsLogit } = evaluateLogits(
      [logit(0.9), logit(0.2), logit(0.6)],
      [1, 0, 0],
    );
    near(accuracy, 2 / 3);
    near(brier, (0.1 ** 2 + 0.2 ** 2 + 0.6 ** 2) / 3);
    near(crossEntropy, -(Math.log(0.9) + Math.log(0.8) + Math.log(0.4)) / 3);
    near(maxAbsLogit, logit(0.9));
  });

  test('a classifier that is right as often as it says has calibration error 0', () => {
    const labels = Array.from({ length: 10 }, (_, i) => Number(i < 7));
    near(evaluateLogits(labels.map(() => logit(0.7)), labels).calibrationError, 0); // prettier-ignore
  });

  test('one that says 0.9 and is right in 7 of 10 cases has 0.2', () => {
    const labels = Array.from({ length: 10 }, (_, i) => Number(i < 7));
    near(evaluateLogits(labels.map(() => logit(0.9)), labels).calibrationError, 0.2); // prettier-ignore
  });

  test('errors of opposite sign in one bin cancel, in two bins they add up', () => {
    const logits = [0.1, 0.3, 0.7].map(logit); // too low by 0.9, too high by 0.3, too high by 0.7
    const labels = [1, 0, 0];
    near(evaluateLogits(logits, labels, { bins: 1 }).calibrationError, 0.1 / 3);
    near(evaluateLogits(logits, labels, { bins: 2 }).calibrationError, (0.6 + 0.7) / 3);
  });

  test('sees what is sure: at logit 40 the missing 4e-18 counts in cross-entropy and Brier score', () => {
    const { crossEntropy, brier, accuracy } = evaluateLogits([40, -40], [1, 0]);
    assert.ok(Math.abs(crossEntropy / Math.exp(-40) - 1) < 1e-12);
    assert.ok(Math.abs(brier / Math.exp(-80) - 1) < 1e-12);
    assert.equal(accuracy, 1);
  });

  test('bad input is named', () => {
    assert.throws(() => evaluateLogits([], []), /^RangeError: evaluateLogits: 0 logits and 0 labels/);
    assert.throws(() => evaluateLogits([1, 2], [1]), /2 logits and 1 labels/);
    assert.throws(() => evaluateLogits([1, NaN], [1, 1]), /logit 1 is NaN/);
    assert.throws(() => evaluateLogits([1], [0.5]), /label 0 is 0.5/);
  });
});
