import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { tf } from 'focal-loss-lab';
import { expectClose } from '../expectClose';

type Fn = (x: tf.Tensor) => tf.Tensor;

/** f(x) and the gradient of sum(weights * f(x)), as a first-order backward pass computes it: with native kernels. */
function native(f: Fn, x: tf.Tensor, weights: tf.Tensor): { value: tf.Tensor; gradient: tf.Tensor } {
  return { value: f(x), gradient: tf.grad(f)(x, weights) };
}

/** The same gradient by tfjs's own formula, which remains in use while an outer gradient is recorded. */
function ownGradient(f: Fn, x: tf.Tensor, weights: tf.Tensor): tf.Tensor {
  let inner: tf.Tensor | undefined;
  tf.grad((outer) => {
    inner = tf.keep(tf.grad(f)(outer, weights));
    return tf.sum(outer);
  })(x);
  return inner as tf.Tensor;
}

/** Integers -3..3, so that windows have ties, in a reproducible order. */
const withTies = (shape: number[]) =>
  tf.tidy(() => tf.round(tf.randomUniform(shape, -3.4, 3.4, 'float32', 'ties')));
const random = (shape: number[], seed: string) => tf.randomUniform(shape, -2, 2, 'float32', seed);

const values = (tensor: tf.Tensor) => Array.from(tensor.dataSync());

/** Compares native and own for one function and input; disposes everything. */
function assertSameAsTfjs(
  f: Fn,
  x: tf.Tensor,
  upstream?: (shape: number[]) => tf.Tensor,
  tolerance = 0,
): void {
  tf.tidy(() => {
    const shape = f(x).shape;
    const weights = upstream?.(shape) ?? random(shape, 'weights');
    const own = ownGradient(f, x, weights);
    expectClose(values(native(f, x, weights).gradient), values(own), { relative: tolerance });
    own.dispose();
  });
  x.dispose();
}

/** By definition: each window's gradient goes to its first largest element. */
function poolByHand(x: number[][], size: number, stride: number): { value: number[]; gradient: number[][] } {
  const rows = Math.floor((x.length - size) / stride) + 1;
  const columns = Math.floor((x[0].length - size) / stride) + 1;
  const gradient = x.map((row) => row.map(() => 0));
  const value: number[] = [];
  for (let i = 0; i < rows; i++)
    for (let j = 0; j < columns; j++) {
      let [r, c] = [i * stride, j * stride];
      for (let a = i * stride; a < i * stride + size; a++)
        for (let b = j * stride; b < j * stride + size; b++) if (x[a][b] > x[r][c]) [r, c] = [a, b];
      value.push(x[r][c]);
      gradient[r][c] += value.length; // the upstream gradients are 1, 2, 3, ...
    }
  return { value, gradient };
}

describe('native gradients give exactly what tfjs gives', () => {
  test('ReLU, at 0 too', () => assertSameAsTfjs(tf.relu, withTies([5, 7])));

  test('ReLU: infinite inputs, and NaN or infinite gradients from above', () => {
    assertSameAsTfjs(tf.relu, tf.tensor1d([Infinity, -Infinity, 0, 1]));
    for (const poison of [NaN, Infinity])
      assertSameAsTfjs(tf.relu, tf.tensor1d([-1, 0, 1]), (shape) => tf.fill(shape, poison));
  });

  for (const [name, reduce] of [
    ['mean', tf.mean],
    ['sum', tf.sum],
  ] as const)
    test(`${name}, over all axes, some, negative ones, and kept ones`, () => {
      assertSameAsTfjs((x) => reduce(x), random([3, 4, 5], name));
      assertSameAsTfjs((x) => reduce(x, [0, 2]), random([3, 4, 5], name));
      assertSameAsTfjs((x) => reduce(x, -1, true), random([3, 4, 5], name));
      assertSameAsTfjs((x) => reduce(x), tf.scalar(2));
    });

  for (const [name, size, stride, padding, shape] of [
    ['2x2', 2, 2, 'valid', [3, 8, 8, 6]],
    ['2x2, odd sizes', 2, 2, 'valid', [2, 7, 9, 3]],
    ['2x2, padded', 2, 2, 'same', [2, 7, 9, 3]],
    ['3x3 overlapping', 3, 2, 'valid', [2, 9, 9, 5]],
    ['3x3 overlapping, padded', 3, 1, 'same', [2, 5, 6, 1]],
  ] as const)
    test(`max-pool ${name}, with ties`, () => {
      const pool = (x: tf.Tensor) => tf.maxPool(x as tf.Tensor4D, size, stride, padding);
      // Where windows overlap an element collects several gradients, and float32 sums depend on the order.
      assertSameAsTfjs(pool, withTies([...shape]), undefined, stride < size ? 1e-6 : 0);
    });

  test('max-pool: a NaN gradient from above reaches the largest element of each window', () => {
    const x = tf.tensor4d([1, 2, 3, 4], [1, 2, 2, 1]);
    const gradient = tf.grad((t) => tf.maxPool(t as tf.Tensor4D, 2, 2, 'valid'))(
      x,
      tf.fill([1, 1, 1, 1], NaN),
    );
    assert.ok(Number.isNaN(values(gradient)[3]));
    tf.dispose([x, gradient]);
  });
});

describe('max-pool', () => {
  for (const [size, stride] of [
    [2, 2],
    [3, 2],
    [3, 1],
  ])
    test(`gives the maximum, and its gradient to the first largest element (${size}x${size}, stride ${stride})`, () => {
      tf.tidy(() => {
        const x = withTies([9, 9]);
        const { value, gradient } = poolByHand(x.arraySync() as number[][], size, stride);
        const pool = (t: tf.Tensor) =>
          tf.maxPool(tf.reshape(t, [1, 9, 9, 1]) as tf.Tensor4D, size, stride, 'valid');
        const result = native(pool, x, tf.reshape(tf.range(1, value.length + 1), pool(x).shape));
        assert.deepEqual(values(result.value), value);
        assert.deepEqual(result.gradient.arraySync(), gradient);
      });
    });

  test("explicit padding stays tfjs's own clear error", () => {
    const x = tf.zeros<tf.Rank.R4>([1, 2, 2, 1]);
    assert.throws(() => tf.maxPool(x, 2, 2, 1, 'floor'), /supports only 'valid' and 'same' padding/);
    x.dispose();
  });
});

describe('ReLU of NaN', () => {
  test('is NaN; its gradient is 0, as in TensorFlow (tfjs: NaN)', () => {
    tf.tidy(() => {
      const { value, gradient } = native(tf.relu, tf.tensor1d([NaN, 1]), tf.tensor1d([1, 1]));
      assert.deepEqual(values(value), [NaN, 1]);
      assert.deepEqual(values(gradient), [0, 1]);
    });
  });
});

describe('second derivatives', () => {
  const second = (f: Fn, x: tf.Tensor) => values(tf.grad((t) => tf.grad(f)(t))(x));

  test('through ReLU: of relu(x)^3, 6 relu(x)', () => {
    tf.tidy(() => {
      const f = (x: tf.Tensor) => tf.mul(tf.square(tf.relu(x)), tf.relu(x));
      assert.deepEqual(second(f, tf.tensor1d([-1, 0.5, 2])), [0, 3, 12]);
    });
  });

  test('through mean and sum: of mean(x^2), 2 / n', () => {
    tf.tidy(() => {
      assert.deepEqual(
        second((x) => tf.mean(tf.square(x)), tf.tensor1d([1, 2, 3, 4])),
        [0.5, 0.5, 0.5, 0.5],
      );
      assert.deepEqual(
        second((x) => tf.sum(tf.square(x)), tf.tensor1d([1, 2])),
        [2, 2],
      );
    });
  });
});

test('native kernels leave no tensor behind', () => {
  const x = random([2, 8, 8, 3], 'x');
  const gradient = tf.grad((t) => tf.mean(tf.maxPool(tf.relu(t) as tf.Tensor4D, 2, 2, 'valid')));
  const before = tf.memory().numTensors;
  for (let i = 0; i < 3; i++) gradient(x).dispose();
  assert.equal(tf.memory().numTensors, before);
  x.dispose();
});
