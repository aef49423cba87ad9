/** A mean with the ends of its confidence interval. */
export interface Interval {
  mean: number;
  low: number;
  high: number;
}

/**
 * Student's 95 % confidence interval of a mean: mean -+ t s / sqrt(n), with s the standard deviation of the n numbers and t the
 * 0.975 quantile of Student's distribution with n - 1 degrees of freedom.
 *
 * For a paired comparison give it the differences: what the pairs share, such as a seed, does not widen the interval then.
 *
 * @throws RangeError for fewer than two numbers, or one that is not finite
 * @see Student 1908
 */
export function meanInterval(values: readonly number[]): Interval {
  const n = values.length;
  if (n < 2 || !values.every(Number.isFinite))
    throw new RangeError(`meanInterval: [${values.join(', ')}]; expected at least two finite numbers`);
  const mean = values.reduce((sum, value) => sum + value, 0) / n;
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (n - 1);
  const half = studentQuantile(n - 1) * Math.sqrt(variance / n);
  return { mean, low: mean - half, high: mean + half };
}

/**
 * t with P(|T| < t) = 0.95. With T = sqrt(freedom) tan(theta) the density is cos(theta)^(freedom - 1), up to a factor: the
 * angle is found by bisection.
 */
export function studentQuantile(freedom: number): number {
  const mass = (angle: number) => simpson((theta) => Math.cos(theta) ** (freedom - 1), 0, angle);
  const target = 0.95 * mass(Math.PI / 2);
  let [low, high] = [0, Math.PI / 2];
  for (let i = 0; i < 50; i++) {
    const middle = (low + high) / 2;
    if (mass(middle) < target) low = middle;
    else high = middle;
  }
  return Math.sqrt(freedom) * Math.tan(low);
}

/** Integral of a smooth function, by Simpson's rule. */
function simpson(f: (x: number) => number, from: number, to: number): number {
  const parts = 400;
  const width = (to - from) / parts;
  let sum = f(from) + f(to);
  for (let i = 1; i < parts; i++) sum += (i % 2 === 1 ? 4 : 2) * f(from + i * width);
  return (sum * width) / 3;
}
