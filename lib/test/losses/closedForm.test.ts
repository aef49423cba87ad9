import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  focalLoss,
  focalLossGradient,
  focalLossSecondDerivative,
  multiclassFocalLoss,
  naiveFocalLossGradient,
} from 'focal-loss-lab';
import { expectClose } from '../expectClose';
import { range } from './evaluate';
import { exact, secondDerivative } from './fixtures';

const SMALLEST_NORMAL = 2 ** -1022; // of float64: 2.2e-308
const GAMMAS = [0, 0.001, 0.1, 0.5, 0.9, 1, 1.5, 2, 5];

describe('focalLoss and focalLossGradient, the closed forms in float64', () => {
  // Below the smallest normal number digits are lost one by one: allowed is that number itself.
  const tolerance = (expected: number[]) => ({
    absolute: expected
      .map(Math.abs)
      .map((value) => (value < SMALLEST_NORMAL ? SMALLEST_NORMAL : 1e-14 * value)),
  });

  for (const { gamma, loss, gradient } of exact.cases)
    for (const sign of [1, -1]) {
      const label = sign === 1 ? 1 : 0;
      test(`agree with 50-digit values to 1e-14 (gamma ${gamma}, label ${label})`, () => {
        const logits = exact.logits.map((z) => sign * z);
        expectClose(
          logits.map((x) => focalLoss(x, label, { alpha: -1, gamma })),
          loss,
          tolerance(loss),
        );
        expectClose(
          logits.map((x) => sign * focalLossGradient(x, label, { alpha: -1, gamma })),
          gradient,
          tolerance(gradient),
        );
      });
    }

  test('have their limits at infinite logits', () => {
    for (const gamma of [0, 0.1, 1, 2])
      for (const epsilon of [0, 1e-3]) {
        const options = { alpha: -1, gamma, epsilon };
        assert.equal(focalLoss(Infinity, 1, options), 0);
        assert.equal(focalLoss(-Infinity, 1, options), Infinity);
        assert.equal(Math.abs(focalLossGradient(Infinity, 1, options)), 0);
        expectClose([focalLossGradient(-Infinity, 1, options)], [-((1 + epsilon) ** gamma)], {
          relative: 1e-15,
        });
        assert.ok(
          Number.isNaN(focalLoss(NaN, 1, options)) && Number.isNaN(focalLossGradient(NaN, 1, options)),
        );
      }
  });

  test('the gradient is the derivative of the loss, epsilon or not', () => {
    const h = 1e-5;
    for (const gamma of GAMMAS)
      for (const epsilon of [0, 1e-3, 0.1])
        for (const label of [0, 1] as const) {
          const options = { alpha: 0.3, gamma, epsilon };
          const logits = range(-12, 12, 97);
          const slopes = logits.map(
            (x) => (focalLoss(x + h, label, options) - focalLoss(x - h, label, options)) / (2 * h),
          );
          // Central differences: h^2 in the slope, and the rounding of a loss of up to 12 divided by h.
          expectClose(
            logits.map((x) => focalLossGradient(x, label, options)),
            slopes,
            { absolute: 3e-9 },
          );
        }
  });

  test('at gamma 0 the loss is cross-entropy and its gradient is p - y', () => {
    for (const x of range(-5, 5, 41)) {
      const p = 1 / (1 + Math.exp(-x));
      expectClose([focalLoss(x, 1, { alpha: -1, gamma: 0 })], [-Math.log(p)], { relative: 1e-13 });
      expectClose([focalLoss(x, 0, { alpha: -1, gamma: 0 })], [-Math.log(1 - p)], { relative: 1e-13 });
      expectClose([focalLossGradient(x, 1, { alpha: -1, gamma: 0 })], [p - 1], { relative: 1e-13 });
      expectClose([focalLossGradient(x, 0, { alpha: -1, gamma: 0 })], [p], { relative: 1e-13 });
    }
  });

  test('are mirror images: x and label 1 with alpha are -x and label 0 with 1 - alpha', () => {
    for (const gamma of GAMMAS)
      for (const epsilon of [0, 1e-3])
        for (const x of range(-50, 50, 101)) {
          const [here, mirrored] = [
            { alpha: 0.25, gamma, epsilon },
            { alpha: 0.75, gamma, epsilon },
          ];
          assert.equal(focalLoss(x, 1, here), focalLoss(-x, 0, mirrored));
          assert.equal(focalLossGradient(x, 1, here), -focalLossGradient(-x, 0, mirrored));
        }
  });

  test('the gradient is bounded: by 1.00001 up to gamma 0.1, by 1.32 up to gamma 5', () => {
    const steepest = (gamma: number) =>
      Math.max(...range(-40, 40, 8001).map((x) => Math.abs(focalLossGradient(x, 1, { alpha: -1, gamma }))));
    for (const gamma of [0, 0.001, 0.01, 0.1]) expectClose([steepest(gamma)], [1], { absolute: 1e-5 });
    const gammas = [0.25, 0.5, 0.9, 1, 2, 5];
    expectClose(gammas.map(steepest), [1.0006, 1.009, 1.037, 1.045, 1.129, 1.315], { absolute: 6e-4 });
  });

  test('an epsilon only ever adds to the loss and to the size of the gradient', () => {
    for (const gamma of GAMMAS.slice(1))
      for (const x of range(-30, 30, 121)) {
        const [without, with_] = [{ gamma }, { gamma, epsilon: 1e-3 }];
        assert.ok(focalLoss(x, 1, with_) > focalLoss(x, 1, without));
        assert.ok(focalLossGradient(x, 1, with_) < focalLossGradient(x, 1, without));
      }
  });
});

describe('focalLossSecondDerivative', () => {
  for (const { gamma, epsilon, values } of secondDerivative.cases)
    test(`agrees with numerical differentiation at 120 digits (gamma ${gamma}, epsilon ${epsilon})`, () => {
      const { logits } = secondDerivative;
      const options = { alpha: null, gamma, epsilon };
      // It changes its sign on the hard side, where its terms, of up to gamma s p, cancel.
      const absolute = values.map((value, i) => {
        const cancelling = logits[i] < 0 ? gamma * (2 - logits[i]) * Math.exp(logits[i]) : 0;
        return Math.max(SMALLEST_NORMAL, 1e-13 * Math.abs(value), 1e-15 * cancelling);
      });
      expectClose(logits.map((x) => focalLossSecondDerivative(x, 1, options)), values, { absolute }); // prettier-ignore
      expectClose(logits.map((x) => focalLossSecondDerivative(-x, 0, options)), values, { absolute }); // prettier-ignore
    });

  test('has the values of public reports, weighted by alpha_t', () => {
    const at = (x: number) => focalLossSecondDerivative(x, 1, { alpha: null, gamma: 2 });
    expectClose([at(0), at(-5), at(20)], [0.39914339757, -0.0319998043227, 7.88085961423e-26], {
      relative: 1e-10,
    });
    expectClose([focalLossSecondDerivative(0, 0)], [0.75 * 0.39914339757], { relative: 1e-10 });
  });

  test('is positive for easy examples and cross-entropy, negative for hard ones: at gamma 2 from p_t 0.058 on', () => {
    const at = (x: number, gamma: number) => focalLossSecondDerivative(x, 1, { gamma });
    for (const x of range(-30, 30, 121)) assert.ok(at(x, 0) > 0);
    for (const gamma of [0.1, 0.5, 1, 2, 5]) for (const x of range(0, 30, 61)) assert.ok(at(x, gamma) > 0);
    assert.ok(at(-2.79, 2) > 0 && at(-2.8, 2) < 0);
    for (const x of range(-700, -2.8, 100)) assert.ok(at(x, 2) < 0);
  });

  test('has its limits at infinite logits', () => {
    for (const gamma of [0, 0.5, 2])
      for (const x of [Infinity, -Infinity])
        assert.equal(Math.abs(focalLossSecondDerivative(x, 1, { gamma })), 0);
  });
});

describe('multiclassFocalLoss', () => {
  test('of two classes is the binary loss of the difference of the logits', () => {
    for (const x of range(-30, 30, 61)) {
      const options = { alpha: null, gamma: 0.5 };
      const { loss, gradient } = multiclassFocalLoss([3, 3 + x], 1, options);
      expectClose([loss, gradient[1]], [focalLoss(x, 1, options), focalLossGradient(x, 1, options)], {
        relative: 1e-13,
      });
    }
  });

  test('refuses what is no class, no logit, no weight', () => {
    assert.throws(
      () => multiclassFocalLoss([1], 0),
      /multiclassFocalLoss: expected two or more logits, got 1/,
    );
    assert.throws(() => multiclassFocalLoss([1, 2], 2), /label must be in 0 \.\. 1, got 2/);
    assert.throws(() => multiclassFocalLoss([1, NaN], 0), /logits must be finite, got NaN at index 1/);
    assert.throws(() => multiclassFocalLoss([1, 2], 0, { alpha: [1] }), /expected one per class, 2/);
  });
});

describe('naiveFocalLossGradient, the chain rule in plain numbers', () => {
  for (const gamma of [0.1, 0.5, 0.9]) {
    test(`is NaN from 53 ln 2 and 54 ln 2 in float64 (gamma ${gamma})`, () => {
      const gradient = (x: number, label: 0 | 1) => naiveFocalLossGradient(x, label, { gamma }).gradient;
      assert.ok(Number.isFinite(gradient(36.73, 1)));
      for (const x of range(36.74, 700, 1000)) assert.ok(Number.isNaN(gradient(x, 1)), `${x}`);
      assert.ok(Number.isFinite(gradient(-37.42, 0)));
      for (const x of range(37.43, 700, 1000)) assert.ok(Number.isNaN(gradient(-x, 0)), `${-x}`);
    });

    test(`is NaN from 24 ln 2 and 25 ln 2 in float32 (gamma ${gamma})`, () => {
      const gradient = (x: number, label: 0 | 1) =>
        naiveFocalLossGradient(x, label, { gamma, precision: 'float32' }).gradient;
      assert.ok(Number.isFinite(gradient(16.63, 1)));
      for (const x of range(16.64, 80, 1000)) assert.ok(Number.isNaN(gradient(x, 1)), `${x}`);
      assert.ok(Number.isFinite(gradient(-17.32, 0)));
      for (const x of range(17.33, 80, 1000)) assert.ok(Number.isNaN(gradient(-x, 0)), `${-x}`);
    });
  }

  test('the NaN is Infinity times 0, and the loss does not show it', () => {
    const steps = naiveFocalLossGradient(37, 1, { gamma: 0.5 });
    assert.equal(steps.base, 0);
    assert.equal(steps.singularFactor, Infinity);
    assert.equal(steps.pByLogit, 0);
    assert.equal(steps.loss, 0);
    assert.ok(steps.crossEntropy > 0 && Number.isNaN(steps.throughModulatingFactor));
  });

  test('gamma 0 is no exception to the chain rule, gamma 1 and 2 are finite, and so is everything with an epsilon', () => {
    assert.ok(Number.isNaN(naiveFocalLossGradient(37, 1, { gamma: 0 }).gradient));
    for (const x of range(-700, 700, 281))
      for (const label of [0, 1] as const) {
        for (const gamma of [1, 2])
          assert.ok(Number.isFinite(naiveFocalLossGradient(x, label, { gamma }).gradient));
        for (const gamma of [0, 0.1, 0.5])
          assert.ok(Number.isFinite(naiveFocalLossGradient(x, label, { gamma, epsilon: 1e-3 }).gradient));
      }
  });

  test('for hard samples it is the closed form, in either precision', () => {
    const options = { alpha: 0.3, gamma: 0.7, epsilon: 0 };
    for (const epsilon of [0, 1e-3])
      for (const x of range(-6, 3, 37)) {
        const expected = [
          focalLoss(x, 1, { ...options, epsilon }),
          focalLossGradient(x, 1, { ...options, epsilon }),
        ];
        for (const [precision, relative] of [
          ['float64', 1e-13],
          ['float32', 5e-5],
        ] as const) {
          const { loss, gradient } = naiveFocalLossGradient(x, 1, { ...options, epsilon, precision });
          expectClose([loss, gradient], expected, { relative });
        }
      }
  });
});

describe('bad input to the closed forms', () => {
  const bad: { what: string; error: RegExp; logit?: unknown; label?: unknown; options?: object }[] = [
    { what: 'a logit that is not a number', error: /logit must be a number, got string/, logit: '3' },
    { what: 'a soft label', error: /label must be 0 or 1, got 0\.5/, label: 0.5 },
    { what: 'a label of -1', error: /label must be 0 or 1, got -1/, label: -1 },
    {
      what: 'a negative gamma',
      error: /gamma must be a finite number >= 0, got -0\.1/,
      options: { gamma: -0.1 },
    },
    {
      what: 'an infinite gamma',
      error: /gamma must be a finite number >= 0, got Inf/,
      options: { gamma: Infinity },
    },
    { what: 'an alpha above 1', error: /alpha must be at most 1 .*, got 1\.01/, options: { alpha: 1.01 } },
    { what: 'an alpha of NaN', error: /alpha must be at most 1 .*, got NaN/, options: { alpha: NaN } },
    {
      what: 'a negative epsilon',
      error: /epsilon must be a finite number >= 0, got -1/,
      options: { epsilon: -1 },
    },
  ];
  for (const [name, of] of Object.entries({
    focalLoss,
    focalLossGradient,
    focalLossSecondDerivative,
    naiveFocalLossGradient,
  }))
    for (const { what, error, logit = 3, label = 1, options = {} } of bad)
      test(`${name} refuses ${what}`, () =>
        assert.throws(
          () => of(logit as number, label as 0 | 1, options),
          ({ message }: Error) => message.startsWith(`${name}: `) && error.test(message),
        ));
});
