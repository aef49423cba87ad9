/** The value in the middle, or the mean of the two in the middle; NaN of none. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/**
 * A 95 % confidence interval of the median that assumes no distribution, only independent values: the k-th smallest and the k-th
 * largest. The median is below the k-th smallest if fewer than k of the n values are below it, with probability
 * P(B < k) = sum_{i < k} C(n, i) / 2^n for B binomial(n, 1/2); k is the largest for which that is at most 2.5 % on either side.
 *
 * @returns null for fewer than six values, where no k is large enough
 * @see Conover, Practical Nonparametric Statistics, 1999, section 3.2
 */
export function medianInterval(values: readonly number[]): { low: number; high: number } | null {
  const n = values.length;
  const sorted = [...values].sort((a, b) => a - b);
  let k = 0;
  let log = -n * Math.LN2; // of C(n, k) / 2^n, which is 0 in float64 where n is large and k small
  for (let below = Math.exp(log); below <= 0.025; below += Math.exp(log)) {
    k++;
    log += Math.log((n - k + 1) / k);
  }
  return k === 0 ? null : { low: sorted[k - 1], high: sorted[n - k] };
}
