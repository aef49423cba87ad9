import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  exactSigmoidFocalLoss,
  exactSoftmaxFocalLoss,
  sigmoidFocalLoss,
  softmaxFocalLoss,
  stabilizedSigmoidFocalLoss,
  tf,
} from 'focal-loss-lab';
import { expectClose } from '../expectClose';

const BINARY = { sigmoidFocalLoss, stabilizedSigmoidFocalLoss, exactSigmoidFocalLoss };
const SOFTMAX = { softmaxFocalLoss, exactSoftmaxFocalLoss };
/** More labels than are read. */
const MANY = 70_000;

/** Losses and gradients where the labels are `label`, in the middle of many good ones. */
function amongMany(
  label: number,
  dtype: 'float32' | 'int32',
  lossOf: (y: tf.Tensor) => { value: tf.Tensor; grad: tf.Tensor },
) {
  return tf.tidy(() => {
    const labels = new Float32Array(MANY).map((_, i) => i % 2);
    labels[MANY / 2] = label;
    const y = tf.tensor1d(dtype === 'int32' ? Int32Array.from(labels) : labels, dtype);
    const { value, grad } = lossOf(y);
    return { losses: value.dataSync(), gradients: grad.arraySync() as (number | number[])[] };
  });
}

describe('no label is taken for another', () => {
  for (const [label, dtype] of [
    [255, 'int32'],
    [-1, 'int32'],
    [2, 'int32'],
    [255, 'float32'],
    [-1, 'float32'],
    [2, 'float32'],
    [1.0001, 'float32'],
    [NaN, 'float32'],
    [Infinity, 'float32'],
  ] as const)
    // prettier-ignore
    for (const [name, loss] of Object.entries(BINARY))
      test(`${name} of ${MANY} ${dtype} labels: one of ${label} makes its own loss and gradient NaN`, () => {
        const x = tf.fill([MANY], 2);
        const { losses, gradients } = amongMany(label, dtype, (y) =>
          tf.valueAndGrad((x: tf.Tensor) => loss(x, y, { alpha: null }))(x, tf.onesLike(x)),
        );
        assert.ok(Number.isNaN(losses[MANY / 2]) && Number.isNaN(gradients[MANY / 2]));
        assert.ok(losses.every((value, i) => i === MANY / 2 || Number.isFinite(value)));
        const few = tf.tensor1d([0, label, 1], dtype);
        assert.throws(() => loss(tf.zeros([3]), few), /labels must be in \[0, 1\], got .* at index 1/);
      });

  for (const [label, dtype] of [
    [255, 'int32'],
    [-1, 'int32'],
    [3, 'int32'],
    [0.5, 'float32'],
    [NaN, 'float32'],
  ] as const)
    // prettier-ignore
    for (const [name, loss] of Object.entries(SOFTMAX))
      test(`${name} of ${MANY} ${dtype} labels: one of ${label} makes its own loss and gradient NaN`, () => {
        const x = tf.tile(tf.tensor2d([[2, -1, 0.5]]), [MANY, 1]);
        const { losses, gradients } = amongMany(label, dtype, (y) =>
          tf.valueAndGrad((x: tf.Tensor) => loss(x, y))(x, tf.ones([MANY])),
        );
        assert.ok(Number.isNaN(losses[MANY / 2]));
        assert.ok((gradients[MANY / 2] as number[]).every(Number.isNaN));
        assert.ok(losses.every((value, i) => i === MANY / 2 || Number.isFinite(value)));
      });

  test('a row of zeros, which tf.oneHot makes of a label that is none, is not taken for an ignored one', () => {
    const rows = tf.oneHot(tf.fill([MANY], 255, 'int32'), 3);
    for (const loss of Object.values(SOFTMAX))
      assert.ok(
        loss(tf.zeros([MANY, 3]), rows)
          .dataSync()
          .every(Number.isNaN),
      );
  });
});

describe('an ignored label', () => {
  for (const [name, loss] of Object.entries(BINARY))
    for (const [dtype, ignoreLabel] of [
      ['int32', 255],
      ['float32', -1],
      ['float32', -100],
    ] as const)
      // prettier-ignore
      test(`has no loss and no gradient in ${name}, and is not counted (${dtype}, ${ignoreLabel})`, () => {
        const x = tf.tensor1d([0.5, 30, NaN, -2]);
        const y = tf.tensor1d([1, ignoreLabel, ignoreLabel, 0], dtype);
        // Good labels in their place, not fewer logits: a vectorized kernel may round a logit's loss otherwise at another place.
        const expected = loss(x, tf.tensor1d([1, 0, 0, 0], dtype), { gamma: 0.5 }).dataSync();
        const { value, grad } = tf.valueAndGrad((x: tf.Tensor) => loss(x, y, { gamma: 0.5, ignoreLabel }))(
          x,
          tf.onesLike(x),
        );
        expectClose(value.dataSync(), [expected[0], 0, 0, expected[3]], {});
        assert.deepEqual([...grad.dataSync()].map((slope) => slope !== 0), [true, false, false, true]); // prettier-ignore
        const mean = loss(x, y, { gamma: 0.5, ignoreLabel, reduction: 'mean' });
        expectClose(mean.dataSync(), [(expected[0] + expected[3]) / 2], { relative: 1e-6 });
        const none = loss(x, tf.fill([4], ignoreLabel, dtype), { ignoreLabel, reduction: 'mean' });
        assert.equal(none.dataSync()[0], 0);
        assert.throws(() => loss(x, tf.tensor1d([1, 7, 0, 0], dtype), { ignoreLabel }), /got 7 at index 1/);
      });

  for (const [name, loss] of Object.entries(SOFTMAX))
    test(`has no loss and no gradient in ${name}, and is not counted`, () => {
      const x = tf.tensor2d([[1, 2, 3], [30, 0, 0], [NaN, 0, 0], [0, -1, 1]]); // prettier-ignore
      const options = { gamma: 0.5, alpha: [1, 2, 3], ignoreLabel: 255 };
      const y = tf.tensor1d([0, 255, 255, 1], 'int32');
      const expected = loss(tf.gather(x, [0, 3]), tf.tensor1d([0, 1], 'int32'), options).dataSync();
      const { value, grad } = tf.valueAndGrad((x: tf.Tensor) => loss(x, y, options))(x, tf.ones([4]));
      expectClose(value.dataSync(), [expected[0], 0, 0, expected[1]], { relative: 1e-6 });
      const slopes = grad.arraySync() as number[][];
      for (const i of [1, 2]) assert.deepEqual(slopes[i].map(Math.abs), [0, 0, 0]);
      for (const i of [0, 3]) assert.ok(slopes[i].every((slope) => Number.isFinite(slope) && slope !== 0));
      const mean = loss(x, y, { ...options, reduction: 'mean' });
      expectClose(mean.dataSync(), [(expected[0] + expected[1]) / 2], { relative: 1e-6 });
    });

  test('is not needed for a mean of nothing to be 0', () => {
    for (const loss of Object.values(BINARY)) {
      const { value, grad } = tf.valueAndGrad((x: tf.Tensor) =>
        loss(x, tf.zeros([0]), { reduction: 'mean' }),
      )(tf.zeros([0]));
      assert.equal(value.dataSync()[0], 0);
      assert.deepEqual(grad.shape, [0]);
    }
    for (const loss of Object.values(SOFTMAX))
      for (const y of [tf.zeros([0], 'int32'), tf.zeros([0, 3])])
        assert.equal(loss(tf.zeros([0, 3]), y, { reduction: 'mean' }).dataSync()[0], 0);
  });

  test('must be a finite number', () => {
    for (const loss of [exactSigmoidFocalLoss, exactSoftmaxFocalLoss])
      assert.throws(
        () => loss(tf.zeros([2, 2]), tf.zeros([2, 2]), { ignoreLabel: NaN }),
        /ignoreLabel must be a finite/,
      );
  });
});

// A training step may be recorded with one batch and replayed with others: then no label may decide what is computed.
describe('what is computed does not depend on the labels', () => {
  const kernels = async (f: () => tf.Tensor) => (await tf.profile(() => f())).kernels.map(({ name }) => name);
  for (const [name, loss] of Object.entries(BINARY))
    test(`${name} runs the same kernels for hard, soft, bad and ignored labels of one type`, async () => {
      const x = tf.fill([MANY], 0.5); // too many to complain about a bad one
      const runs: string[][] = [];
      for (const label of [0, 1, 0.5, 255, NaN, -1]) {
        const y = tf.fill([MANY], label);
        runs.push(
          await kernels(() => tf.grad((x: tf.Tensor) => loss(x, y, { gamma: 0.5, ignoreLabel: -1 }))(x)),
        );
      }
      for (const run of runs) assert.deepEqual(run, runs[0]);
    });
  for (const [name, loss] of Object.entries(SOFTMAX))
    test(`${name} runs the same kernels for all labels of one shape`, async () => {
      const x = tf.fill([MANY, 3], 0.5);
      const runs: string[][] = [];
      for (const label of [0, 2, 3, -1, 255]) {
        const y = tf.fill([MANY], label, 'int32');
        runs.push(
          await kernels(() => tf.grad((x: tf.Tensor) => loss(x, y, { gamma: 0.5, ignoreLabel: -1 }))(x)),
        );
      }
      for (const run of runs) assert.deepEqual(run, runs[0]);
    });
});
