import { accepts, rejects, survivesAnything, verdicts } from './verdicts';
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { exercise5, focalLoss, focalLossGradient } from 'focal-loss-lab';

type Formula = (a: number, b: number, c: number) => number;

const q = (z: number) => 1 / (1 + Math.exp(z));

describe('the check of the bias', () => {
  const right: Formula = (z, gamma, epsilon) => (1 + epsilon / q(z)) ** gamma - 1;
  accepts(exercise5.bias, {
    'the power minus 1': right,
    'expm1 and log1p': ((z, gamma, epsilon) =>
      Math.expm1(gamma * Math.log1p(epsilon * (1 + Math.exp(z))))) satisfies Formula,
    'the ratio of two losses': ((z, gamma, epsilon) =>
      focalLoss(z, 1, { gamma, epsilon }) / focalLoss(z, 1, { gamma }) - 1) satisfies Formula,
    'the difference divided by the true loss': ((z, gamma, epsilon) => {
      const exact = focalLoss(z, 1, { gamma });
      return (focalLoss(z, 1, { gamma, epsilon }) - exact) / exact;
    }) satisfies Formula,
  });
  rejects(exercise5.bias, {
    'the ratio': [((...args) => right(...args) + 1) satisfies Formula, /above 1/],
    'the absolute difference': [
      ((z, gamma, epsilon) =>
        focalLoss(z, 1, { alpha: -1, gamma, epsilon }) -
        focalLoss(z, 1, { alpha: -1, gamma })) satisfies Formula,
      /absolute difference/,
    ],
    'the difference by the stabilized loss': [
      ((...args) => right(...args) / (1 + right(...args))) satisfies Formula,
      /divide it by the true one/,
    ],
    'the linear approximation': [
      ((z, gamma, epsilon) => (gamma * epsilon) / q(z)) satisfies Formula,
      /the power is not linear/,
    ],
    'a rounded q': [
      ((z, gamma, epsilon) => (1 + epsilon / (1 - 1 / (1 + Math.exp(-z)))) ** gamma - 1) satisfies Formula,
      /Infinity/,
    ],
    'the other direction of z': [
      ((z, gamma, epsilon) => right(-z, gamma, epsilon)) satisfies Formula,
      /is wrong/,
    ],
  });
  survivesAnything(exercise5.bias);
});

describe('the check of the margin', () => {
  const right: Formula = (gamma, epsilon, tolerated) => {
    const qAt = epsilon / ((1 + tolerated) ** (1 / gamma) - 1);
    return Math.log((1 - qAt) / qAt);
  };
  accepts(exercise5.margin, {
    'the formula': right,
    'a search': ((gamma, epsilon, tolerated) => {
      let [low, high] = [-50, 50];
      while (high - low > 1e-7) {
        const z = (low + high) / 2;
        if ((1 + epsilon / q(z)) ** gamma - 1 > tolerated) high = z;
        else low = z;
      }
      return low;
    }) satisfies Formula,
  });
  rejects(exercise5.margin, {
    'q itself': [((...args) => q(right(...args))) satisfies Formula, /this is q/],
    p_t: [((...args) => 1 - q(right(...args))) satisfies Formula, /this is p_t/],
    'the opposite sign': [((...args) => -right(...args)) satisfies Formula, /opposite sign/],
    'a coarse search': [
      ((...args) => Math.round(right(...args) * 10) / 10) satisfies Formula,
      /margin\(.*is wrong|few digits/,
    ],
    'one over gamma forgotten': [
      ((gamma, epsilon, tolerated) => right(1, epsilon, tolerated) + 0 * gamma) satisfies Formula,
      /Put it into your bias/,
    ],
  });
  survivesAnything(exercise5.margin);
});

describe('the check of the survivors', () => {
  const right = {
    'q + epsilon': [1e-3, 1e-5, 1e-8, 1e-30],
    '(1 + epsilon) - p_t': [1e-5, 1e-3],
    'in the logarithm only': [],
  };
  const all = (status: string) => [status, status, status];
  const statuses = async (answer: unknown) =>
    (await verdicts(() => exercise5.survivors(answer))).map(({ status }) => status);

  test('accepts the lists in any order', async () => {
    assert.deepEqual(await statuses(right), all('right'));
  });

  test('rejects what survives too much or too little, without naming it', async () => {
    const found = await verdicts(() =>
      exercise5.survivors({
        'q + epsilon': [1e-3, 1e-5, 1e-8],
        '(1 + epsilon) - p_t': [1e-3, 1e-5, 1e-8],
        'in the logarithm only': [1e-3],
      }),
    );
    for (const [i, says] of [/one is missing/, /one of these does not/, /one of these does not/].entries()) {
      assert.equal(found[i].status, 'wrong');
      assert.match(found[i].remark, says);
      assert.doesNotMatch(found[i].remark, /1e-(3|5|8|30)\b/);
    }
  });

  test('answers anything else in a sentence', async () => {
    for (const [list, says] of [
      [[0.5], /0\.5 is not among/],
      [['1e-3'], /is not among/],
      [1e-3, /a number; expected an array/],
      [null, /null; expected an array/],
    ] as [unknown, RegExp][])
      for (const { status, remark } of await verdicts(() =>
        exercise5.survivors(Object.fromEntries(Object.keys(right).map((place) => [place, list]))),
      )) {
        assert.equal(status, 'wrong');
        assert.match(remark, says);
      }
  });

  test('is not attempted where nothing is there', async () => {
    for (const answer of [undefined, null, {}])
      assert.deepEqual(await statuses(answer), all('not attempted'));
    assert.deepEqual(await statuses({ 'in the logarithm only': [] }), [
      'not attempted',
      'not attempted',
      'right',
    ]);
  });
});

describe('the check of the count', () => {
  const slope = (z: number, gamma: number, epsilon: number) =>
    -focalLossGradient(z, 1, { alpha: -1, gamma, epsilon });
  const right: Formula = (z, gamma, epsilon) => 1 / (slope(z, gamma, epsilon) - slope(z, gamma, 0));
  accepts(exercise5.count, {
    'one over the difference of the closed forms': right,
    'the formulas of exercise 1': ((z, gamma, epsilon) => {
      const [base, s] = [q(z) + epsilon, Math.log1p(Math.exp(-z))];
      const exact = q(z) ** gamma * (q(z) + gamma * (1 - q(z)) * s);
      const stabilized = base ** gamma * (q(z) + (gamma * (1 - q(z)) * s * q(z)) / base);
      return 1 / (stabilized - exact);
    }) satisfies Formula,
    'finite differences of the loss': ((z, gamma, epsilon) => {
      const h = 1e-4;
      const by = (size: number) =>
        (focalLoss(z - h, 1, { alpha: -1, gamma, epsilon: size }) -
          focalLoss(z + h, 1, { alpha: -1, gamma, epsilon: size })) /
        (2 * h);
      return 1 / (by(epsilon) - by(0));
    }) satisfies Formula,
  });
  rejects(exercise5.count, {
    'the excess of one': [((...args) => 1 / right(...args)) satisfies Formula, /how many of them/],
    'the whole gradient': [
      ((z, gamma, epsilon) => 1 / slope(z, gamma, epsilon)) satisfies Formula,
      /part that epsilon has added/,
    ],
    'the excess of the loss': [
      ((z, gamma, epsilon) =>
        1 /
        (focalLoss(z, 1, { alpha: -1, gamma, epsilon }) -
          focalLoss(z, 1, { alpha: -1, gamma }))) satisfies Formula,
      /excess of the loss/,
    ],
    'the wrong sign': [((...args) => -right(...args)) satisfies Formula, /sign is wrong/],
    'a hundredth too many': [((...args) => 1.01 * right(...args)) satisfies Formula, /is wrong/],
  });
  survivesAnything(exercise5.count);
});
