import { checkPrecision, FORMATS, type Precision } from './formats';

/**
 * Rounds a number to the nearest one of a format, a tie to the one whose last bit is 0, as IEEE 754 does by default:
 *
 *   round(x) = spacing * nearest integer to x / spacing        spacing(x) = 2^(max(floor(log2 |x|), minExponent) - (digits - 1))
 *
 * Subnormal numbers are kept. From the largest number plus half a spacing on the result is infinite; NaN, infinities and
 * signed zeros stay what they are. A sum, difference, product or quotient of two numbers of a shorter format that is computed
 * in float64 and then rounded is the one that the format's own arithmetic gives: 53 bits are more than twice 24 + 1.
 *
 * @throws RangeError if the precision is unknown
 */
export function roundTo(value: number, precision: Precision): number {
  return rounding(precision)(value);
}

/**
 * `roundTo` for many numbers of one format.
 *
 * @throws RangeError if the precision is unknown
 */
export function rounding(precision: Precision): (value: number) => number {
  checkPrecision('rounding', precision);
  if (precision === 'float64') return (value) => value;
  if (precision === 'float32') return Math.fround;
  const { max } = FORMATS[precision];
  return (value) => {
    if (value === 0 || !Number.isFinite(value)) return value;
    const spacing = spacingAt(value, precision);
    // Both divisions and products are exact: by powers of 2. Adding 2^52 leaves no bits for a fraction.
    const rounded = spacing * (Math.abs(value) / spacing + 2 ** 52 - 2 ** 52);
    return Math.sign(value) * (rounded > max ? Infinity : rounded);
  };
}

/**
 * The distance between neighboring numbers of a format at a number: one unit in the last place (ulp).
 *
 * @param value  a finite number; at 0 and in the subnormal range it is the smallest positive number
 * @throws RangeError if the value is not finite or the precision unknown
 */
export function ulp(value: number, precision: Precision): number {
  checkPrecision('ulp', precision);
  if (!Number.isFinite(value)) throw new RangeError(`ulp: value is ${value}; expected a finite number`);
  return spacingAt(value, precision);
}

/**
 * How far a computed number is from the true one, in units in the last place of the format at the true one:
 *
 *   |computed - expected| / ulp(expected)
 *
 * A correctly rounded result has at most 0.5. Infinity if the computed number is infinite, NaN if it is NaN.
 *
 * @param expected  the true value, as exact as float64 can hold it
 * @throws RangeError if the expected value is not finite or the precision unknown
 */
export function errorInUlps(computed: number, expected: number, precision: Precision): number {
  return Math.abs(computed - expected) / ulp(expected, precision);
}

function spacingAt(value: number, precision: Precision): number {
  const { digits, minExponent } = FORMATS[precision];
  return 2 ** (Math.max(exponentOf(value), minExponent) - (digits - 1));
}

const view = new DataView(new ArrayBuffer(8));

/** floor(log2 |x|) of a normal float64, from its bits: Math.log2 may round up to an integer. -1023 for 0 and subnormals. */
function exponentOf(value: number): number {
  view.setFloat64(0, value);
  return ((view.getUint16(0) >> 4) & 0x7ff) - 1023;
}
