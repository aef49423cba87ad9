/** A binary floating-point format. */
export type Precision = 'float64' | 'float32' | 'float16' | 'bfloat16';

interface Format {
  /** Bits of the significand, the leading one included. */
  digits: number;
  /** Exponent of the smallest normal number: 2^minExponent. Below it the spacing no longer shrinks. */
  minExponent: number;
  /** The largest finite number. */
  max: number;
}

/** @see IEEE 754-2019, table 3.5; bfloat16 has the exponents of float32 and 8 bits of significand */
export const FORMATS: Readonly<Record<Precision, Readonly<Format>>> = {
  float64: { digits: 53, minExponent: -1022, max: Number.MAX_VALUE },
  float32: { digits: 24, minExponent: -126, max: (2 - 2 ** -23) * 2 ** 127 },
  float16: { digits: 11, minExponent: -14, max: 65504 },
  bfloat16: { digits: 8, minExponent: -126, max: (2 - 2 ** -7) * 2 ** 127 },
};

/** @throws RangeError naming the caller */
export function checkPrecision(caller: string, precision: string): void {
  if (!Object.hasOwn(FORMATS, precision))
    throw new RangeError(
      `${caller}: precision is '${precision}'; expected one of ${Object.keys(FORMATS).join(', ')}`,
    );
}
