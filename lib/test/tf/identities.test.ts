import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { tf } from 'focal-loss-lab';

describe('reshape and cast that change nothing', () => {
  test('share the memory of their input, which outlives either', () => {
    const x = tf.tensor2d([[1, 2, 3]]);
    const buffers = tf.memory().numDataBuffers;
    const reshaped = tf.reshape(x, [1, 3]);
    const cast = tf.cast(reshaped, 'float32');
    assert.equal(tf.memory().numDataBuffers, buffers);
    tf.dispose([x, reshaped]);
    assert.deepEqual([...cast.dataSync()], [1, 2, 3]);
    cast.dispose();
  });

  test('of a variable keep its old value when it is assigned a new one', () => {
    const variable = tf.variable(tf.tensor1d([1, 2]));
    const before = tf.reshape(variable, [2]);
    tf.tidy(() => variable.assign(tf.tensor1d([3, 4])));
    assert.deepEqual([...before.dataSync()], [1, 2]);
    assert.deepEqual([...variable.dataSync()], [3, 4]);
    tf.dispose([variable, before]);
  });

  test('pass gradients on, of first and second order', () => {
    tf.tidy(() => {
      const cube = (x: tf.Tensor) => tf.mul(tf.square(tf.reshape(x, [2])), tf.cast(x, 'float32'));
      const x = tf.tensor1d([1, 2]);
      assert.deepEqual([...tf.grad(cube)(x).dataSync()], [3, 12]);
      assert.deepEqual(
        [
          ...tf
            .grad((t) => tf.grad(cube)(t))(x)
            .dataSync(),
        ],
        [6, 12],
      );
    });
  });
});

describe('reshape and cast that change something', () => {
  test('still do', () => {
    tf.tidy(() => {
      const x = tf.tensor1d([0, 1.5, -2, 3]);
      const square = tf.reshape(x, [2, 2]);
      assert.deepEqual(square.shape, [2, 2]);
      assert.deepEqual(square.arraySync(), [
        [0, 1.5],
        [-2, 3],
      ]);
      assert.deepEqual([...tf.cast(x, 'int32').dataSync()], [0, 1, -2, 3]);
      assert.deepEqual([...tf.cast(x, 'bool').dataSync()], [0, 1, 1, 1]);
    });
  });
});

test('the bytes of a decoded image, which pass for int32, are cast to numbers', () => {
  const png = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNoAAAAggCBd81ytgAAAABJRU5ErkJggg==';
  tf.tidy(() => {
    const pixels = tf.cast(tf.node.decodePng(Buffer.from(png, 'base64'), 1), 'int32');
    assert.deepEqual([...pixels.dataSync()], [128]);
  });
});

test('identities leave no tensor behind', () => {
  const x = tf.ones([2, 3]);
  const before = tf.memory().numTensors;
  tf.dispose(tf.tidy(() => tf.cast(tf.reshape(x, [2, 3]), 'float32')));
  assert.equal(tf.memory().numTensors, before);
  x.dispose();
});
