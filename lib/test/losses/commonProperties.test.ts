import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { exactSigmoidFocalLoss, sigmoidFocalLoss, stabilizedSigmoidFocalLoss, tf } from 'focal-loss-lab';
import { expectClose } from '../expectClose';
import { evaluate, range } from './evaluate';

const LOSSES = { sigmoidFocalLoss, stabilizedSigmoidFocalLoss, exactSigmoidFocalLoss };

for (const [name, lossOf] of Object.entries(LOSSES)) {
  const epsilon = name === 'stabilizedSigmoidFocalLoss' ? 1e-3 : 0;

  describe(`${name}, as a focal loss`, () => {
    const logits = range(-6, 6, 97).map(Math.fround);

    test('at gamma 0 it is cross-entropy, with gradient p - y', () => {
      const p = logits.map((x) => 1 / (1 + Math.exp(-x)));
      for (const label of [0, 0.3, 1]) {
        const { loss, gradient } = evaluate((x, y) => lossOf(x, y, { alpha: -1, gamma: 0 }), logits, label);
        const crossEntropy = p.map((p) => -label * Math.log(p) - (1 - label) * Math.log1p(-p));
        expectClose(loss, crossEntropy, { relative: 1e-6, absolute: 1e-6 });
        expectClose(
          gradient,
          p.map((p) => p - label),
          { absolute: 3e-7 },
        );
      }
    });

    test('gamma scales each loss by (1 - p_t)^gamma', () => {
      for (const gamma of [0.1, 0.5, 1, 2, 5]) {
        const [plain, focal] = [0, gamma].map(
          (g) => evaluate((x, y) => lossOf(x, y, { gamma: g }), logits, 1).loss,
        );
        const factor = logits.map((x) => (1 / (1 + Math.exp(x)) + epsilon) ** gamma);
        expectClose(
          focal.map((loss, i) => loss / plain[i]),
          factor,
          { relative: 3e-4 },
        ); // 2^-24 gamma e^6
      }
    });

    test('x and label y with alpha are -x and label 1 - y with 1 - alpha', () => {
      for (const label of [0, 0.25, 1]) {
        const here = evaluate((x, y) => lossOf(x, y, { alpha: 0.25, gamma: 0.5 }), logits, label);
        const mirrored = evaluate(
          (x, y) => lossOf(x, y, { alpha: 0.75, gamma: 0.5 }),
          logits.map((x) => -x),
          1 - label,
        );
        expectClose(mirrored.loss, here.loss, { relative: 3e-4 }); // as rounded as 1 - p_t and label 0's cross-entropy
        expectClose(
          mirrored.gradient.map((slope) => -slope),
          here.gradient,
          { relative: 3e-4, absolute: 1e-6 },
        );
      }
    });

    test("'mean' and 'sum' are those of 'none', and so are their gradients", () => {
      const x = tf.tensor1d(logits);
      const y = tf.tensor1d(logits.map((_, i) => i % 2));
      const each = evaluate((x, y) => lossOf(x, y), logits, [...y.dataSync()]);
      for (const [reduction, share] of [
        ['mean', 1 / logits.length],
        ['sum', 1],
      ] as const) {
        const { value, grad } = tf.valueAndGrad((x: tf.Tensor) => lossOf(x, y, { reduction }))(x);
        assert.deepEqual(value.shape, []);
        expectClose(value.dataSync(), [each.loss.reduce((sum, loss) => sum + loss) * share], {
          relative: 1e-5,
        });
        expectClose(
          grad.dataSync(),
          each.gradient.map((slope) => slope * share),
          { relative: 1e-6 },
        );
      }
    });

    test('tensors of any rank keep their shape, in loss and in gradient', () => {
      for (const shape of [[], [4], [4, 1], [2, 2, 2, 2], [0]]) {
        const x = tf.fill(shape, 0.7);
        const y = tf.onesLike(x);
        const { value, grad } = tf.valueAndGrad((x: tf.Tensor) => lossOf(x, y))(x, tf.onesLike(x));
        assert.deepEqual(value.shape, shape);
        assert.deepEqual(grad.shape, shape);
      }
    });

    test('labels may be float32, int32 or bool', () => {
      const x = tf.tensor1d([-3, 0, 3]);
      const [floats, ints, bools] = (['float32', 'int32', 'bool'] as const).map((dtype) => {
        const y = tf.tensor1d([0, 1, 1], dtype);
        return tf
          .grad((x: tf.Tensor) => lossOf(x, y, { reduction: 'sum' }))(x)
          .dataSync();
      });
      assert.deepEqual(ints, floats);
      assert.deepEqual(bools, floats);
    });
  });

  describe(`${name} and memory`, () => {
    let before = 0;
    beforeEach(() => {
      before = tf.memory().numTensors;
    });
    afterEach(() => assert.equal(tf.memory().numTensors, before));

    for (const reduction of ['none', 'mean', 'sum'] as const)
      for (const label of [1, 0.5])
        test(`keeps only what it returns (reduction ${reduction}, label ${label})`, () => {
          const x = tf.tensor1d([-1, 2]);
          const y = tf.tensor1d([label, label]);
          const loss = lossOf(x, y, { reduction });
          assert.equal(tf.memory().numTensors, before + 3);
          const gradient = tf.grad((x: tf.Tensor) => lossOf(x, y, { reduction }))(x);
          assert.equal(tf.memory().numTensors, before + 4);
          tf.dispose([x, y, loss, gradient]);
        });

    test('a hundred training steps leave nothing behind', () => {
      const weight = tf.tidy(() => tf.variable(tf.scalar(0.5)));
      const optimizer = tf.train.sgd(0.1);
      const x = tf.tensor1d([-1, 2, 3]);
      const y = tf.tensor1d([0, 1, 1], 'int32');
      const afterSetUp = tf.memory().numTensors;
      const loss = () => lossOf(tf.mul(weight, x), y, { reduction: 'mean' });
      for (let step = 0; step < 100; step++) optimizer.minimize(loss, false, [weight]);
      assert.equal(tf.memory().numTensors, afterSetUp);
      assert.ok(weight.dataSync()[0] > 0.5, 'it has learned nothing');
      tf.dispose([x, y, weight]);
      optimizer.dispose();
    });

    test('bad input leaves nothing behind', () => {
      const x = tf.tensor1d([1, 2]);
      const y = tf.tensor1d([1, 2]);
      assert.throws(() => lossOf(x, y));
      assert.equal(tf.memory().numTensors, before + 2);
      tf.dispose([x, y]);
    });
  });

  describe(`second derivatives of ${name}`, () => {
    const second = /second derivatives are not supported/;

    test('are refused', () => {
      const x = tf.tensor1d([0.5, -0.5]);
      const y = tf.tensor1d([1, 0]);
      for (const gamma of [0, 0.5, 2]) {
        const slope = tf.grad((x: tf.Tensor) => lossOf(x, y, { gamma }));
        assert.throws(() => tf.grad((x: tf.Tensor) => slope(x))(x), second);
      }
    });

    test('are refused also as a part of something that has one', () => {
      const x = tf.scalar(0.5);
      const y = tf.scalar(1);
      const slope = tf.grad((x: tf.Tensor) => tf.add(lossOf(x, y), tf.pow(x, 3)));
      assert.throws(() => tf.grad((x: tf.Tensor) => slope(x))(x), second);
    });

    test('and the first derivative can be computed afterwards', () => {
      const x = tf.scalar(0.5);
      const y = tf.scalar(1);
      const slope = tf.grad((x: tf.Tensor) => lossOf(x, y));
      const expected = slope(x).dataSync();
      assert.throws(() => tf.grad((x: tf.Tensor) => slope(x))(x), second);
      assert.deepEqual(slope(x).dataSync(), expected);
    });
  });

  describe(`bad input to ${name}`, () => {
    const x = tf.tensor1d([0.5, -1]);
    const y = tf.tensor1d([1, 0]);
    const bad: { what: string; error: RegExp; logits?: unknown; labels?: unknown; options?: object }[] = [
      { what: 'an array of logits', error: /logits must be a tensor, got an array/, logits: [0.5, -1] },
      { what: 'a number for labels', error: /labels must be a tensor, got 1/, labels: 1 },
      {
        what: 'int32 logits',
        error: /logits must be float32, got int32/,
        logits: tf.tensor1d([1, 2], 'int32'),
      },
      {
        what: 'text labels',
        error: /labels must be float32, int32 or bool, got string/,
        labels: tf.tensor1d(['a', 'b']),
      },
      { what: 'a missing axis', error: /one shape, got \[2\] and \[2,1\]/, labels: tf.tensor2d([[1], [0]]) },
      { what: 'a label to be broadcast', error: /one shape, got \[2\] and \[\]/, labels: tf.scalar(1) },
      {
        what: 'a digit for a label',
        error: /\[0, 1\], got 7 at index 1/,
        labels: tf.tensor1d([0, 7], 'int32'),
      },
      { what: 'a label of -1', error: /\[0, 1\], got -1 at index 0/, labels: tf.tensor1d([-1, 1]) },
      { what: 'a label of NaN', error: /\[0, 1\], got NaN at index 0/, labels: tf.tensor1d([NaN, 1]) },
      {
        what: 'a negative gamma',
        error: /gamma must be a finite number >= 0, got -1/,
        options: { gamma: -1 },
      },
      {
        what: 'a gamma of NaN',
        error: /gamma must be a finite number >= 0, got NaN/,
        options: { gamma: NaN },
      },
      {
        what: 'an infinite gamma',
        error: /gamma must be a finite number >= 0, got Inf/,
        options: { gamma: Infinity },
      },
      {
        what: 'a gamma in quotes',
        error: /gamma must be a finite number >= 0, got '2'/,
        options: { gamma: '2' },
      },
      { what: 'an alpha above 1', error: /alpha must be at most 1 .*, got 2/, options: { alpha: 2 } },
      { what: 'an alpha of NaN', error: /alpha must be at most 1 .*, got NaN/, options: { alpha: NaN } },
      {
        what: 'an unknown reduction',
        error: /'mean' or 'sum', got 'average'/,
        options: { reduction: 'average' },
      },
    ];
    for (const { what, error, logits = x, labels = y, options = {} } of bad)
      test(`${what} is refused`, () =>
        assert.throws(
          () => lossOf(logits as tf.Tensor, labels as tf.Tensor, options),
          ({ message }: Error) => message.startsWith(`${name}: `) && error.test(message),
        ));
  });
}

test('stabilizedSigmoidFocalLoss refuses a negative or infinite epsilon', () => {
  const [x, y] = [tf.tensor1d([1]), tf.tensor1d([1])];
  for (const epsilon of [-1e-3, NaN, Infinity])
    assert.throws(
      () => stabilizedSigmoidFocalLoss(x, y, { epsilon }),
      /epsilon must be a finite number >= 0/,
    );
});
