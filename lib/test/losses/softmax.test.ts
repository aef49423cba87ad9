import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  exactSigmoidFocalLoss,
  exactSoftmaxFocalLoss,
  firstNonFinite,
  multiclassFocalLoss,
  softmaxFocalLoss,
  tf,
} from 'focal-loss-lab';
import type { SoftmaxFocalLossOptions } from 'focal-loss-lab/dist/losses';
import { expectClose } from '../expectClose';
import { softmax } from './fixtures';

type Options = SoftmaxFocalLossOptions<'none'>;
type Rows = readonly (readonly number[])[];

/** Losses and gradients of rows of logits; labels as class indices, or as rows. */
function evaluate(
  loss: typeof softmaxFocalLoss,
  logits: Rows,
  labels: readonly number[] | Rows,
  options: Options,
) {
  return tf.tidy(() => {
    const x = tf.tensor2d(logits as number[][]);
    const y =
      typeof labels[0] === 'number'
        ? tf.tensor1d(labels as number[], 'int32')
        : tf.tensor2d(labels as number[][]);
    const { value, grad } = tf.valueAndGrad((x: tf.Tensor) => loss(x, y, options))(
      x,
      tf.ones([logits.length]),
    );
    return {
      loss: [...value.dataSync()],
      gradient: grad.arraySync() as number[][],
    };
  });
}

const oneHot = (label: number, classes: number) =>
  Array.from({ length: classes }, (_, j) => Number(j === label));
const SMALLEST_NORMAL = 2 ** -126;

/** As the docstring has it. */
const ulpsAllowed = (gamma: number) => (gamma <= 1 ? 15 : gamma <= 2 ? 20 : gamma <= 5 ? 32 : 44);

function expectWithinUlps(actual: number[], expected: number[], ulps: number[], smallest: number) {
  const absolute = expected.map(Math.abs).map((value, i) => {
    if (value < smallest) return smallest;
    return ulps[i] * 2 ** (Math.floor(Math.log2(value)) - 23);
  });
  expectClose(actual, expected, { absolute });
}

describe('exactSoftmaxFocalLoss against 50-digit values', () => {
  const bySettings = new Map<string, typeof softmax.cases>();
  for (const sample of softmax.cases) {
    const key = `gamma ${sample.gamma}, ${softmax.rows[sample.row].logits.length} classes`;
    bySettings.set(key, [...(bySettings.get(key) ?? []), sample]);
  }
  for (const [settings, cases] of bySettings)
    for (const kind of ['indices', 'rows'] as const)
      test(`is within its bound: ${settings}, labels as ${kind}`, () => {
        const rows = cases.map(({ row }) => softmax.rows[row]);
        const [{ gamma }] = cases;
        const classes = rows[0].logits.length;
        const labels = rows.map(({ label }) => label);
        const found = evaluate(
          exactSoftmaxFocalLoss,
          rows.map(({ logits }) => logits),
          kind === 'indices' ? labels : labels.map((label) => oneHot(label, classes)),
          { gamma },
        );
        const ulps = ulpsAllowed(gamma);
        const smallest = classes * SMALLEST_NORMAL;
        expectWithinUlps(found.loss, cases.map(({ loss }) => loss), cases.map(() => ulps), smallest); // prettier-ignore
        cases.forEach(({ gradient }, i) => {
          const { logits, label } = rows[i];
          const largest = Math.max(...logits.filter((_, j) => j !== label));
          const allowed = logits.map((x, j) => ulps + (j === label ? 0 : (largest - x) / 2));
          expectWithinUlps(found.gradient[i], gradient, allowed, smallest);
        });
      });

  for (const gamma of [0.5, 2])
    test(`a derivative by a logit far from the largest has a unit more per unit of distance: gamma ${gamma}`, () => {
      const rows = Array.from({ length: 4000 }, (_, i) => {
        const far = 5 + (85 * i) / 4000;
        return [1.5 + Math.sin(i), 0.5 * Math.cos(i), 0.5 * Math.cos(i) - far].map(Math.fround);
      });
      const found = evaluate(exactSoftmaxFocalLoss, rows, rows.map(() => 0), { gamma }); // prettier-ignore
      const errors = rows.map((row, i) => {
        const truth = multiclassFocalLoss(row, 0, { gamma }).gradient[2];
        if (truth < 3 * SMALLEST_NORMAL) return 0; // may be flushed
        return Math.abs(found.gradient[i][2] - truth) / 2 ** (Math.floor(Math.log2(truth)) - 23);
      });
      rows.forEach(([, largest, far], i) =>
        assert.ok(errors[i] <= ulpsAllowed(gamma) + largest - far, `${far}`),
      );
      assert.ok(Math.max(...errors) > 40, 'the distance is what counts');
    });

  test('the values of public reports are among them', () => {
    const { loss, gradient } = multiclassFocalLoss([2, -1, 0.5], 0, { gamma: 0.5 });
    expectClose([loss, ...gradient], [0.11173598123, -0.143166164668, 0.0261171625808, 0.117049002087], {
      relative: 1e-11,
    });
    const easy = multiclassFocalLoss([20, 0, 0], 0, { gamma: 0.5 });
    expectClose([easy.loss, ...easy.gradient], [2.646735452e-13, -3.970103167e-13, 1.985051583e-13, 1.985051583e-13], {
      relative: 1e-9,
    }); // prettier-ignore
    const hard = evaluate(exactSoftmaxFocalLoss, [[0, -20, 0]], [1], { gamma: 2 });
    expectClose([...hard.loss, ...hard.gradient[0]], [20.693147, 0.5, -1, 0.5], { relative: 1e-6 });
  });

  test('the closed form in float64 is right to 1e-12', () => {
    for (const { row, gamma, loss, gradient } of softmax.cases) {
      const { logits, label } = softmax.rows[row];
      const found = multiclassFocalLoss(logits, label, { gamma });
      const absolute = [loss, ...gradient].map((value) => Math.max(1e-300, 1e-12 * Math.abs(value)));
      expectClose([found.loss, ...found.gradient], [loss, ...gradient], { absolute });
    }
  });
});

describe('exactSoftmaxFocalLoss', () => {
  test('of two classes is the binary loss of the difference of the logits', () => {
    const differences = Array.from({ length: 201 }, (_, i) => (i - 100) / 4);
    for (const gamma of [0, 0.5, 2])
      for (const label of [0, 1]) {
        const { loss, gradient } = evaluate(
          exactSoftmaxFocalLoss,
          differences.map((x) => [0, x]),
          differences.map(() => label),
          { gamma },
        );
        const x = tf.tensor1d(differences);
        const y = tf.fill([x.size], label, 'int32');
        const binary = tf.valueAndGrad((x: tf.Tensor) => exactSigmoidFocalLoss(x, y, { alpha: null, gamma }))(
          x,
          tf.onesLike(x),
        );
        expectClose(loss, binary.value.dataSync(), { relative: 2e-6 });
        expectClose(gradient.map(([, slope]) => slope), binary.grad.dataSync(), { relative: 2e-6 }); // prettier-ignore
      }
  });

  test('is finite in value and gradient where the textbook form is not', () => {
    for (const gap of [15, 17, 30, 100, 1e4])
      for (const sign of [1, -1]) {
        const logits = [[sign * gap, 0, 0]];
        const exact = evaluate(exactSoftmaxFocalLoss, logits, [0], { gamma: 0.5 });
        assert.ok([...exact.loss, ...exact.gradient[0]].every(Number.isFinite));
      }
    const textbook = evaluate(softmaxFocalLoss, [[20, 0, 0]], [0], { gamma: 0.5 });
    assert.ok(textbook.loss.every(Number.isFinite) && textbook.gradient[0].some(Number.isNaN));
  });

  test('has its limits at infinite logits', () => {
    const { loss, gradient } = evaluate(
      exactSoftmaxFocalLoss,
      [
        [Infinity, 0, 0],
        [-Infinity, 0, 0],
        [0, -Infinity, 0],
        [NaN, 0, 0],
      ],
      [0, 0, 0, 0],
      { gamma: 0.5 },
    );
    expectClose(loss, [0, Infinity, Math.SQRT1_2 * Math.LN2, NaN], { relative: 1e-6 });
    expectClose(gradient[0].map(Math.abs), [0, 0, 0], {});
    expectClose(gradient[1], [-1, 0.5, 0.5], {});
    assert.equal(Math.abs(gradient[2][1]), 0);
    assert.ok(gradient[3].every(Number.isNaN));
  });

  test('a soft row is the mixture of its classes, weighted by alpha of each', () => {
    const logits = Array.from({ length: 40 }, (_, i) => [
      3 * Math.sin(i),
      5 * Math.cos(2 * i),
      i / 4 - 5,
      1,
    ]).map((row) => row.map(Math.fround));
    const labels = logits.map((_, i) => [0.125, 0.5 - (i % 4) / 8, (i % 4) / 8, 0.375]);
    const alpha = [0.25, 1, 2, 0.5];
    for (const gamma of [0, 0.5, 2]) {
      const { loss, gradient } = evaluate(exactSoftmaxFocalLoss, logits, labels, { gamma, alpha });
      logits.forEach((row, i) => {
        const each = row.map((_, c) => multiclassFocalLoss(row, c, { gamma, alpha }));
        const mixed = (of: (terms: (typeof each)[number]) => number) =>
          each.reduce((sum, terms, c) => sum + labels[i][c] * of(terms), 0);
        expectClose([loss[i]], [mixed((terms) => terms.loss)], { relative: 2e-6 });
        row.forEach((_, j) =>
          expectClose([gradient[i][j]], [mixed((terms) => terms.gradient[j])], {
            relative: 2e-6,
            absolute: 1e-6 * mixed((terms) => Math.abs(terms.gradient[j])),
          }),
        );
      });
    }
  });

  test('alpha is a weight for all classes, one for each, or none', () => {
    const logits = [[1, 2, 0.5], [1, 2, 0.5]]; // prettier-ignore
    const lossOf = (alpha: Options['alpha']) =>
      evaluate(exactSoftmaxFocalLoss, logits, [0, 2], { alpha }).loss;
    const plain = lossOf(null);
    assert.deepEqual(lossOf(-1), plain);
    expectClose(lossOf(0.25), plain.map((loss) => loss / 4), { relative: 1e-7 }); // prettier-ignore
    expectClose(lossOf([2, 7, 3]), [2 * plain[0], 3 * plain[1]], { relative: 1e-6 });
  });

  test('takes the logits and labels of segmentation, and indices in float32', () => {
    const x = tf.randomNormal([2, 4, 5, 3], 0, 3, 'float32', 7);
    const y = tf.cast(tf.randomUniform([2, 4, 5], 0, 3, 'int32', 8), 'int32');
    const { value, grad } = tf.valueAndGrad((x: tf.Tensor) => exactSoftmaxFocalLoss(x, y))(
      x,
      tf.ones([2, 4, 5]),
    );
    assert.deepEqual([value.shape, grad.shape], [[2, 4, 5], [2, 4, 5, 3]]); // prettier-ignore
    const flat = exactSoftmaxFocalLoss(tf.reshape(x, [-1, 3]), tf.cast(tf.reshape(y, [-1]), 'float32'));
    assert.deepEqual(flat.dataSync(), value.dataSync());
    assert.deepEqual(exactSoftmaxFocalLoss(tf.zeros([0, 3]), tf.zeros([0], 'int32')).shape, [0]);
  });

  test('its gradients by all logits sum to 0', () => {
    for (const { row } of softmax.cases.slice(0, 40)) {
      const { logits, label } = softmax.rows[row];
      const [gradient] = evaluate(exactSoftmaxFocalLoss, [logits], [label], { gamma: 0.5 }).gradient;
      const sum = gradient.reduce((total, slope) => total + slope, 0);
      assert.ok(Math.abs(sum) <= 3e-6 * Math.abs(gradient[label]), `${sum} of ${gradient[label]}`);
    }
  });
});

describe('softmaxFocalLoss, the textbook form', () => {
  /** The gap from which the gradient is not finite, the other logits being equal. */
  const wall = (classes: number, wrong: boolean, asRows: boolean) =>
    firstNonFinite((gaps) => {
      const logits = gaps.map((gap) =>
        Array.from({ length: classes }, (_, j) => (j === classes - 1 ? gap : 0)),
      );
      const label = wrong ? 0 : classes - 1;
      const labels = gaps.map(() => label);
      const { gradient } = evaluate(softmaxFocalLoss, logits, asRows ? labels.map((t) => oneHot(t, classes)) : labels, { gamma: 0.5 }); // prettier-ignore
      return gradient.map((slopes) => slopes.reduce((sum, slope) => sum + slope, 0));
    }, 3e38);

  // Where the sum 1 + (classes - 1) e^-gap rounds to 1. Terms that are added to 1 one after the other are lost one by one.
  for (const classes of [3, 21, 1000])
    test(`of ${classes} classes has its wall where p_t rounds to 1`, () => {
      const gap = wall(classes, false, false)!;
      assert.ok(gap >= 24 * Math.LN2 - 1e-3 && gap <= 24 * Math.LN2 + Math.log(classes - 1) + 1e-3, `${gap}`);
      assert.ok(gap > 24 * Math.LN2 + Math.log(classes - 1) - 1, `${gap}`);
      assert.equal(wall(classes, true, false), null);
      assert.equal(wall(classes, false, true), gap);
      assert.equal(wall(classes, true, true), gap); // one-hot rows also have the term of the wrong class
    });

  test('is the exact form where logits are moderate, for indices and for rows', () => {
    const logits = Array.from({ length: 60 }, (_, i) => [Math.sin(i) * 4, Math.cos(3 * i) * 3, i / 20, -1]);
    const labels = logits.map((_, i) => i % 4);
    for (const gamma of [0, 0.5, 1, 2])
      for (const given of [labels, labels.map((label) => oneHot(label, 4))]) {
        const exact = evaluate(exactSoftmaxFocalLoss, logits, given, { gamma });
        const textbook = evaluate(softmaxFocalLoss, logits, given, { gamma });
        expectClose(textbook.loss, exact.loss, { relative: 3e-4 });
        textbook.gradient.forEach((slopes, i) =>
          expectClose(slopes, exact.gradient[i], { relative: 5e-4, absolute: 1e-6 }),
        );
      }
  });
});

for (const [name, loss] of Object.entries({ exactSoftmaxFocalLoss, softmaxFocalLoss }))
  describe(`${name}, as a function`, () => {
    const x = tf.tensor2d([[1, 2, 3], [0, 0, 1]]); // prettier-ignore
    const bad: { what: string; error: RegExp; logits?: unknown; labels: tf.Tensor; options?: object }[] = [
      { what: 'a label beyond the classes', error: /class indices in 0 \.\. 2, got 3 at index 1/, labels: tf.tensor1d([0, 3], 'int32') },
      { what: 'a label between two classes', error: /got 0\.5 at index 0/, labels: tf.tensor1d([0.5, 1]) },
      { what: 'an ignore label that was not named', error: /got 255 at index 0/, labels: tf.tensor1d([255, 1], 'int32') },
      { what: 'a row that is no distribution', error: /each row of labels must sum to 1, got 0 in row 1/, labels: tf.tensor2d([[0, 1, 0], [0, 0, 0]]) },
      { what: 'a row with a negative number', error: /in \[0, 1\], got -1 at index 0/, labels: tf.tensor2d([[-1, 1, 1], [0, 0, 1]]) },
      { what: 'labels of another shape', error: /class indices \[2\] or rows \[2,3\], got \[2,1\]/, labels: tf.zeros([2, 1], 'int32') },
      { what: 'one class', error: /two classes or more, got \[2,1\]/, logits: tf.zeros([2, 1]), labels: tf.zeros([2], 'int32') },
      { what: 'alphas of other classes', error: /alpha has 2 numbers; expected one per class, 3/, labels: tf.zeros([2], 'int32'), options: { alpha: [1, 2] } },
      { what: 'an alpha of NaN', error: /alpha\[1\] must be a finite number >= 0, got NaN/, labels: tf.zeros([2], 'int32'), options: { alpha: [1, NaN, 1] } },
      { what: 'an ignoreLabel for rows', error: /ignoreLabel goes with class indices/, labels: tf.tensor2d([[0, 1, 0], [0, 0, 1]]), options: { ignoreLabel: 255 } },
      { what: 'a negative gamma', error: /gamma must be a finite number >= 0, got -1/, labels: tf.zeros([2], 'int32'), options: { gamma: -1 } },
    ]; // prettier-ignore
    for (const { what, error, logits = x, labels, options = {} } of bad)
      test(`refuses ${what}`, () =>
        assert.throws(
          () => loss(logits as tf.Tensor, labels, options),
          ({ message }: Error) => message.startsWith(`${name}: `) && error.test(message),
        ));

    test('keeps only what it returns, and refuses a second derivative', () => {
      const y = tf.tensor1d([0, 2], 'int32');
      const rows = tf.tensor2d([[0, 0.5, 0.5], [0, 0, 1]]); // prettier-ignore
      for (const labels of [y, rows]) {
        const before = tf.memory().numTensors;
        const gradient = tf.grad((x: tf.Tensor) => loss(x, labels, { reduction: 'mean', alpha: [1, 2, 3] }));
        const slopes = gradient(x);
        assert.equal(tf.memory().numTensors, before + 1);
        slopes.dispose();
        assert.throws(
          () => tf.grad((x: tf.Tensor) => gradient(x))(x),
          new RegExp(`${name}: second derivatives are not supported`),
        );
      }
    });
  });
