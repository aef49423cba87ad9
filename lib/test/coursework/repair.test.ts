import { verdicts } from './verdicts';
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { exactSigmoidFocalLoss, exercise3, publishedLosses, tf, type ElementwiseLoss } from 'focal-loss-lab';

const NAMES = ['textbook', 'epsilonInLog', 'clipped', 'expOfCrossEntropy'];
const forAll = (answer: unknown) => Object.fromEntries(NAMES.map((name) => [name, answer]));
const inAll = (status: string) => NAMES.map(() => status);
const statuses = async (check: () => Promise<void>) => (await verdicts(check)).map(({ status }) => status);

describe('the check of the breaks', () => {
  test('accepts inputs at which each fails, with either label', async () => {
    const one = { logit: 18, label: 1, gamma: 0.5 };
    const zero = { logit: -18, label: 0, gamma: 0.5 };
    const [hardOne, hardZero] = [
      { ...one, logit: -18 },
      { ...zero, logit: 18 },
    ];
    for (const answer of [
      { textbook: one, epsilonInLog: one, clipped: hardOne, expOfCrossEntropy: one },
      { textbook: zero, epsilonInLog: hardZero, clipped: { ...hardZero, gamma: 2 }, expOfCrossEntropy: zero },
    ])
      assert.deepEqual(await statuses(() => exercise3.breaks(answer)), inAll('right'));
  });

  test('rejects inputs at which nothing is wrong, and says which kind they are', async () => {
    const easy = await verdicts(() => exercise3.breaks(forAll({ logit: 18, label: 1, gamma: 2 })));
    const hard = await verdicts(() => exercise3.breaks(forAll({ logit: -5, label: 1, gamma: 0.5 })));
    for (const { status, remark } of easy) {
      assert.equal(status, 'wrong');
      assert.match(remark, /harmless.*an easy example/);
    }
    for (const { status, remark } of hard) {
      assert.equal(status, 'wrong');
      assert.match(remark, /close to the true one.*a hard mistake/);
    }
  });

  test('rejects what is no input', async () => {
    for (const [input, says] of [
      [{ logit: 500, label: 1, gamma: 0.5 }, /logit/],
      [{ logit: NaN, label: 1, gamma: 0.5 }, /logit/],
      [{ logit: '20', label: 1, gamma: 0.5 }, /logit/],
      [{ logit: 20, label: 2, gamma: 0.5 }, /label/],
      [{ logit: 20, label: 1, gamma: 0 }, /gamma/],
      [{ logit: 20, label: 1 }, /gamma/],
      [20, /a number; expected \{ logit/],
      [null, /null; expected/],
    ] as [unknown, RegExp][])
      for (const { status, remark } of await verdicts(() => exercise3.breaks(forAll(input)))) {
        assert.equal(status, 'wrong');
        assert.match(remark, says);
      }
  });

  test('is one point for each, and not attempted where nothing is there', async () => {
    for (const answer of [undefined, {}])
      assert.deepEqual(await statuses(() => exercise3.breaks(answer)), inAll('not attempted'));
    const one = { epsilonInLog: { logit: 18, label: 1, gamma: 0.1 } };
    assert.deepEqual(await statuses(() => exercise3.breaks(one)), [
      'not attempted',
      'right',
      'not attempted',
      'not attempted',
    ]);
    assert.deepEqual(await statuses(() => exercise3.breaks(7)), inAll('wrong'));
  });
});

const crossEntropy = (x: tf.Tensor, y: tf.Tensor) =>
  tf.add(tf.sub(tf.relu(x), tf.mul(x, y)), tf.log1p(tf.exp(tf.neg(tf.abs(x)))));
const qOf = (x: tf.Tensor, y: tf.Tensor) => tf.sigmoid(tf.mul(x, tf.sub(1, tf.mul(2, y))));

const powerOf = (base: (x: tf.Tensor, y: tf.Tensor) => tf.Tensor): ElementwiseLoss => {
  return (x, y, gamma) => tf.tidy(() => tf.mul(tf.pow(base(x, y), gamma), crossEntropy(x, y)));
};
const probabilityOf = (p: tf.Tensor, y: tf.Tensor) =>
  tf.add(tf.mul(p, y), tf.mul(tf.sub(1, p), tf.sub(1, y)));
const logSpace: ElementwiseLoss = (x, y, gamma) => {
  const z = tf.mul(x, tf.sub(tf.mul(2, y), 1));
  return tf.mul(tf.exp(tf.mul(-gamma, tf.softplus(z))), tf.softplus(tf.neg(z)));
};

/** Right answers to each of the four, written differently. */
const RIGHT: Record<string, Record<string, ElementwiseLoss>> = {
  textbook: {
    'a constant in the power': powerOf((x, y) => tf.add(tf.sub(1, probabilityOf(tf.sigmoid(x), y)), 1e-3)),
    'a constant and a base without a subtraction': powerOf((x, y) => tf.add(qOf(x, y), 1e-3)),
    'a floor of the same size': powerOf((x, y) => tf.maximum(qOf(x, y), 1e-3)),
  },
  epsilonInLog: {
    'the constant in both terms': (x, y, gamma) =>
      tf.tidy(() => {
        const p = tf.sigmoid(x);
        const one = tf.mul(y, tf.pow(tf.add(tf.sub(1, p), 1e-8), gamma));
        const zero = tf.mul(tf.sub(1, y), tf.pow(tf.add(p, 1e-8), gamma));
        return tf.mul(tf.add(one, zero), crossEntropy(x, y));
      }),
    'a base of its own': powerOf((x, y) => tf.add(qOf(x, y), 1e-8)),
  },
  clipped: {
    'p clipped before p_t': powerOf((x, y) =>
      tf.sub(1, probabilityOf(tf.clipByValue(tf.sigmoid(x), 1e-7, 1 - 1e-7), y)),
    ),
    'the base clipped': powerOf((x, y) => tf.clipByValue(qOf(x, y), 1e-7, 1 - 1e-7)),
  },
  expOfCrossEntropy: {
    'expm1 and a floor': powerOf((x, y) => tf.maximum(tf.neg(tf.expm1(tf.neg(crossEntropy(x, y)))), 1e-30)),
    'log space': logSpace,
    'the library’s exact loss': (x, y, gamma) => exactSigmoidFocalLoss(x, y, { alpha: -1, gamma }),
  },
};

describe('the check of the repairs', () => {
  for (const name of NAMES)
    for (const [how, repaired] of Object.entries(RIGHT[name]))
      test(`of ${name} accepts ${how}, and for no other implementation`, async () => {
        const found = await verdicts(() => exercise3.repairs(forAll(repaired)));
        assert.deepEqual(
          found.map(({ status }) => status),
          NAMES.map((other) => (other === name ? 'right' : 'wrong')),
        );
        for (const { status, remark } of found)
          if (status === 'wrong') assert.match(remark, /this is another repair.* the base of its power is/);
      });

  test('rejects each of the four as it was', async () => {
    for (const { status, remark } of await verdicts(() => exercise3.repairs(publishedLosses))) {
      assert.equal(status, 'wrong');
      assert.match(remark, /at logit -?\d+\.\d, gamma .* (is NaN|a hard mistake)/);
    }
  });

  const wrong: Record<string, [unknown, RegExp]> = {
    'too large a constant': [
      ((x, y, gamma) =>
        tf.tidy(() =>
          tf.mul(tf.pow(tf.add(qOf(x, y), 0.1), gamma), crossEntropy(x, y)),
        )) satisfies ElementwiseLoss,
      /the repair changes too much/,
    ],
    'a constant that float32 loses': [
      ((x, y, gamma) =>
        tf.tidy(() => {
          const pt = tf.sub(1, qOf(x, y));
          return tf.mul(tf.pow(tf.sub(tf.add(1, 1e-8), pt), gamma), crossEntropy(x, y));
        })) satisfies ElementwiseLoss,
      /the gradient is NaN/,
    ],
    'clipped logits': [
      ((x, y, gamma) =>
        tf.tidy(() =>
          publishedLosses.textbook(tf.clipByValue(x, -16, 16), y, gamma),
        )) satisfies ElementwiseLoss,
      /a hard mistake has to keep/,
    ],
    'plain cross-entropy': [
      ((x, y) => tf.tidy(() => crossEntropy(x, y))) satisfies ElementwiseLoss,
      /3 % off/,
    ],
    'NaN replaced by 0 in the loss': [
      ((x, y, gamma) =>
        tf.tidy(() => {
          const loss = publishedLosses.textbook(x, y, gamma);
          return tf.where(tf.isNaN(loss), tf.zerosLike(loss), loss);
        })) satisfies ElementwiseLoss,
      /the gradient is NaN/,
    ],
    'a mean': [
      ((x, y, gamma) =>
        exactSigmoidFocalLoss(x, y, { alpha: -1, gamma, reduction: 'mean' })) satisfies ElementwiseLoss,
      /shape \[\] for logits of shape \[20\]/,
    ],
    'numbers computed next to the tensors': [
      ((x) => tf.tensor1d(Array.from(x.dataSync(), (v) => v + 1))) satisfies ElementwiseLoss,
      /3 % off|has no gradient/,
    ],
    'a logarithm that TensorFlow.js cannot differentiate': [
      ((x, y, gamma) => {
        const z = tf.mul(x, tf.sub(tf.mul(2, y), 1));
        return tf.mul(tf.exp(tf.mul(gamma, tf.logSigmoid(tf.neg(z)))), tf.neg(tf.logSigmoid(z)));
      }) satisfies ElementwiseLoss,
      /cannot be differentiated.*tf\.softplus/,
    ],
    'an array': [((x: tf.Tensor) => x.dataSync()) as unknown, /expected a tensor of losses/],
    'a promise': [(async (x: tf.Tensor) => x) as unknown, /a promise/],
    'one that throws': [
      () => {
        throw new Error('boom');
      },
      /throws Error: boom/,
    ],
    'a number': [3, /repairs\.\w+ is a number; expected a function/],
  };
  for (const [mistake, [repaired, says]] of Object.entries(wrong))
    test(`rejects ${mistake}, and leaves no tensor`, async () => {
      const before = tf.memory().numTensors;
      for (const { status, remark } of await verdicts(() => exercise3.repairs(forAll(repaired)))) {
        assert.equal(status, 'wrong');
        assert.match(remark, says);
        assert.doesNotMatch(remark, /\n/);
      }
      assert.equal(tf.memory().numTensors, before);
    });

  test('is one point for each, and not attempted where nothing is there', async () => {
    const answer = { clipped: RIGHT.clipped['the base clipped'] };
    assert.deepEqual(await statuses(() => exercise3.repairs(answer)), [
      'not attempted',
      'not attempted',
      'right',
      'not attempted',
    ]);
    assert.deepEqual(await statuses(() => exercise3.repairs(undefined)), inAll('not attempted'));
  });
});
