import { accepts, rejects, survivesAnything, verdict, verdicts } from './verdicts';
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { exactSigmoidFocalLoss, exercise7, floats, sigmoidFocalLoss, tf, todo } from 'focal-loss-lab';

type Terms = (x: tf.Tensor, y: tf.Tensor) => Record<string, unknown>;
type Loss = (x: tf.Tensor, y: tf.Tensor, gamma: number) => tf.Tensor;

const marginOf = (x: tf.Tensor, y: tf.Tensor) => tf.mul(x, tf.sub(tf.mul(2, y), 1));
const stable: Terms = (x, y) => {
  const z = marginOf(x, y);
  const shortfall = tf.relu(tf.neg(z));
  const u = tf.exp(tf.neg(tf.relu(z)));
  const v = tf.exp(tf.neg(shortfall));
  const uv = tf.mul(u, v);
  return { q: tf.div(u, tf.add(1, uv)), s: tf.add(shortfall, tf.log1p(uv)) };
};

describe('the check of the terms', () => {
  accepts(exercise7.terms, {
    'from one exponential': stable,
    'sigmoid and softplus of -z': ((x, y) => {
      const z = tf.neg(marginOf(x, y));
      return { q: tf.sigmoid(z), s: tf.softplus(z) };
    }) satisfies Terms,
  });
  const statuses = async (answer: Terms) =>
    (await verdicts(() => exercise7.terms(answer))).map(({ status, remark }) => [status, remark]);

  test('each of the two earns its own point', async () => {
    const [q, s] = await statuses((x, y) => ({ q: stable(x, y).q }));
    assert.deepEqual([q[0], s[0]], ['right', 'not attempted']);
  });
  for (const [mistake, answer, says] of [
    ['1 - sigmoid', (x, y) => ({ ...stable(x, y), q: tf.sub(1, tf.sigmoid(marginOf(x, y))) }), /q has lost/],
    ['p_t for q', (x, y) => ({ ...stable(x, y), q: tf.sigmoid(marginOf(x, y)) }), /q is p_t/],
    ['the log of p_t', (x, y) => ({ ...stable(x, y), s: tf.neg(tf.log(tf.sigmoid(marginOf(x, y)))) }), /s (has lost|is Infinity)/], // prettier-ignore
    ['log of 1 + e^-z', (x, y) => ({ ...stable(x, y), s: tf.log(tf.add(1, tf.exp(tf.neg(marginOf(x, y))))) }), /s (has lost|is Infinity)/], // prettier-ignore
    ['the logit for the margin', (x) => stable(x, tf.onesLike(x)), /is wrong|lost/],
    ['numbers', () => ({ q: 1, s: 2 }), /a number; expected a tensor/],
    ['one number for all', () => ({ q: tf.scalar(1), s: tf.scalar(1) }), /shape \[\] for logits/],
  ] as [string, Terms, RegExp][])
    test(`rejects ${mistake}`, async () => {
      const before = tf.memory().numTensors;
      const remarks = (await statuses(answer)).map(([, remark]) => remark).join(' ');
      assert.match(remarks, says);
      assert.equal(tf.memory().numTensors, before);
    });

  test('answers what is no such function in a sentence, or as not attempted', async () => {
    for (const answer of [undefined, () => todo()])
      for (const { status } of await verdicts(() => exercise7.terms(answer)))
        assert.equal(status, 'not attempted');
    for (const answer of [42, () => null, () => tf.tidy(() => tf.scalar(1)), () => 'x', async () => ({})])
      for (const { status, remark } of await verdicts(() => exercise7.terms(answer))) {
        assert.equal(status, 'wrong');
        assert.doesNotMatch(remark, /cannot be examined/);
      }
  });
});

describe('the check of the loss for tensors', () => {
  type Slope = (slope: tf.Tensor, dy: tf.Tensor, sign: tf.Tensor) => tf.Tensor;
  const own = (slopeOf: Slope, isSaved = true): Loss => {
    return (x, y, gamma) => {
      const sign = tf.sub(tf.mul(2, y), 1);
      return tf.customGrad((...args) => {
        const [logits, save] = args as [tf.Tensor, tf.GradSaveFunc];
        const { q, s } = stable(logits, y) as Record<string, tf.Tensor>;
        const weight = tf.pow(q, gamma);
        const ps = tf.mul(tf.sigmoid(marginOf(logits, y)), s);
        const slope = tf.neg(tf.mul(tf.mul(sign, weight), tf.add(q, tf.mul(gamma, ps))));
        if (isSaved) save([slope, sign]);
        const gradFunc = (dy: tf.Tensor, saved: tf.Tensor[]) => slopeOf(saved[0] ?? slope, dy, saved[1]);
        return { value: tf.mul(weight, s), gradFunc };
      })(x);
    };
  };
  const library: Loss = (x, y, gamma) => exactSigmoidFocalLoss(x, y, { alpha: -1, gamma });
  accepts(exercise7.loss, {
    'a gradient of its own': own((slope, dy) => tf.mul(dy, slope)),
    'the library’s own': library,
  });
  const rejected: Record<string, [Loss, RegExp]> = {
    'the textbook form': [
      (x, y, gamma) => sigmoidFocalLoss(x, y, { alpha: -1, gamma }),
      /the gradient is NaN|the loss is/,
    ],
    'right terms, differentiated by autodiff': [
      (x, y, gamma) => {
        const { q, s } = stable(x, y) as Record<string, tf.Tensor>;
        return tf.mul(tf.pow(q, gamma), s);
      },
      /gradient is (NaN|-?Infinity)/,
    ],
    'a slope that is not saved': [own((slope, dy) => tf.mul(dy, slope), false), /it has to save/],
    'dy forgotten': [own((slope) => tf.mul(slope, 1)), /what is dy/],
    'the derivative by the margin': [
      own((slope, dy, sign) => tf.mul(tf.mul(dy, slope), sign)),
      /the sign is wrong/,
    ],
    'half the gradient': [own((slope, dy) => tf.mul(tf.mul(dy, slope), 0.5)), /which is wrong/],
    'cross-entropy': [(x, y) => library(x, y, 0), /is it q\^gamma s/],
  };
  for (const [mistake, [answer, says]] of Object.entries(rejected))
    test(`rejects ${mistake}`, async () => {
      const before = tf.memory().numTensors;
      const found = await verdicts(() => exercise7.loss(answer));
      assert.match(found.map(({ remark }) => remark).join(' '), says);
      assert.equal(tf.memory().numTensors, before);
    });
  test('a loss with a wrong gradient earns the point for the loss', async () => {
    const found = await verdicts(() => exercise7.loss(rejected['half the gradient'][0]));
    assert.deepEqual(found.map(({ status }) => status), ['right', 'wrong']); // prettier-ignore
  });
  test('what is not there yet is not attempted, and anything else is answered', async () => {
    for (const answer of [undefined, () => todo()])
      for (const { status } of await verdicts(() => exercise7.loss(answer)))
        assert.equal(status, 'not attempted');
    for (const answer of [
      null,
      () => 1,
      () => tf.tidy(() => tf.scalar(1)),
      () => {
        throw new Error('boom');
      },
    ])
      // prettier-ignore
      for (const { status, remark } of await verdicts(() => exercise7.loss(answer))) {
        assert.equal(status, 'wrong');
        assert.doesNotMatch(remark, /cannot be examined/);
      }
  });
});

describe('the check of the ulp', () => {
  type Ulps = (computed: number, expected: number) => number;
  const right: Ulps = (computed, expected) =>
    Math.abs(computed - expected) / 2 ** (Math.floor(Math.log2(Math.abs(expected))) - 23);
  accepts(exercise7.ulps, {
    'by the logarithm': right,
    'the library’s own': ((computed, expected) =>
      floats.errorInUlps(computed, expected, 'float32')) satisfies Ulps,
    'by halving and doubling': ((computed, expected) => {
      let power = 1;
      while (power > Math.abs(expected)) power /= 2;
      while (2 * power <= Math.abs(expected)) power *= 2;
      return Math.abs(computed - expected) / (power * 2 ** -23);
    }) satisfies Ulps,
  });
  rejects(exercise7.ulps, {
    'the relative error': [((c, e) => Math.abs(c / e - 1)) satisfies Ulps, /this is the relative error;/],
    'the relative error in 2^-23': [
      ((c, e) => Math.abs(c / e - 1) * 2 ** 23) satisfies Ulps,
      /in units of 2\^-23/,
    ],
    'the ulp of 1': [((c, e) => Math.abs(c - e) * 2 ** 23) satisfies Ulps, /the ulp of 1/],
    'one exponent too many': [((c, e) => right(c, e) / 2) satisfies Ulps, /one too large/],
    'a negative expected value forgotten': [
      ((c, e) => Math.abs(c - e) / 2 ** (Math.floor(Math.log2(e)) - 23)) satisfies Ulps,
      /NaN/,
    ],
    'the next power of 2 where it is one': [
      ((c, e) => Math.abs(c - e) / 2 ** (Math.ceil(Math.log2(Math.abs(e))) - 24)) satisfies Ulps,
      /ulps\(/,
    ],
    'a sign': [((c, e) => (c - e) / 2 ** (Math.floor(Math.log2(Math.abs(e))) - 23)) satisfies Ulps, /ulps\(/],
  });
  survivesAnything(exercise7.ulps);
  test('says in one sentence what is wrong', async () => {
    assert.match((await verdict(() => exercise7.ulps(() => 1))).remark, /^ulps\(.*is wrong/);
  });
});
