import { tf } from './tensorflow';

/**
 * Speed of a float32 matrix product, in 1e9 operations per second: n x n, n doubled until one takes 20 ms; the quickest of five
 * counts, for the others were disturbed.
 */
export function measureGigaflops(): number {
  for (let n = 256; ; n *= 2) {
    const seconds = Math.min(...secondsOfProducts(n, 2));
    if (seconds < 0.02 && n < 16384) continue;
    const quickest = Math.min(seconds, ...secondsOfProducts(n, seconds < 0.05 ? 3 : 1));
    return (2 * n ** 3) / quickest / 1e9;
  }
}

function secondsOfProducts(n: number, times: number): number[] {
  const a = tf.fill([n, n], 1 / n);
  try {
    return Array.from({ length: times }, () =>
      tf.tidy(() => {
        const start = performance.now();
        tf.slice(tf.matMul(a, a), [0, 0], [1, 1]).dataSync(); // reading one element waits for the product
        return (performance.now() - start) / 1000;
      }),
    );
  } finally {
    a.dispose();
  }
}
