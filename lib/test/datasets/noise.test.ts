import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { addUniformNoise, tf } from 'focal-loss-lab';

/** Noise on `count` pixels of one value. */
function noisy(value: number, amplitude: number, seed: number, count = 100_000): Float32Array {
  return tf.tidy(() => addUniformNoise(tf.fill([count], value), amplitude, seed).dataSync()) as Float32Array;
}

describe('addUniformNoise', () => {
  test('is uniform in [0, amplitude): every tenth of the range gets a tenth of the pixels', () => {
    const counts = new Array<number>(10).fill(0);
    for (const value of noisy(0, 0.75, 1)) counts[Math.floor((value / 0.75) * 10)] += 1;
    // binomial(100,000, 0.1): standard deviation 95
    for (const count of counts) assert.ok(Math.abs(count - 10_000) < 5 * 95, `${counts}`);
  });

  test('is added, then clipped to 1', () => {
    const values = noisy(0.5, 0.75, 1);
    assert.ok(values.every((value) => value >= 0.5 && value <= 1));
    const clipped = values.filter((value) => value === 1).length / values.length;
    assert.ok(Math.abs(clipped - 1 / 3) < 0.01, `${clipped} clipped`); // 0.5 + u > 1 where u > 0.5: 0.25 / 0.75
  });

  test('amplitude 0 leaves the image as it is', () => {
    assert.ok(noisy(0.25, 0, 1).every((value) => value === 0.25));
  });

  test('the seed determines it; neighboring, negative and 53-bit seeds give other noise', () => {
    assert.deepEqual(noisy(0, 1, 42), noisy(0, 1, 42));
    const first = [0, 1, -1, 2 ** 31, 2 ** 40, Number.MAX_SAFE_INTEGER].map((seed) =>
      noisy(0, 1, seed, 2).join(),
    );
    assert.equal(new Set(first).size, first.length);
  });

  test('leaves its input alone, and one tensor behind', () => {
    const images = tf.zeros([2, 3, 3, 1]);
    const before = tf.memory().numTensors;
    const result = addUniformNoise(images, 0.5, 1);
    assert.equal(tf.memory().numTensors, before + 1);
    assert.deepEqual(result.shape, images.shape);
    assert.ok(images.dataSync().every((value) => value === 0));
    tf.dispose([images, result]);
  });

  test('refuses a negative or infinite amplitude and a seed that is not an integer', () => {
    const images = tf.zeros([1]);
    assert.throws(() => addUniformNoise(images, -0.1, 1), /amplitude is -0.1; expected a finite number >= 0/);
    assert.throws(() => addUniformNoise(images, Infinity, 1), /amplitude is Infinity/);
    assert.throws(() => addUniformNoise(images, 0.5, 1.5), /seed is 1.5; expected an integer/);
    images.dispose();
  });
});
