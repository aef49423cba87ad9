import { accepts, rejects, survivesAnything } from './verdicts';
import { describe } from 'node:test';
import { exercise1, exactSigmoidFocalLoss, focalLoss, focalLossGradient, tf } from 'focal-loss-lab';

type Formula = (x: number, y: number, alpha: number, gamma: number) => number;

const sigma = (x: number) => 1 / (1 + Math.exp(-x));
const weight = (y: number, alpha: number) => (y === 1 ? alpha : 1 - alpha);
const marginOf = (x: number, y: number) => (y === 1 ? x : -x);

const loss: Formula = (x, y, alpha, gamma) => {
  const z = marginOf(x, y);
  return weight(y, alpha) * sigma(-z) ** gamma * Math.log1p(Math.exp(-z));
};
const gradient: Formula = (x, y, alpha, gamma) => {
  const z = marginOf(x, y);
  const q = sigma(-z);
  const byMargin = -(q ** gamma) * (q + gamma * sigma(z) * Math.log1p(Math.exp(-z)));
  return (2 * y - 1) * weight(y, alpha) * byMargin;
};

describe('the check of the loss', () => {
  accepts(exercise1.loss, {
    'the definition, with log1p': loss,
    'the library’s own': (x: number, y: 0 | 1, alpha: number, gamma: number) =>
      focalLoss(x, y, { alpha, gamma }),
    'both labels written out': (x: number, y: number, alpha: number, gamma: number) => {
      const one = sigma(-x) ** gamma * Math.log1p(Math.exp(-x));
      const zero = sigma(x) ** gamma * Math.log1p(Math.exp(x));
      return alpha * y * one + (1 - alpha) * (1 - y) * zero;
    },
    'log space': function (x: number, y: number, alpha: number, gamma: number) {
      const softplus = (t: number) => Math.max(t, 0) + Math.log1p(Math.exp(-Math.abs(t)));
      const z = marginOf(x, y);
      return weight(y, alpha) * Math.exp(-gamma * softplus(z)) * softplus(-z);
    },
  });
  rejects(exercise1.loss, {
    'the logarithm of a rounded p_t': [
      ((x, y, alpha, gamma) => {
        const pt = y === 1 ? sigma(x) : 1 - sigma(x);
        return -weight(y, alpha) * (1 - pt) ** gamma * Math.log(pt);
      }) satisfies Formula,
      /Infinity|NaN|lost digits/,
    ],
    'an overflow': [
      ((x, y, alpha, gamma) => {
        const z = marginOf(x, y);
        return weight(y, alpha) * (1 - Math.exp(z) / (1 + Math.exp(z))) ** gamma * Math.log1p(Math.exp(-z));
      }) satisfies Formula,
      /lost digits/,
    ],
    'alpha for both labels': [
      ((x, y, alpha, gamma) => loss(x, y, y === 1 ? alpha : 1 - alpha, gamma)) satisfies Formula,
      /both labels get the weight alpha/,
    ],
    'alpha exchanged': [
      ((x, y, alpha, gamma) => loss(x, y, 1 - alpha, gamma)) satisfies Formula,
      /exchanged/,
    ],
    'no alpha': [
      ((x, y, alpha, gamma) => loss(x, y, alpha, gamma) / weight(y, alpha)) satisfies Formula,
      /alpha_t is missing/,
    ],
    'a label that is ignored': [
      ((x, y, alpha, gamma) => loss(x, 1, 0.5, gamma) * 2 * weight(y, alpha)) satisfies Formula,
      /p_t for label 0/,
    ],
    'p_t^gamma': [
      ((x, y, alpha, gamma) => {
        const z = marginOf(x, y);
        return weight(y, alpha) * sigma(z) ** gamma * Math.log1p(Math.exp(-z));
      }) satisfies Formula,
      /EASY example/,
    ],
    'cross-entropy': [((x, y, alpha) => loss(x, y, alpha, 0)) satisfies Formula, /cross-entropy/],
    'the wrong sign': [((...args) => -loss(...args)) satisfies Formula, /sign/],
    'another logarithm': [
      ((...args) => loss(...args) / Math.LN2) satisfies Formula,
      /loss\(-6, 1, .*is wrong/,
    ],
  });
  survivesAnything(exercise1.loss);
});

describe('the check of the gradient', () => {
  accepts(exercise1.gradient, {
    'the formula of notebook 1': gradient,
    'the library’s own': (x: number, y: 0 | 1, alpha: number, gamma: number) =>
      focalLossGradient(x, y, { alpha, gamma }),
    'another algebra': (x: number, y: number, a: number, g: number) => {
      const e = Math.exp(-Math.abs(x));
      const [p, q] = x >= 0 ? [1 / (1 + e), e / (1 + e)] : [e / (1 + e), 1 / (1 + e)];
      const [sp, sm] = [Math.max(x, 0) + Math.log1p(e), Math.max(-x, 0) + Math.log1p(e)];
      if (y === 1) return -a * (q ** (g + 1) + g * p * q ** g * sm);
      return (1 - a) * (p ** (g + 1) + g * q * p ** g * sp);
    },
  });
  rejects(exercise1.gradient, {
    'the chain rule with its singular factor': [
      ((x, y, alpha, gamma) => {
        const p = sigma(x);
        const pt = y === 1 ? p : 1 - p;
        const byPt = gamma * (1 - pt) ** (gamma - 1) * Math.log(pt) - (1 - pt) ** gamma / pt;
        return weight(y, alpha) * byPt * (2 * y - 1) * p * (1 - p);
      }) satisfies Formula,
      /NaN|Infinity|lost digits/,
    ],
    'the derivative by the margin': [
      ((x, y, alpha, gamma) => (2 * y - 1) * gradient(x, y, alpha, gamma)) satisfies Formula,
      /derivative by the margin/,
    ],
    'the derivative by p_t': [
      ((x, y, alpha, gamma) => {
        return ((2 * y - 1) * gradient(x, y, alpha, gamma)) / (sigma(x) * sigma(-x));
      }) satisfies Formula,
      /derivative by p_t/,
    ],
    'a finite difference': [
      ((x, y, alpha, gamma) =>
        (loss(x + 1e-4, y, alpha, gamma) - loss(x - 1e-4, y, alpha, gamma)) / 2e-4) satisfies Formula,
      /finite difference/,
    ],
    'a float32 calculation': [
      ((x, y, alpha, gamma) =>
        tf.tidy(() => {
          const f = (logit: tf.Tensor) =>
            exactSigmoidFocalLoss(logit, tf.fill([1], y), { alpha, gamma, reduction: 'sum' });
          return tf
            .grad(f)(tf.tensor1d([x]))
            .dataSync()[0];
        })) satisfies Formula,
      /a few digits only/,
    ],
    'the power held constant': [
      ((x, y, alpha, gamma) => {
        const q = sigma(-marginOf(x, y));
        return -(2 * y - 1) * weight(y, alpha) * q ** gamma * q;
      }) satisfies Formula,
      /the power depends on x/,
    ],
    'the logarithm held constant': [
      ((x, y, alpha, gamma) => {
        const z = marginOf(x, y);
        const ps = sigma(z) * Math.log1p(Math.exp(-z));
        return -(2 * y - 1) * weight(y, alpha) * sigma(-z) ** gamma * gamma * ps;
      }) satisfies Formula,
      /the logarithm depends on x/,
    ],
    'the wrong sign': [((...args) => -gradient(...args)) satisfies Formula, /sign/],
    'alpha exchanged': [
      ((x, y, alpha, gamma) => gradient(x, y, 1 - alpha, gamma)) satisfies Formula,
      /exchanged/,
    ],
  });
  survivesAnything(exercise1.gradient);
});

describe('the check of the stabilized gradient', () => {
  type Stabilized = (z: number, gamma: number, epsilon: number) => number;
  const right: Stabilized = (z, gamma, epsilon) => {
    const q = sigma(-z);
    const ps = sigma(z) * Math.log1p(Math.exp(-z));
    return -((q + epsilon) ** gamma) * (q + (gamma * ps * q) / (q + epsilon));
  };
  accepts(exercise1.stabilizedGradient, {
    'the power taken out': right,
    'the product rule as it comes': ((z, gamma, epsilon) => {
      const [p, q, s] = [sigma(z), sigma(-z), Math.log1p(Math.exp(-z))];
      const factor = gamma * (q + epsilon) ** (gamma - 1) * -p * q;
      return factor * s - (q + epsilon) ** gamma * q;
    }) satisfies Stabilized,
    'the library’s own': ((z, gamma, epsilon) =>
      focalLossGradient(z, 1, { alpha: -1, gamma, epsilon })) satisfies Stabilized,
  });
  rejects(exercise1.stabilizedGradient, {
    'epsilon ignored': [((z, gamma) => right(z, gamma, 0)) satisfies Stabilized, /epsilon changes nothing/],
    'epsilon in one term only': [
      ((z, gamma, epsilon) => {
        const q = sigma(-z);
        return -((q + epsilon) ** gamma) * (q + gamma * sigma(z) * Math.log1p(Math.exp(-z)));
      }) satisfies Stabilized,
      /one of the two terms/,
    ],
    'q + epsilon everywhere': [
      ((z, gamma, epsilon) => {
        const q = sigma(-z) + epsilon;
        return -(q ** gamma) * (q + gamma * sigma(z) * Math.log1p(Math.exp(-z)));
      }) satisfies Stabilized,
      /everywhere/,
    ],
    'a power of a rounded difference': [
      ((z, gamma, epsilon) => {
        const [p, s] = [sigma(z), Math.log1p(Math.exp(-z))];
        const q = 1 - p;
        return -((q + epsilon) ** gamma) * q - gamma * (q + epsilon) ** (gamma - 1) * p * q * s;
      }) satisfies Stabilized,
      /NaN|lost digits/,
    ],
  });
  survivesAnything(exercise1.stabilizedGradient);
});
