import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { exactSigmoidFocalLoss, focalLoss, focalLossGradient, tf } from 'focal-loss-lab';
import { expectClose } from '../expectClose';
import { evaluate, range } from './evaluate';
import { exact } from './fixtures';

const SMALLEST_NORMAL = 2 ** -126; // of float32: 1.18e-38

/** Asserts float32 numbers to be so many units in the last place from the true values; below 1.18e-38 they may be 0. */
function expectWithinUlps(actual: number[], expected: number[], ulps: number): void {
  const absolute = expected.map(Math.abs).map((value) => {
    if (value < SMALLEST_NORMAL) return SMALLEST_NORMAL;
    return ulps * 2 ** (Math.floor(Math.log2(value)) - 23);
  });
  expectClose(actual, expected, { absolute });
}

/** As the docstring has it: the largest errors that scripts/losses/search.mjs found are below. */
const ulpsAllowed = (gamma: number) => (gamma <= 1 ? 9 : gamma <= 2 ? 12 : gamma <= 5 ? 22 : 30);

describe('exactSigmoidFocalLoss', () => {
  for (const { gamma, loss, gradient } of exact.cases)
    for (const sign of [1, -1]) {
      const label = sign === 1 ? 1 : 0;
      const logits = exact.logits.map((z) => sign * z);
      const slopes = gradient.map((slope) => sign * slope);
      const unweighted = (x: tf.Tensor, y: tf.Tensor) => exactSigmoidFocalLoss(x, y, { alpha: -1, gamma });

      test(`is within its bound of 50-digit values (gamma ${gamma}, label ${label})`, () => {
        const found = evaluate(unweighted, logits, label);
        expectWithinUlps(found.loss, loss, ulpsAllowed(gamma));
        expectWithinUlps(found.gradient, slopes, ulpsAllowed(gamma));
      });

      test(`and so it is when there is a soft label in the batch (gamma ${gamma}, label ${label})`, () => {
        const found = evaluate(unweighted, [0, ...logits], [0.5, ...logits.map(() => label)]);
        expectWithinUlps(found.loss.slice(1), loss, ulpsAllowed(gamma));
        expectWithinUlps(found.gradient.slice(1), slopes, ulpsAllowed(gamma));
      });
    }

  test('is tested on at least 2,000 logits of [-1e4, 1e4], most of them with a result that float32 can hold', () => {
    assert.ok(exact.logits.length >= 2000);
    assert.ok(exact.logits.every((z) => Math.abs(z) <= 1e4 && Math.fround(z) === z));
    for (const edge of [-1e4, 1.401298464324817e-45, -0, 0, 1e4])
      assert.ok(
        exact.logits.some((z) => Object.is(z, edge)),
        `${edge} is missing`,
      );
    for (const { loss, gradient } of exact.cases)
      for (const values of [loss, gradient])
        assert.ok(
          values.filter((value) => Math.abs(value) >= SMALLEST_NORMAL).length > exact.logits.length / 2,
        );
  });

  // The closed form is known to 1e-14 (closedForm.test.ts), a float32 to 6e-8: it may stand for the truth at any logit.
  for (const gamma of [0.1, 0.25, 0.5, 0.85, 0.9, 1.7, 2, 5, 8])
    test(`is within its bound of the closed form on 20,000 logits between those, for the gamma that was asked for (gamma ${gamma})`, () => {
      const logits = range(-25, 100, 20_000).map((x) => Math.fround(x + 0.01 * Math.SQRT2));
      const options = { alpha: null, gamma };
      const found = evaluate((x, y) => exactSigmoidFocalLoss(x, y, { alpha: -1, gamma }), logits, 1);
      const loss = logits.map((x) => focalLoss(x, 1, options));
      const gradient = logits.map((x) => focalLossGradient(x, 1, options));
      expectWithinUlps(found.loss, loss, ulpsAllowed(gamma));
      expectWithinUlps(found.gradient, gradient, ulpsAllowed(gamma));
    });

  test('is within its bound at the logits where earlier bounds were exceeded', () => {
    for (const [gamma, z] of [
      [0.1, 3.79085636],
      [0.5, 15.53888321],
      [2, 6.8693037],
      [5, 12.43274498],
      [0.9, 29.929],
    ]) {
      // prettier-ignore
      const logits = [Math.fround(z)];
      const found = evaluate((x, y) => exactSigmoidFocalLoss(x, y, { alpha: null, gamma }), logits, 1);
      const options = { alpha: null, gamma };
      expectWithinUlps(found.loss, [focalLoss(logits[0], 1, options)], ulpsAllowed(gamma));
      expectWithinUlps(found.gradient, [focalLossGradient(logits[0], 1, options)], ulpsAllowed(gamma));
    }
  });

  test('is finite at the largest float32, and has its limits at infinite logits', () => {
    const largest = 3.4028234663852886e38;
    for (const gamma of [0, 0.1, 1, 2]) {
      const { loss, gradient } = evaluate(
        (x, y) => exactSigmoidFocalLoss(x, y, { alpha: -1, gamma }),
        [largest, -largest, Infinity, -Infinity, NaN],
        1,
      );
      expectClose(loss, [0, largest, 0, Infinity, NaN], {});
      expectClose(gradient.map(Math.abs), [0, 1, 0, 1, NaN], {});
    }
  });

  test('weighs label 1 with alpha and label 0 with 1 - alpha, by default 0.25, with gamma 2', () => {
    const logits = range(-8, 8, 33);
    for (const label of [0, 1] as const) {
      const found = evaluate((x, y) => exactSigmoidFocalLoss(x, y), logits, label);
      expectWithinUlps(
        found.loss,
        logits.map((x) => focalLoss(x, label, { alpha: 0.25, gamma: 2 })),
        10,
      );
      expectWithinUlps(
        found.gradient,
        logits.map((x) => focalLossGradient(x, label, { alpha: 0.25, gamma: 2 })),
        10,
      );
    }
  });

  for (const alpha of [-1, 0.3])
    test(`a soft label is the mixture of the two hard ones (alpha ${alpha})`, () => {
      const logits = range(-60, 60, 241).map(Math.fround);
      for (const gamma of [0, 0.5, 2])
        for (const label of [0.0625, 0.25, 0.5, 0.9375]) {
          const mixed = (of: typeof focalLoss) =>
            logits.map((x) => label * of(x, 1, { alpha, gamma }) + (1 - label) * of(x, 0, { alpha, gamma }));
          const found = evaluate((x, y) => exactSigmoidFocalLoss(x, y, { alpha, gamma }), logits, label);
          expectClose(found.loss, mixed(focalLoss), { relative: 2e-6 });
          expectClose(found.gradient, mixed(focalLossGradient), { relative: 2e-6, absolute: 2e-7 }); // two terms cancel
        }
    });

  test('does not depend on the kind of the labels', () => {
    const x = tf.tensor1d([-3, -1, 0, 1, 3]);
    const hard = [1, 0, 1, 1, 0];
    const losses = ([['float32'], ['int32'], ['bool']] as const).map(([dtype]) =>
      exactSigmoidFocalLoss(x, tf.tensor1d(hard, dtype)).dataSync(),
    );
    assert.deepEqual(losses[1], losses[0]);
    assert.deepEqual(losses[2], losses[0]);
  });

  test('is the same for a batch too large to read its labels, which are hard, and for labels of type int32', () => {
    const logits = range(-20, 20, 65537).map(Math.fround);
    const labels = logits.map((_, i) => i % 2);
    const unweighted = (x: tf.Tensor, y: tf.Tensor) => exactSigmoidFocalLoss(x, y, { alpha: -1, gamma: 0.5 });
    const large = evaluate(unweighted, logits, labels);
    const small = evaluate(unweighted, logits.slice(0, 65536), labels.slice(0, 65536));
    expectClose(large.loss.slice(0, 65536), small.loss, {});
    expectClose(large.gradient.slice(0, 65536), small.gradient, {});
    const ints = evaluate((x, y) => unweighted(x, tf.cast(y, 'int32')), logits, labels);
    expectClose(ints.loss, large.loss, {});
    expectClose(ints.gradient, large.gradient, {});
  });
});
