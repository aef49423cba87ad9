import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { floats } from 'focal-loss-lab';

const { errorInUlps, FORMATS, roundTo, ulp } = floats;
type Precision = floats.Precision;

/** Every positive finite number of a 16-bit format in order, decoded from its bits: sign, exponent bits, fraction bits. */
function positiveNumbers(exponentBits: number): number[] {
  const fractionBits = 15 - exponentBits;
  const bias = 2 ** (exponentBits - 1) - 1;
  const numbers: number[] = [];
  for (let bits = 0; bits < 2 ** 15; bits++) {
    const exponent = bits >> fractionBits;
    const fraction = (bits % 2 ** fractionBits) / 2 ** fractionBits;
    if (exponent === 2 ** exponentBits - 1) break; // infinity, then NaNs
    numbers.push(exponent === 0 ? fraction * 2 ** (1 - bias) : (1 + fraction) * 2 ** (exponent - bias));
  }
  return numbers;
}

const HALVES: [Precision, number[]][] = [
  ['float16', positiveNumbers(5)],
  ['bfloat16', positiveNumbers(8)],
];

describe('roundTo', () => {
  for (const [precision, numbers] of HALVES) {
    test(`each of the ${numbers.length} numbers of ${precision} rounds to itself, and so does its negative`, () => {
      assert.equal(numbers.at(-1), FORMATS[precision].max);
      for (const number of numbers) {
        assert.equal(roundTo(number, precision), number);
        assert.ok(Object.is(roundTo(-number, precision), -number));
      }
    });

    test(`between any two neighbors of ${precision} the nearer one is taken, in the middle the even one`, () => {
      for (let i = 0; i + 1 < numbers.length; i++) {
        const [low, high] = [numbers[i], numbers[i + 1]];
        const middle = (low + high) / 2; // exact in float64
        assert.equal(roundTo(middle, precision), i % 2 === 0 ? low : high, `${low}, ${high}`);
        assert.equal(roundTo(middle * (1 - 2 ** -52), precision), low);
        assert.equal(roundTo(middle * (1 + 2 ** -52), precision), high);
        assert.equal(roundTo(-middle * (1 + 2 ** -52), precision), -high);
        assert.equal(ulp(low, precision), high - low);
      }
    });
  }

  test('is Math.fround for float32 and does nothing for float64', () => {
    for (const value of [0.1, Math.PI, 1e-45, 1e-46, 3.4028235677973366e38, -1e39])
      assert.equal(roundTo(value, 'float32'), Math.fround(value));
    for (const value of [0.1, 5e-324, Number.MAX_VALUE]) assert.equal(roundTo(value, 'float64'), value);
  });

  test('has the values known from hardware: 1/3, pi, the last finite number and the first infinite one', () => {
    assert.equal(roundTo(1 / 3, 'float16'), 0.333251953125);
    assert.equal(roundTo(1 / 3, 'bfloat16'), 0.333984375);
    assert.equal(roundTo(Math.PI, 'float16'), 3.140625);
    assert.equal(roundTo(Math.PI, 'bfloat16'), 3.140625);
    assert.equal(roundTo(65519.99, 'float16'), 65504);
    assert.equal(roundTo(65520, 'float16'), Infinity);
    assert.equal(roundTo(-65520, 'float16'), -Infinity);
    assert.equal(roundTo(3.3962e38, 'bfloat16'), Infinity);
    assert.equal(roundTo(1e-8, 'float16'), 0);
    assert.equal(roundTo(2 ** -25, 'float16'), 0); // half of the smallest: a tie, to the even one
    assert.equal(roundTo(1e-41, 'bfloat16'), 0);
    assert.ok(roundTo(1e-40, 'bfloat16') > 0);
  });

  test('keeps NaN, infinities and the signs of zeros', () => {
    for (const precision of ['float32', 'float16', 'bfloat16'] as const)
      for (const value of [NaN, Infinity, -Infinity, 0, -0])
        assert.ok(Object.is(roundTo(value, precision), value));
    assert.ok(Object.is(roundTo(-1e-9, 'float16'), -0));
  });

  test('an unknown precision is refused', () => {
    assert.throws(() => roundTo(1, 'float8' as Precision), {
      name: 'RangeError',
      message: /^rounding: precision is 'float8'; expected one of float64, float32/,
    });
  });
});

describe('errorInUlps', () => {
  test('a rounded number is at most half a unit off, its neighbor more', () => {
    for (const precision of ['float32', 'float16', 'bfloat16'] as const)
      for (const value of [Math.PI, 1 / 3, 1.999999, 1e-5, 12345.678]) {
        const rounded = roundTo(value, precision);
        assert.ok(errorInUlps(rounded, value, precision) <= 0.5);
        assert.ok(errorInUlps(rounded + ulp(rounded, precision), value, precision) >= 0.5);
      }
    assert.equal(errorInUlps(1 + 2 ** -23, 1, 'float32'), 1);
    assert.equal(errorInUlps(3, 1, 'float16'), 2 / 2 ** -10);
  });

  test('is NaN or infinite for a result that is, and refuses a true value that is', () => {
    assert.ok(Number.isNaN(errorInUlps(NaN, 1, 'float32')));
    assert.equal(errorInUlps(-Infinity, 1, 'float32'), Infinity);
    assert.throws(() => errorInUlps(1, NaN, 'float32'), /^RangeError: ulp: value is NaN/);
  });
});
