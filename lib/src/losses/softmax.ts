import { LARGEST, SMALLEST_NORMAL, log1p, power, splitGamma, sumOfLast, type Gamma } from './numerics.js';
import { checkClassWeights, checkGamma, type ClassWeights } from './options.js';
import {
  checkLabels,
  checkTensors,
  keep,
  readLabels,
  reduce,
  toLabels,
  type Labels,
  type Reduced,
  type Reduction,
  type TensorOptions,
} from './tensors.js';
import { tf, where, withGradient } from './tf.js';

/** Options of a softmax focal loss. */
export interface SoftmaxFocalLossOptions<R extends Reduction = Reduction> extends TensorOptions<R> {
  /**
   * Weight of the classes: one number for all, one per class, null or a negative number for no weighting. Default null.
   * (A number weighs class 0 as well. In kornia's focal_loss class 0 has 1 - alpha.)
   */
  alpha?: ClassWeights;
  /** Focusing parameter, finite and >= 0; 0 is cross-entropy. Default 2. */
  gamma?: number;
}

/**
 * Softmax focal loss, exact: of one label out of many, and no logits at which it fails.
 *
 *   FL = alpha_t q^gamma s                              R = sum over the other classes of e^(x_j - x_t)
 *                                                       q = 1 - p_t = R / (1 + R),  s = -log p_t = log(1 + R)
 *   dFL/dx_t = -alpha_t q^gamma (q + gamma p_t s)       dFL/dx_j = -dFL/dx_t e^(x_j - x_t) / R
 *
 * Loss and gradient, unweighted, are finite for all logits whose differences float32 can hold. For hard labels the loss and the
 * derivative by the label's logit are within this many units in the last place of the true values, for 2 to 1,000 classes; the derivatives by the other
 * logits have up to one unit more for each unit between a logit and the largest of them, since that difference is rounded (half
 * a unit in the search, where they are at most 20 apart).
 * (Rounded-up results of scripts/losses/search.mjs; found on a CPU: 12.0, 15.3, 29.1, 37.3, on WASM: 13.6, 16.1, 28.4, 41.0, on
 * WebGL: 120, 151, 183, 205.)
 *
 *   gamma up to        1     2     5     8
 *   ulp               15    20    32    44     backends tensorflow, cpu, wasm
 *                    200   200   300   300     webgl in Chromium's software renderer; graphics cards differ
 *
 * Results below 1.2e-38 times the number of classes may be flushed to 0.
 *
 * @param logits  x, float32 [..., classes], two classes or more
 * @param labels  class indices, int32 or whole numbers in float32 [...]; or one-hot or soft rows that sum to 1, float32, int32
 *   or bool [..., classes]. A soft row is the mixture, the sum of y_c FL(x, c): at one-hot rows the same function, at the cost
 *   of a power per class. Labels are constants: no gradient flows through them.
 * @param options.ignoreLabel  a class index that marks what has no label; not for rows
 * @returns losses in nats, float32: [...] for reduction 'none', a scalar for 'mean' and 'sum'
 * @throws TypeError, RangeError for bad tensors, options or labels, Error for WebGL with 16-bit floats. Labels are read
 *   where they lie in the memory of the CPU and are at most 65,536; elsewhere an index that is no class, or a row that is no
 *   distribution, makes its loss and gradient NaN. Error if differentiated twice.
 */
export function exactSoftmaxFocalLoss<R extends Reduction = 'none'>(
  logits: tf.Tensor,
  labels: tf.Tensor,
  options: SoftmaxFocalLossOptions<R> = {},
): Reduced<R> {
  return softmaxLoss('exactSoftmaxFocalLoss', logits, labels, options, {
    ofIndices: exactOfIndices,
    ofRows: exactOfRows,
  });
}

/**
 * Softmax focal loss, textbook form: the one whose gradient goes NaN.
 *
 *   FL = alpha_t (1 - p_t)^gamma (-log p_t)        log p = log_softmax(x),  p_t = exp(log p_t)
 *
 * For 0 < gamma < 1 the gradient is NaN once 1 + (classes - 1) e^-gap rounds to 1 in float32, where gap is how far the label's
 * logit is above the others: at 24 ln 2 + log(classes - 1) at the latest, and earlier by up to 0.9 or so where the sum loses its
 * small terms one by one. Here and in PyTorch that is 16.6 to 17.4 for 3 classes, 18.7 to 19.7 for 21, 22.8 to 23.6 for 1,000
 * (in PyTorch for rows of logits; for pixels [n, classes, height, width] and class 0 it is 16.6). The loss is an ordinary number
 * there. To train, use exactSoftmaxFocalLoss.
 *
 * @param logits  x, float32 [..., classes]
 * @param labels  as of exactSoftmaxFocalLoss. For rows the sum of y_c (1 - p_c)^gamma (-log p_c) over all classes, as in Keras:
 *   its gradient goes NaN also where a wrong class is that certain.
 * @returns losses in nats, float32: [...] for reduction 'none', a scalar for 'mean' and 'sum'
 * @throws as exactSoftmaxFocalLoss
 */
export function softmaxFocalLoss<R extends Reduction = 'none'>(
  logits: tf.Tensor,
  labels: tf.Tensor,
  options: SoftmaxFocalLossOptions<R> = {},
): Reduced<R> {
  return softmaxLoss('softmaxFocalLoss', logits, labels, options, {
    ofIndices: textbookOfIndices,
    ofRows: textbookOfRows,
  });
}

/** A loss of logits [..., classes]; `weight` has NaN where there is no label. */
interface Forms {
  /** @param isLabel  bool, like the logits: true at the label.  @param weight  alpha_t, [..., 1] */
  ofIndices: (x: tf.Tensor, isLabel: tf.Tensor, weight: tf.Tensor, gamma: number) => tf.Tensor;
  /** @param weight  y_c alpha_c, like the logits */
  ofRows: (x: tf.Tensor, weight: tf.Tensor, gamma: number) => tf.Tensor;
}

function softmaxLoss<R extends Reduction>(
  caller: string,
  logits: tf.Tensor,
  labels: tf.Tensor,
  { alpha = null, gamma = 2, reduction = 'none' as R, ignoreLabel }: SoftmaxFocalLossOptions<R>,
  { ofIndices, ofRows }: Forms,
): Reduced<R> {
  checkTensors(caller, { logits, labels }, { reduction, ignoreLabel });
  const classes = logits.shape.at(-1) ?? 0;
  if (classes < 2)
    throw new RangeError(
      `${caller}: logits must be [..., classes] with two classes or more, got [${logits.shape}]; one logit is exactSigmoidFocalLoss's`,
    );
  checkGamma(caller, gamma);
  checkClassWeights(caller, alpha, classes);
  const perClass = typeof alpha === 'object' ? alpha : alpha < 0 ? null : Array(classes).fill(alpha);

  const areRows = tf.util.arraysEqual(labels.shape, logits.shape);
  if (!areRows && !tf.util.arraysEqual(labels.shape, logits.shape.slice(0, -1)))
    throw new RangeError(
      `${caller}: labels of logits [${logits.shape}] must be class indices [${logits.shape.slice(0, -1)}] or rows [${logits.shape}], got [${labels.shape}]`,
    );
  if (areRows && ignoreLabel !== undefined)
    throw new RangeError(`${caller}: ignoreLabel goes with class indices, and these labels are rows`);
  if (areRows) checkRows(caller, readLabels(labels), classes);
  else
    checkLabels(caller, readLabels(labels), (t) => Number.isInteger(t) && t >= 0 && t < classes, {
      expected: `class indices in 0 .. ${classes - 1}`,
      ignoreLabel,
    });

  return tf.tidy(() => {
    const alphas = perClass && tf.tensor1d([...perClass]);
    if (areRows) {
      const y = rows(caller, labels);
      const weight = alphas ? tf.mul(y, alphas) : y;
      return reduce(ofRows(logits, weight, gamma), null, reduction);
    }
    const { y, kept } = indices(caller, labels, classes, ignoreLabel);
    const label = tf.expandDims(y, -1);
    const isLabel = tf.equal(label, tf.range(0, classes));
    const nothing = tf.mul(label, 0); // or NaN
    const weight = tf.add(
      nothing,
      alphas ? tf.sum(tf.mul(tf.cast(isLabel, 'float32'), alphas), -1, true) : 1,
    );
    const x = kept === null ? logits : keep(tf.expandDims(kept, -1), logits);
    return reduce(keep(kept, ofIndices(x, isLabel, weight, gamma)), kept, reduction);
  });
}

function indices(caller: string, labels: tf.Tensor, classes: number, ignoreLabel?: number): Labels {
  return toLabels(caller, labels, ignoreLabel, (t) =>
    tf.equal(tf.clipByValue(tf.floor(t), 0, classes - 1), t),
  );
}

// Rows that were divided by their sum in float32, or written with four digits, are distributions.
const SUM_TOLERANCE = 1e-3;

function rows(caller: string, labels: tf.Tensor): tf.Tensor {
  return toLabels(caller, labels, undefined, (y) => {
    const excess = tf.abs(tf.sub(tf.sum(y, -1, true), 1));
    return tf.logicalAnd(tf.equal(tf.clipByValue(y, 0, 1), y), tf.lessEqual(excess, SUM_TOLERANCE));
  }).y;
}

function checkRows(caller: string, values: ArrayLike<number>, classes: number): void {
  checkLabels(caller, values, (y) => y >= 0 && y <= 1, { expected: 'in [0, 1]' });
  for (let start = 0; start < values.length; start += classes) {
    let sum = 0;
    for (let c = 0; c < classes; c++) sum += values[start + c];
    if (Math.abs(sum - 1) > SUM_TOLERANCE)
      throw new RangeError(
        `${caller}: each row of labels must sum to 1, got ${Number(sum.toPrecision(6))} in row ${start / classes}`,
      );
  }
}

/** The values at the label, [..., 1]. */
const pick = (isLabel: tf.Tensor, values: tf.Tensor) => tf.sum(where(isLabel, values, 0), -1, true);

/** What labels do not change; everything relative to the largest logit. */
interface SoftmaxTerms {
  /** The largest logit, [..., 1] */
  top: tf.Tensor;
  /** Where it is, bool [..., classes]; in more than one place if there is a tie */
  isTop: tf.Tensor;
  /** e^(x - top), [..., classes] */
  e: tf.Tensor;
  /** Their sum without one 1, [..., 1] */
  S: tf.Tensor;
}

// With a class of the largest logit, m, and the sum S of e^(x_j - m) over all but one such class, 1 + S is the sum over all, and
// for every class c
//
//   1 - p_c = N / (1 + S)       N = S + (1 - e^(x_c - m)), the sum over the others: S for c at the top, 1 or more elsewhere
//   -log p_c = log(1 + S) + (m - x_c)                      two numbers >= 0
//
// so that the digits of a small S are all that counts, and they are there: S is summed without the 1, of terms relative to the
// largest of those below the top, m2, so that m2 - m is the one large difference; and what rounding takes from this difference
// goes back into the power.
function softmaxTerms(x: tf.Tensor): SoftmaxTerms {
  const top = tf.max(x, -1, true);
  const isTop = tf.equal(x, top);
  const below = where(isTop, -Infinity, x);
  const second = tf.maximum(tf.max(below, -1, true), -LARGEST); // finite also where all are at the top
  const relative = tf.exp(tf.sub(below, second));
  const scale = expOfDifference(second, top);
  const ties = tf.sub(tf.sum(tf.cast(isTop, 'float32'), -1, true), 1);
  return {
    top,
    isTop,
    e: where(isTop, 1, tf.mul(scale, relative)),
    S: tf.add(ties, tf.mul(scale, sumOfLast(relative))),
  };
}

// e^(a - b) for a <= b. The difference d of two float32 is rounded, by up to 2^-18 near d = -87, where that changes 64 units
// of the last digit of the power. The rounding error t of d = a - b is a float32 itself (Knuth, TAOCP 2, 4.2.2, theorem B), and
// e^(d + t) = e^d (1 + t), up to t^2.
function expOfDifference(a: tf.Tensor, b: tf.Tensor): tf.Tensor {
  const d = tf.sub(a, b);
  const taken = tf.sub(d, a); // what -b became
  const t = tf.sub(tf.sub(a, tf.sub(d, taken)), tf.add(b, taken));
  return where(tf.less(d, -104), 0, tf.mul(tf.exp(d), tf.add(1, t))); // below: 0, and t is NaN at Infinity
}

/** s, N and H = weight q^gamma (1 + gamma r) / (1 + S) of a class, with the loss. */
function ofClass(
  { d, e, S, weight }: { d: tf.Tensor; e: tf.Tensor; S: tf.Tensor; weight: tf.Tensor },
  gamma: Gamma,
): { loss: tf.Tensor; N: tf.Tensor; H: tf.Tensor } {
  const T = tf.add(1, S);
  const N = tf.add(S, tf.sub(1, e));
  const s = tf.sub(log1p(S), d);
  // r = p_c s / q = e s / N in [0, 1]; 0 in place of 0 / 0 where N underflows, and of 0 * Infinity for a logit of -Infinity.
  const r = tf.div(tf.mul(e, tf.minimum(s, LARGEST)), tf.maximum(N, SMALLEST_NORMAL));
  const weighted = tf.mul(weight, power(tf.div(N, T), gamma));
  return {
    loss: tf.mul(weighted, s),
    N,
    H: tf.mul(weighted, tf.div(tf.add(1, tf.mul(gamma.high, r)), T)),
  };
}

// With q = N / (1 + S), the derivatives of FL(x, c) are
//
//   by x_c:    -weight q^gamma q (1 + gamma r) = -H N
//   by x_j:    H N e^(x_j - m) / N = H e^(x_j - m)          N is the sum of these powers over the classes j other than c
function exactOfIndices(logits: tf.Tensor, isLabel: tf.Tensor, weight: tf.Tensor, gamma: number): tf.Tensor {
  return withGradient('exactSoftmaxFocalLoss', [logits], (x) => {
    const { top, e, S } = softmaxTerms(x);
    const logit = pick(isLabel, x);
    const d = where(tf.equal(logit, top), 0, tf.sub(logit, top)); // not Infinity - Infinity
    const { loss, N, H } = ofClass({ d, e: pick(isLabel, e), S, weight }, splitGamma(gamma));
    return {
      value: tf.squeeze(loss, [-1]),
      saved: [isLabel, e, N, H],
      gradient: (dy, [isLabel, e, N, H]) => {
        const h = tf.mul(tf.expandDims(dy, -1), H);
        return [where(isLabel, tf.neg(tf.mul(h, N)), tf.mul(h, e))];
      },
    };
  });
}

// By x_j, of all classes c: -H_j N_j + e^(x_j - m) (sum of H_c over c != j). That sum has no digits to lose: where only one
// class has a label it is exactly 0 for this class; and where j is the top, whose N_j may be tiny, the H of the others are
// summed by themselves.
function exactOfRows(logits: tf.Tensor, weight: tf.Tensor, gamma: number): tf.Tensor {
  return withGradient('exactSoftmaxFocalLoss', [logits], (x) => {
    const { top, isTop, e, S } = softmaxTerms(x);
    const d = where(isTop, 0, tf.sub(x, top));
    const { loss, N, H } = ofClass({ d, e, S, weight }, splitGamma(gamma));
    return {
      value: tf.sum(where(tf.equal(weight, 0), 0, loss), -1), // 0 * Infinity
      saved: [isTop, e, N, H],
      gradient: (dy, [isTop, e, N, H]) => {
        const atTop = tf.sum(where(isTop, H, 0), -1, true);
        const below = sumOfLast(where(isTop, 0, H));
        const ofOthers = where(isTop, tf.add(tf.sub(atTop, H), below), tf.add(atTop, tf.sub(below, H)));
        return [tf.mul(tf.expandDims(dy, -1), tf.sub(tf.mul(e, ofOthers), tf.mul(H, N)))];
      },
    };
  });
}

function textbookOfIndices(x: tf.Tensor, isLabel: tf.Tensor, weight: tf.Tensor, gamma: number): tf.Tensor {
  return tf.squeeze(textbookOfLogP(pick(isLabel, logSoftmax(x)), weight, gamma), [-1]);
}

function textbookOfRows(x: tf.Tensor, weight: tf.Tensor, gamma: number): tf.Tensor {
  return tf.sum(textbookOfLogP(logSoftmax(x), weight, gamma), -1);
}

function textbookOfLogP(logP: tf.Tensor, weight: tf.Tensor, gamma: number): tf.Tensor {
  const crossEntropy = tf.mul(weight, tf.neg(logP));
  if (gamma === 0) return crossEntropy; // as in sigmoidFocalLoss
  return tf.mul(tf.pow(tf.sub(1, tf.exp(logP)), gamma), crossEntropy);
}

/** tf.logSoftmax with its gradient, dy - p sum(dy), and a second derivative that is refused: tfjs's lacks terms. */
function logSoftmax(x: tf.Tensor): tf.Tensor {
  return withGradient('softmaxFocalLoss', [x], (x) => {
    const value = tf.logSoftmax(x);
    return {
      value,
      saved: [value],
      gradient: (dy, [logP]) => [tf.sub(dy, tf.mul(tf.sum(dy, -1, true), tf.exp(logP)))],
    };
  });
}
