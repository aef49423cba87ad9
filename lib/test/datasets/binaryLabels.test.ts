import assert from 'node:assert/strict';
import { test } from 'node:test';
import { binaryLabels, tf } from 'focal-loss-lab';

test('binaryLabels puts digits up to the threshold in class 1, the rest in class 0', () => {
  const digits = tf.range(0, 10, 1, 'int32');
  const before = tf.memory().numTensors;
  const labels = binaryLabels(digits, 4);
  assert.equal(labels.dtype, 'float32');
  assert.deepEqual(Array.from(labels.dataSync()), [1, 1, 1, 1, 1, 0, 0, 0, 0, 0]);
  assert.equal(tf.memory().numTensors, before + 1);
  tf.dispose([digits, labels]);
});

test('binaryLabels refuses thresholds that leave a class empty', () => {
  const digits = tf.range(0, 10, 1, 'int32');
  for (const threshold of [-1, 9, 0.5, NaN])
    assert.throws(() => binaryLabels(digits, threshold), /threshold is .*; expected an integer in 0..8/);
  digits.dispose();
});
