import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { overlap, tf } from 'focal-loss-lab';

const of = (logits: number[], labels: number[]) => {
  const tensors = [tf.tensor1d(logits), tf.tensor1d(labels, 'float32')] as const;
  try {
    return overlap(...tensors);
  } finally {
    tf.dispose([...tensors]);
  }
};

describe('overlap', () => {
  test('two of four predicted pixels among three true ones: IoU 2/5, Dice 4/7', () => {
    assert.deepEqual(of([1, 2, 3, 4, -1, -2], [1, 1, 0, 0, 1, 0]), { iou: 2 / 5, dice: 4 / 7 });
  });
  test('a perfect mask has 1, a disjoint one 0', () => {
    assert.deepEqual(of([3, -3], [1, 0]), { iou: 1, dice: 1 });
    assert.deepEqual(of([3, -3], [0, 1]), { iou: 0, dice: 0 });
  });
  test('a logit of 0 is not in the mask, and neither is NaN', () => {
    assert.deepEqual(of([0, NaN, 1], [0, 0, 1]), { iou: 1, dice: 1 });
  });
  test('two empty masks agree', () => assert.deepEqual(of([-1], [0]), { iou: 1, dice: 1 }));
  test('different shapes are refused', () =>
    assert.throws(() => of([1], [1, 0]), /overlap: labels are \[2\]; expected \[1\]/));
  test('leaves no tensor', () => {
    const before = tf.memory().numTensors;
    of([1, -1], [1, 1]);
    assert.equal(tf.memory().numTensors, before);
  });
});
