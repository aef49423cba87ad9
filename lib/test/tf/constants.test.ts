import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { tf } from 'focal-loss-lab';
import { keepConstants } from 'focal-loss-lab/dist/tf/constants';
import { backend } from 'focal-loss-lab/dist/tf/rawOps';

describe('constants that stay on the card', () => {
  // Every file of tests is a process of its own: the binding of this one may be exchanged.
  const sent: number[] = [];
  const { binding } = backend;
  const createTensor: typeof binding.createTensor = (shape, dtype, values) => {
    sent.push(values.length);
    return binding.createTensor(shape, dtype, values);
  };
  backend.binding = keepConstants(Object.create(binding, { createTensor: { value: createTensor } }));
  const sentBy = (work: () => void) => {
    sent.length = 0;
    tf.tidy(work);
    return sent.length;
  };

  test('a number is sent once, however often it is used and freed', () => {
    const half = () => assert.deepEqual(Array.from(tf.mul([2, 4], 0.5).dataSync()), [1, 2]);
    assert.equal(sentBy(half), 2); // the two values, and 0.5
    assert.equal(sentBy(half), 1);
  });

  test('numbers that only look alike are not one: -0 and 0, NaNs of one kind are', () => {
    const quotient = (x: number) => tf.div(tf.tensor1d([1, 1]), tf.scalar(x)).dataSync()[0];
    assert.deepEqual([0, -0].map(quotient), [Infinity, -Infinity]);
    assert.ok(Number.isNaN(quotient(NaN)));
    tf.tidy(() => assert.deepEqual(tf.mul(tf.ones([2]), tf.tensor2d([[3]])).shape, [1, 2]));
    tf.tidy(() => assert.deepEqual(tf.mul(tf.ones([2]), tf.scalar(3)).shape, [2]));
  });

  test('a variable that began as a constant changes, and the constant does not', () => {
    const weight = tf.variable(tf.scalar(0.25));
    weight.assign(tf.add(weight, 1));
    assert.equal(weight.dataSync()[0], 1.25);
    assert.equal(tf.scalar(0.25).add(0).dataSync()[0], 0.25);
    weight.dispose();
  });

  test('integers, which TensorFlow wants on the host, and longer tensors are sent as ever', () => {
    const work = () => tf.gather(tf.tensor1d([1, 2, 3]), tf.tensor1d([2], 'int32')).dataSync();
    work();
    const first = sentBy(work);
    assert.equal(sentBy(work), first);
    assert.ok(first >= 2);
  });
});
