import { signedTerms } from '../losses/closedForm';

/** How good the probabilities of a classifier are on labeled samples. */
export interface Evaluation {
  /** Fraction of the samples with logit > 0 where the label is 1, and logit <= 0 where it is 0. */
  accuracy: number;
  /** Mean of -log p_t, in nats. */
  crossEntropy: number;
  /** Mean of (p - y)^2, in [0, 1]. */
  brier: number;
  /** Expected calibration error, in [0, 1]. */
  calibrationError: number;
  /** Largest |logit|. */
  maxAbsLogit: number;
}

/**
 * Judges the probabilities p = sigma(x) of a binary classifier.
 *
 *   Brier score                  mean of (p - y)^2
 *   expected calibration error   sum over the bins of |mean of y - mean of p| * share of the samples in the bin
 *
 * with bins of equal width in p. A sample has the probability 1 - p_t = sigma(-z) at its true margin, so that nothing is lost
 * to rounding: (p - y)^2 = sigma(-z)^2.
 *
 * @param logits  x, finite
 * @param labels  0 or 1, one per logit
 * @throws RangeError for no samples, another number of labels, a logit that is not finite or a label that is not 0 or 1
 * @see Brier 1950; Naeini, Cooper, Hauskrecht 2015; Guo et al. 2017
 */
export function evaluateLogits(
  logits: ArrayLike<number>,
  labels: ArrayLike<number>,
  { bins = 15 }: { bins?: number } = {},
): Evaluation {
  const n = logits.length;
  if (n === 0 || labels.length !== n)
    throw new RangeError(
      `evaluateLogits: ${n} logits and ${labels.length} labels; expected one label per logit, and at least one`,
    );
  const excess = new Float64Array(bins); // sum of y - p
  let [correct, crossEntropy, squares, maxAbsLogit] = [0, 0, 0, 0];
  for (let i = 0; i < n; i++) {
    const [x, y] = [logits[i], labels[i]];
    if (!Number.isFinite(x))
      throw new RangeError(`evaluateLogits: logit ${i} is ${x}; expected a finite number`);
    if (y !== 0 && y !== 1) throw new RangeError(`evaluateLogits: label ${i} is ${y}; expected 0 or 1`);
    const { q, s } = signedTerms(y === 1 ? x : -x);
    if (x > 0 === (y === 1)) correct++;
    crossEntropy += s;
    squares += q ** 2;
    const p = y === 1 ? 1 - q : q;
    excess[Math.min(Math.floor(p * bins), bins - 1)] += y === 1 ? q : -q;
    maxAbsLogit = Math.max(maxAbsLogit, Math.abs(x));
  }
  return {
    accuracy: correct / n,
    crossEntropy: crossEntropy / n,
    brier: squares / n,
    calibrationError: excess.reduce((sum, each) => sum + Math.abs(each), 0) / n,
    maxAbsLogit,
  };
}
