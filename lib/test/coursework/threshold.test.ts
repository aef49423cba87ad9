import { accepts, rejects, survivesAnything, verdicts } from './verdicts';
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { exercise2, sigmoidFocalLoss, tf } from 'focal-loss-lab';

type IsBad = (x: number) => boolean;

describe('the check of the bisection', () => {
  accepts(exercise2.bisection, {
    'a loop that ends between neighbors': (isBad: IsBad, low: number, high: number) => {
      for (;;) {
        const middle = Math.fround((low + high) / 2);
        if (middle === low || middle === high) return high;
        if (isBad(middle)) high = middle;
        else low = middle;
      }
    },
    'a recursion': function search(isBad: IsBad, low: number, high: number): number {
      const middle = Math.fround(low + (high - low) / 2);
      if (middle <= low || middle >= high) return high;
      return isBad(middle) ? search(isBad, low, middle) : search(isBad, middle, high);
    },
    'a fixed number of halvings': (isBad: IsBad, low: number, high: number) => {
      for (let i = 0; i < 100; i++) {
        const middle = Math.fround((low + high) / 2);
        if (middle === low) break;
        [low, high] = isBad(middle) ? [low, middle] : [middle, high];
      }
      return high;
    },
    'a bisection of the bits': (isBad: IsBad, low: number, high: number) => {
      const float = new Float32Array(1);
      const bits = new Int32Array(float.buffer);
      const toBits = (x: number) => ((float[0] = x), bits[0]);
      const toFloat = (n: number) => ((bits[0] = n), float[0]);
      let [a, b] = [toBits(low), toBits(high)];
      while (b - a > 1) {
        const middle = Math.floor((a + b) / 2);
        if (isBad(toFloat(middle))) b = middle;
        else a = middle;
      }
      return toFloat(b);
    },
  });
  const until = (tolerance: number) => (isBad: IsBad, low: number, high: number) => {
    while (high - low > tolerance) {
      const middle = Math.fround((low + high) / 2);
      if (isBad(middle)) high = middle;
      else low = middle;
    }
    return high;
  };
  rejects(exercise2.bisection, {
    'one that stops early': [until(1e-3), /not the first/],
    'one that never ends': [until(0), /called more than 1000 times/],
    'a search step by step': [
      (isBad: IsBad, low: number) => {
        let x = low;
        while (!isBad(x)) x = Math.fround(x + 1e-3);
        return x;
      },
      /called more than 1000 times/,
    ],
    'the last good number': [
      (isBad: IsBad, low: number, high: number) => {
        for (;;) {
          const middle = Math.fround((low + high) / 2);
          if (middle === low || middle === high) return low;
          if (isBad(middle)) high = middle;
          else low = middle;
        }
      },
      /last good number/,
    ],
    'a number that is no float32': [
      (isBad: IsBad, low: number, high: number) => {
        for (let i = 0; i < 200; i++) {
          const middle = (low + high) / 2;
          if (isBad(middle)) high = middle;
          else low = middle;
        }
        return high;
      },
      /not a float32/,
    ],
    'the sides exchanged': [
      (isBad: IsBad, low: number, high: number) => {
        for (let i = 0; i < 100; i++) {
          const middle = Math.fround((low + high) / 2);
          if (isBad(middle)) low = middle;
          else high = middle;
        }
        return high;
      },
      /last good number|not the first/,
    ],
  });
  survivesAnything(exercise2.bisection);
});

const gradientOf = (logit: number, label: number) =>
  tf.tidy(() => {
    const y = tf.tensor1d([label]);
    const f = (x: tf.Tensor) => sigmoidFocalLoss(x, y, { gamma: 0.5, reduction: 'sum' });
    return tf
      .grad(f)(tf.tensor1d([logit]))
      .dataSync()[0];
  });

describe('the check of “is the gradient NaN?”', () => {
  accepts(exercise2.gradientIsNaN, {
    'Number.isNaN of the gradient': (logit: number, label: number) => Number.isNaN(gradientOf(logit, label)),
    'tensors disposed by hand': (logit: number, label: number) => {
      const [x, y] = [tf.tensor1d([logit]), tf.tensor1d([label])];
      const slope = tf.grad((x: tf.Tensor) => sigmoidFocalLoss(x, y, { gamma: 0.5, reduction: 'mean' }))(x);
      const [value] = slope.dataSync();
      tf.dispose([x, y, slope]);
      return value !== value;
    },
  });
  rejects(exercise2.gradientIsNaN, {
    'a look at the loss': [
      (logit: number, label: number) =>
        tf.tidy(() =>
          Number.isNaN(
            sigmoidFocalLoss(tf.tensor1d([logit]), tf.tensor1d([label]), { gamma: 0.5 }).dataSync()[0],
          ),
        ),
      /Is it the gradient/,
    ],
    'a label that is ignored': [(logit: number) => Number.isNaN(gradientOf(logit, 1)), /for this label/],
    'a number': [
      (logit: number, label: number) => gradientOf(logit, label),
      /returns (a number|NaN); expected true/,
    ],
    'a tensor taken for a number': [
      (logit: number, label: number) =>
        tf.tidy(() => {
          const y = tf.tensor1d([label]);
          const f = (x: tf.Tensor) => sigmoidFocalLoss(x, y, { gamma: 0.5, reduction: 'sum' });
          return Number.isNaN(tf.grad(f)(tf.tensor1d([logit])));
        }),
      /as a plain number/,
    ],
    'tensors left behind': [
      (logit: number, label: number) => {
        const y = tf.tensor1d([label]);
        const f = (x: tf.Tensor) => sigmoidFocalLoss(x, y, { gamma: 0.5, reduction: 'sum' });
        return Number.isNaN(
          tf
            .grad(f)(tf.tensor1d([logit]))
            .dataSync()[0],
        );
      },
      /leaves 3 tensors behind/,
    ],
    'the same answer always': [() => false, /that is not so/],
  });
  survivesAnything(exercise2.gradientIsNaN);
});

describe('the check of the measured walls', () => {
  const right = { label1: 1.7 * 24 * Math.LN2, label0: -1.7 * 25 * Math.LN2 };
  accepts(exercise2.walls, {
    'the numbers in full': right,
    'four decimals': { label1: 28.2804, label0: -29.4588 },
  });
  const cases: Record<string, [unknown, RegExp, RegExp]> = {
    'the walls of notebook 2': [
      { label1: 16.6355, label0: -17.3287 },
      /without the temperature/,
      /without the temperature/,
    ],
    'a division in the wrong place': [
      { label1: 9.7856, label0: -10.1933 },
      /is divided by the temperature/,
      /is divided by the temperature/,
    ],
    'walls of float64': [{ label1: 62.4526, label0: -63.6308 }, /float64/, /float64/],
    'a positive logit for label 0': [{ ...right, label0: 29.4588 }, /^$/, /sign of a logit that is wrong/],
    'labels exchanged': [{ label1: 29.4588, label0: -28.2804 }, /label 0/, /label 1/],
    'two decimals': [{ label1: 28.29, label0: -29.45 }, /NaN before/, /still finite/],
    'no numbers': [{ label1: 'no', label0: NaN }, /a string; expected a number/, /NaN; expected a number/],
  };
  for (const [mistake, [answer, ...says]] of Object.entries(cases))
    test(`rejects ${mistake}`, async () => {
      const found = await verdicts(() => exercise2.walls(answer));
      for (const [i, { remark }] of found.entries()) assert.match(remark, says[i]);
    });
  test('each wall is a point of its own, and not attempted while it is not there', async () => {
    for (const answer of [undefined, null, {}, 7, { label1: undefined }])
      assert.deepEqual(
        (await verdicts(() => exercise2.walls(answer))).map(({ status }) => status),
        ['not attempted', 'not attempted'],
      );
    const [one, zero] = await verdicts(() => exercise2.walls({ label1: right.label1 }));
    assert.deepEqual([one.status, zero.status], ['right', 'not attempted']);
  });
});

describe('the check of the rule', () => {
  accepts(exercise2.rule, {
    'a formula': (bits: number, label: number) => (label === 1 ? bits : -(bits + 1)) * Math.LN2,
    'a logarithm of the spacing': (bits: number, label: number) =>
      label ? -Math.log(2 ** -bits) : Math.log(2 ** -(bits + 1)),
  });
  rejects(exercise2.rule, {
    'no sign': [(bits: number, label: number) => (bits + 1 - label) * Math.LN2, /not positive/],
    'one wall for both': [
      (bits: number, label: number) => (2 * label - 1) * bits * Math.LN2,
      /label 1 is right/,
    ],
    'the logarithm to base 2': [(bits: number, label: number) => (label ? bits : -bits - 1), /powers of 2/],
    'one bit less': [
      (bits: number, label: number) => (label ? bits - 1 : -bits) * Math.LN2,
      /one bit too low/,
    ],
    'the measured numbers only': [
      (_bits: number, label: number) => (label ? 16.6355 : -17.3287),
      /wall\(8, 1\)/,
    ],
  });
  survivesAnything(exercise2.rule);
});
