import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { firstNonFinite, floats, focalLoss, focalLossGradient, tf } from 'focal-loss-lab';
import { evaluate, range } from './evaluate';

const { emulatedFocalLoss, errorInUlps, FORMATS, FORMULATIONS, roundTo, ulp } = floats;
type EmulationOptions = floats.EmulationOptions;
type Formulation = floats.Formulation;
type Precision = floats.Precision;

const PRECISIONS: Precision[] = ['float64', 'float32', 'float16', 'bfloat16'];
const PRECISE: Formulation[] = ['log space', 'exact'];

/** First |logit| with a gradient that is not finite, on the easy side (1) or the hard one (-1). */
const first = (side: 1 | -1, label: 0 | 1, options: EmulationOptions) =>
  firstNonFinite(
    (sizes) => sizes.map((size) => emulatedFocalLoss(side * (2 * label - 1) * size, label, options).gradient),
    FORMATS[options.precision].max,
  );

/** To a thousandth: logits and their exponentials are rounded themselves. */
const near = (actual: number | null, expected: number) =>
  assert.ok(actual !== null && Math.abs(actual / expected - 1) < 1e-3, `${actual}, expected ${expected}`);

describe('emulatedFocalLoss, every operation rounded', () => {
  test('in float64 all formulations are the closed form, up to rounding', () => {
    for (const formulation of FORMULATIONS)
      for (const gamma of [0.1, 0.5, 1, 2])
        for (const label of [0, 1] as const)
          for (const x of range(-8, 8, 33)) {
            const found = emulatedFocalLoss(x, label, { formulation, precision: 'float64', gamma });
            const options = { alpha: -1, gamma };
            const [loss, gradient] = [focalLoss(x, label, options), focalLossGradient(x, label, options)];
            assert.ok(Math.abs(found.loss / loss - 1) < 1e-11, `${formulation} ${gamma} ${label} ${x}`);
            assert.ok(
              Math.abs(found.gradient / gradient - 1) < 1e-11,
              `${formulation} ${gamma} ${label} ${x}`,
            );
          }
  });

  test('with an epsilon in the power it is the stabilized closed form, in either order', () => {
    for (const formulation of ['textbook', 'epsilon first'] as const)
      for (const x of range(-8, 8, 33)) {
        const options = { gamma: 0.5, epsilon: 1e-3 };
        const { gradient } = emulatedFocalLoss(x, 1, { formulation, precision: 'float64', ...options });
        assert.ok(Math.abs(gradient / focalLossGradient(x, 1, { alpha: -1, ...options }) - 1) < 1e-11);
      }
  });

  test('every result is a number of the format', () => {
    for (const precision of PRECISIONS)
      for (const formulation of FORMULATIONS)
        for (const x of range(-12, 12, 49))
          for (const value of Object.values(
            emulatedFocalLoss(x, 1, { formulation, precision, gamma: 0.5, epsilon: 1e-3 }),
          ))
            assert.ok(Object.is(roundTo(value, precision), value), `${precision} ${formulation} ${x}`);
  });

  for (const gamma of [0.001, 0.5, 0.9]) {
    test(`the textbook form fails where 1 - p_t rounds to 0 in each format (gamma ${gamma})`, () => {
      for (const precision of PRECISIONS) {
        const { digits } = FORMATS[precision];
        const options: EmulationOptions = { formulation: 'textbook', precision, gamma };
        near(first(1, 1, options), digits * Math.LN2);
        near(first(1, 0, options), (digits + 1) * Math.LN2);
        for (const label of [0, 1] as const) assert.equal(first(-1, label, options), null);
      }
    });

    test(`an epsilon in the log leaves the failure where it was (gamma ${gamma})`, () => {
      for (const precision of PRECISIONS) {
        const options = { precision, gamma, epsilon: 1e-3 };
        near(
          first(1, 1, { formulation: 'epsilon in the log', ...options }),
          FORMATS[precision].digits * Math.LN2,
        );
      }
    });

    test(`log space and exact form are finite at every number of both halves (gamma ${gamma})`, () => {
      for (const precision of ['float16', 'bfloat16'] as const)
        for (const formulation of PRECISE)
          for (const size of finiteNumbers(precision))
            for (const x of [size, -size])
              assert.ok(
                Number.isFinite(emulatedFocalLoss(x, 1, { formulation, precision, gamma }).gradient),
                `${precision} ${formulation} ${x}`,
              );
    });
  }

  test('epsilon 1e-3 saves the power in every format, but formed first it is lost in bfloat16', () => {
    for (const label of [0, 1] as const)
      for (const precision of PRECISIONS) {
        const options = { precision, gamma: 0.5, epsilon: 1e-3 };
        assert.equal(first(1, label, { formulation: 'textbook', ...options }), null);
        const lost = first(1, label, { formulation: 'epsilon first', ...options });
        assert.equal(lost === null, precision !== 'bfloat16', `${precision} ${lost}`);
      }
  });

  test('an epsilon of 1e-8 is 0 in float16', () => {
    const options = { formulation: 'textbook', precision: 'float16', gamma: 0.5 } as const;
    assert.equal(first(1, 1, { ...options, epsilon: 1e-8 }), first(1, 1, { ...options, epsilon: 0 }));
    assert.equal(first(1, 1, { ...options, epsilon: 1e-7 }), null);
  });

  test('the smallest epsilon that is enough is the smallest number, or MAX^(-1 / (1 - gamma)) if that is more', () => {
    for (const precision of ['float32', 'float16', 'bfloat16'] as const)
      for (const gamma of [0.001, 0.05, 0.1, 0.25, 0.5, 0.9]) {
        const { max, digits, minExponent } = FORMATS[precision];
        const bound = Math.max(max ** (-1 / (1 - gamma)), 2 ** (minExponent - digits + 1));
        const failure = (epsilon: number) =>
          first(1, 1, { formulation: 'textbook', precision, gamma, epsilon });
        assert.equal(failure(4 * bound), null, `${precision} ${gamma}`);
        assert.notEqual(failure(bound / 4), null, `${precision} ${gamma}`);
      }
  });

  test('the exact form is within 5 + 2 gamma ulp in every format, where its results are normal numbers', () => {
    for (const precision of ['float32', 'float16', 'bfloat16'] as const)
      for (const gamma of [0, 0.25, 0.5, 1, 2]) {
        const smallest = 2 ** FORMATS[precision].minExponent;
        for (const z of range(-60, 60, 2001)) {
          const x = roundTo(z, precision);
          const found = emulatedFocalLoss(x, 1, { formulation: 'exact', precision, gamma });
          const options = { alpha: -1, gamma };
          const [loss, gradient] = [focalLoss(x, 1, options), focalLossGradient(x, 1, options)];
          if (Math.exp(-Math.abs(x)) * Math.min(1, loss, -gradient) < smallest) continue; // e, q, q^gamma as well
          assert.ok(errorInUlps(found.loss, loss, precision) <= 5 + 2 * gamma, `${precision} ${gamma} ${x}`);
          assert.ok(errorInUlps(found.gradient, gradient, precision) <= 5 + 2 * gamma, `${precision} ${x}`);
        }
      }
  });

  test('in float32 the log-space form agrees with the same formula differentiated by TensorFlow, to 1e-5', () => {
    const logits = range(-20, 20, 161).map(Math.fround);
    const logSpace = (x: tf.Tensor) => tf.mul(tf.exp(tf.mul(-0.5, tf.softplus(x))), tf.softplus(tf.neg(x)));
    const { gradient } = evaluate(logSpace, logits, 1);
    logits.forEach((x, i) => {
      const options: EmulationOptions = { formulation: 'log space', precision: 'float32', gamma: 0.5 };
      assert.ok(Math.abs(emulatedFocalLoss(x, 1, options).gradient / gradient[i] - 1) < 1e-5, `${x}`);
    });
  });

  test('bad input is named', () => {
    const options: EmulationOptions = { formulation: 'exact', precision: 'float32', gamma: 0.5 };
    assert.throws(
      () => emulatedFocalLoss(1, 1, { ...options, gamma: -1 }),
      /^RangeError: emulatedFocalLoss: gamma/,
    );
    assert.throws(() => emulatedFocalLoss(1, 0.5 as 1, options), /label must be 0 or 1/);
    assert.throws(
      () => emulatedFocalLoss(1, 1, { ...options, formulation: 'exakt' as Formulation }),
      /formulation is 'exakt'; expected one of textbook, epsilon first/,
    );
    assert.throws(
      () => emulatedFocalLoss(1, 1, { ...options, precision: 'half' as Precision }),
      /precision is 'half'/,
    );
  });
});

/** All finite numbers >= 0 of a half, in order. */
function finiteNumbers(precision: 'float16' | 'bfloat16'): number[] {
  const numbers: number[] = [];
  for (let x = 0; x <= FORMATS[precision].max; x += ulp(x, precision)) numbers.push(x);
  return numbers;
}

describe('firstNonFinite', () => {
  test('finds a failure to 4 digits, wherever it begins, and null if there is none', () => {
    for (const wall of [0.3, 16.6355, 17.3287, 36.7368, 88.72, 709.78, 32752]) {
      const found = firstNonFinite((sizes) => sizes.map((size) => (size >= wall ? NaN : 1)), 1e38)!;
      assert.ok(found >= wall && found < wall * 1.0005 + 1e-4, `${found}, expected ${wall}`);
    }
    assert.equal(
      firstNonFinite((sizes) => sizes.map(() => 0), 65504),
      null,
    );
    assert.equal(
      firstNonFinite((sizes) => sizes.map(() => Infinity), 65504),
      0,
    );
    assert.equal(
      firstNonFinite((sizes) => sizes.map((size) => (size === 65504 ? NaN : 1)), 65504),
      65504,
    );
  });
});
