/**
 * q = 1 - p_t = sigma(-z), s = -log p_t and r = p_t s / q at a margin z, in float64. None of them is computed from another by
 * subtraction from 1.
 */
export function signedTerms(z: number): { q: number; s: number; r: number } {
  const e = Math.exp(-Math.abs(z)); // in [0, 1]: cannot overflow
  const l = Math.log1p(e);
  const q = (z >= 0 ? e : 1) / (1 + e); // sigma(-z): e^-z / (1 + e^-z) or 1 / (1 + e^z)
  const s = Math.max(-z, 0) + l; // log(1 + e^-z)
  // r = p_t s / q, in [0, 1]: p_t / q = e^z is 1 / e for z >= 0, where s = l, and e for z < 0.
  const r = z >= 0 ? (e > 0 ? l / e : 1) : e * Math.min(s, Number.MAX_VALUE); // limits at +Infinity and -Infinity
  return { q, s, r };
}
