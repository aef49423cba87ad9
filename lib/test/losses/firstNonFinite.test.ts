import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { firstNonFinite, floats, sigmoidFocalLoss, tf } from 'focal-loss-lab';

const MAX = floats.FORMATS.float32.max;
const logit = (y: number) => Math.log(y / (1 - y));

type Loss = (x: tf.Tensor) => tf.Tensor;

/** The gradients of a loss of TensorFlow at these logits, times a sign. */
const gradients = (loss: Loss, side: 1 | -1) => (sizes: number[]) =>
  tf.tidy(() => {
    const x = tf.tensor1d(sizes.map((size) => side * size));
    return tf
      .grad((x) => tf.sum(loss(x)))(x)
      .dataSync();
  });

/** |y - p|^beta CE(x, y), Li et al. 2020 */
const quality =
  (y: number, beta: number): Loss =>
  (x) => {
    const crossEntropy = tf.add(tf.mul(x, 1 - y), tf.softplus(tf.neg(x)));
    return tf.mul(crossEntropy, tf.pow(tf.abs(tf.sub(y, tf.sigmoid(x))), beta));
  };

/** The negative side of the asymmetric loss, Ridnik et al. 2021: max(p - clip, 0)^gamma CE */
const asymmetric =
  (gamma: number): Loss =>
  (x) => {
    const p = tf.relu(tf.sub(tf.sigmoid(x), 0.05));
    return tf.mul(tf.pow(p, gamma), tf.neg(tf.log(tf.sub(1, p))));
  };

describe("firstNonFinite, of a loss of one's own", () => {
  for (const y of [0.5, 0.6, 0.7, 0.9, 0.999])
    test(`quality focal loss is found to fail at its very target (y = ${y})`, () => {
      const first = firstNonFinite(gradients(quality(y, 0.5), 1), MAX);
      assert.ok(first !== null && Math.abs(first - logit(y)) < 1e-4 * (1 + logit(y)), `${first}`);
    });

  // Not every label is the sigmoid of a float32, least of all a small one.
  test('on both sides, wherever one of 128 float32 around the target fails', () => {
    const failing = [0.05, 0.1, 0.2, 0.25, 0.3, 0.4, 0.55, 0.65, 0.75, 0.8].filter((y) => {
      const [side, size] = [y < 0.5 ? -1 : 1, Math.abs(logit(y))] as const;
      const step = 2 ** (Math.floor(Math.log2(size)) - 23);
      const around = Array.from({ length: 128 }, (_, i) => Math.fround(size) + (i - 64) * step);
      return Array.from(gradients(quality(y, 0.5), side)(around)).some(
        (gradient) => !Number.isFinite(gradient),
      );
    });
    assert.ok(failing.some((y) => y < 0.5) && failing.some((y) => y > 0.5), `${failing}`);
    for (const y of failing) {
      const first = firstNonFinite(gradients(quality(y, 0.5), y < 0.5 ? -1 : 1), MAX);
      assert.ok(first !== null && Math.abs(first - Math.abs(logit(y))) < 1e-4, `y = ${y}: ${first}`);
    }
  });

  test('with a power of 2 it does not fail: a change of sign alone is no failure', () => {
    assert.equal(firstNonFinite(gradients(quality(0.7, 2), 1), MAX), null);
  });

  test('asymmetric loss fails where its clip begins, at p = 0.05', () => {
    const first = firstNonFinite(gradients(asymmetric(0.5), -1), MAX);
    assert.ok(first !== null && Math.abs(first - Math.log(19)) < 1e-3, `${first}`);
  });

  test('a change of sign does not hide an earlier failure, nor is a later one looked for', () => {
    const calls: number[] = [];
    const gradientsAt = (sizes: number[]) => {
      calls.push(sizes.length);
      return sizes.map((x) => (x >= 5 ? NaN : x < 7 ? 1 : -1));
    };
    const first = firstNonFinite(gradientsAt, MAX);
    assert.ok(first !== null && first >= 5 && first < 5.001);
    assert.equal(calls.length, 4);
  });

  test('of the textbook form it is the wall at 24 ln 2 and 25 ln 2, as it was', () => {
    for (const [label, side, wall] of [
      [1, 1, 24],
      [0, -1, 25],
    ] as const) {
      const loss: Loss = (x) => sigmoidFocalLoss(x, tf.fill(x.shape, label), { gamma: 0.5 });
      const first = firstNonFinite(gradients(loss, side), MAX);
      assert.ok(first !== null && Math.abs(first - wall * Math.LN2) < 1e-3, `${first}`);
    }
  });

  test('keeps no tensor', () => {
    const before = tf.memory().numTensors;
    firstNonFinite(gradients(quality(0.7, 0.5), 1), MAX);
    assert.equal(tf.memory().numTensors, before);
  });
});
