import { accepts, rejects, survivesAnything } from './verdicts';
import { describe } from 'node:test';
import { exercise8, focalLoss, multiclassFocalLoss } from 'focal-loss-lab';

type Loss = (logits: number[], label: number, gamma: number) => number;
type Gradient = (logits: number[], label: number, gamma: number, j: number) => number;
type Wall = (rivals: number[]) => number;

const logSum = (values: number[]) => {
  const largest = Math.max(...values);
  return largest + Math.log(values.reduce((sum, x) => sum + Math.exp(x - largest), 0));
};
const others = (logits: number[], label: number) => logits.filter((_, j) => j !== label);
const sigma = (x: number) => 1 / (1 + Math.exp(-x));
const softplus = (x: number) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
const softmax = (logits: number[]) => logits.map((x) => Math.exp(x - logSum(logits)));

const loss: Loss = (logits, label, gamma) => {
  const z = logits[label] - logSum(others(logits, label));
  return Math.exp(-gamma * softplus(z)) * softplus(-z);
};
const slope = (z: number, gamma: number) => {
  const e = Math.exp(-Math.abs(z));
  const [p, q] = z >= 0 ? [1 / (1 + e), e / (1 + e)] : [e / (1 + e), 1 / (1 + e)];
  return -(q ** gamma) * (q + gamma * p * softplus(-z));
};
const gradient: Gradient = (logits, label, gamma, j) => {
  const rest = logSum(others(logits, label));
  const ofRight = slope(logits[label] - rest, gamma);
  return j === label ? ofRight : -ofRight * Math.exp(logits[j] - rest);
};

describe('the check of the loss of many classes', () => {
  accepts(exercise8.loss, {
    'the margin to the others': loss,
    'the library’s own': ((logits, label, gamma) =>
      multiclassFocalLoss(logits, label, { gamma }).loss) satisfies Loss,
    'the binary loss of that margin': ((logits, label, gamma) =>
      focalLoss(logits[label] - logSum(others(logits, label)), 1, { alpha: -1, gamma })) satisfies Loss,
  });
  rejects(exercise8.loss, {
    'a softmax and 1 - p': [
      ((logits, label, gamma) => {
        const p = softmax(logits)[label];
        return -((1 - p) ** gamma) * Math.log(p);
      }) satisfies Loss,
      /lost digits|Infinity|NaN/,
    ],
    'an overflow': [
      ((logits, label, gamma) => {
        const R = others(logits, label).reduce((sum, x) => sum + Math.exp(x - logits[label]), 0);
        return (R / (1 + R)) ** gamma * Math.log1p(R);
      }) satisfies Loss,
      /NaN|Infinity/,
    ],
    'cross-entropy': [((logits, label) => loss(logits, label, 0)) satisfies Loss, /cross-entropy/],
    'the right logit alone': [
      ((logits, label, gamma) => focalLoss(logits[label], 1, { alpha: -1, gamma })) satisfies Loss,
      /binary loss of the right logit/,
    ],
    'p_t^gamma': [
      ((logits, label, gamma) => softmax(logits)[label] ** gamma * loss(logits, label, 0)) satisfies Loss,
      /EASY example/,
    ],
    'all classes': [
      ((logits, _label, gamma) =>
        logits.reduce((sum, _, j) => sum + loss(logits, j, gamma), 0)) satisfies Loss,
      /added up/,
    ],
  });
  survivesAnything(exercise8.loss);
});

describe('the check of the gradient of many classes', () => {
  accepts(exercise8.gradient, {
    'the share of the rival': gradient,
    'the library’s own': ((logits, label, gamma, j) =>
      multiclassFocalLoss(logits, label, { gamma }).gradient[j]) satisfies Gradient,
  });
  rejects(exercise8.gradient, {
    'only the right class': [
      ((logits, label, gamma, j) => (j === label ? gradient(logits, label, gamma, j) : 0)) satisfies Gradient,
      /add up to/,
    ],
    'as much for each rival': [
      ((logits, label, gamma, j) =>
        (j === label ? 1 : -1) * gradient(logits, label, gamma, label)) satisfies Gradient,
      /they should share it/,
    ],
    'equal shares': [
      ((logits, label, gamma, j) =>
        gradient(logits, label, gamma, label) *
        (j === label ? 1 : -1 / (logits.length - 1))) satisfies Gradient,
      /share it equally/,
    ],
    'p_j for the shares': [
      ((logits, label, gamma, j) =>
        gradient(logits, label, gamma, label) * (j === label ? 1 : -softmax(logits)[j])) satisfies Gradient,
      /the shares are p_j/,
    ],
    'that of the cross-entropy': [
      ((logits, label, _gamma, j) => gradient(logits, label, 0, j)) satisfies Gradient,
      /derivative of the cross-entropy/,
    ],
    'the wrong sign': [((...args) => -gradient(...args)) satisfies Gradient, /sign is wrong/],
    'a finite difference': [
      ((logits, label, gamma, j) => {
        const moved = (h: number) => loss(logits.map((x, i) => (i === j ? x + h : x)), label, gamma); // prettier-ignore
        return (moved(1e-4) - moved(-1e-4)) / 2e-4;
      }) satisfies Gradient,
      /few digits|lost digits/,
    ],
    'a rounded q': [
      ((logits, label, gamma, j) => {
        const z = logits[label] - logSum(others(logits, label));
        const q = 1 - sigma(z);
        const ofRight = -(q ** gamma) * (q + gamma * sigma(z) * softplus(-z));
        return j === label ? ofRight : -ofRight * Math.exp(logits[j] - logSum(others(logits, label)));
      }) satisfies Gradient,
      /lost digits/,
    ],
  });
  survivesAnything(exercise8.gradient);
});

describe('the check of the wall of many classes', () => {
  const BINARY = 24 * Math.LN2;
  const right: Wall = (rivals) => BINARY + logSum(rivals);
  accepts(exercise8.wall, { 'a sum of exponentials': right });
  rejects(exercise8.wall, {
    'the binary wall': [(() => BINARY) satisfies Wall, /binary wall/],
    'the largest rival': [((rivals) => BINARY + Math.max(...rivals)) satisfies Wall, /only the largest/],
    'their number': [((rivals) => BINARY + Math.log(rivals.length)) satisfies Wall, /as if all were at 0/],
    'the number of classes': [
      ((rivals) => BINARY + Math.log(rivals.length + 1)) satisfies Wall,
      /among its rivals/,
    ],
    'the wrong sign': [((rivals) => BINARY - logSum(rivals)) satisfies Wall, /sign of the second part/],
    'the mean': [
      ((rivals) =>
        BINARY + rivals.reduce((a, b) => a + b) / rivals.length + Math.log(rivals.length)) satisfies Wall,
      /the mean of the rivals/,
    ],
    'the wall of label 0': [((rivals) => right(rivals) + Math.LN2) satisfies Wall, /one bit later/],
    'an overflow': [
      ((rivals) => BINARY + Math.log(rivals.reduce((sum, x) => sum + Math.exp(x), 0))) satisfies Wall,
      /Infinity/,
    ],
  });
  survivesAnything(exercise8.wall);
});
