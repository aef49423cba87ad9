import { isNone } from './options.js';
import { binaryLoss, type FocalLossOptions, type Reduced, type Reduction } from './tensors.js';
import { tf, withGradient } from './tf.js';

/**
 * Binary focal loss, textbook form: the one whose gradient goes NaN.
 *
 *   FL = alpha_t (1 - p_t)^gamma CE(x, y)      p_t = p y + (1 - p) (1 - y),  p = sigma(x)
 *
 * It is torchvision's sigmoid_focal_loss in value, in gradient, and in where it fails: for 0 < gamma < 1 and hard labels
 * the gradient of a well-classified sample is NaN once 1 - p_t rounds to 0, from x = 24 ln 2 = 16.64 (label 1) or
 * x = -25 ln 2 = -17.33 (label 0), while the loss is still an ordinary number. Gamma 0 is cross-entropy, and finite.
 * To train, use exactSigmoidFocalLoss.
 *
 * @param logits  x, float32, any shape
 * @param labels  y in [0, 1], float32, int32 or bool, same shape. Soft labels enter p_t and CE, as in torchvision.
 * @returns losses in nats, float32: same shape for reduction 'none', a scalar for 'mean' and 'sum'
 * @throws as exactSigmoidFocalLoss
 * @see notebooks/02-nan-gradient.ipynb; Lin et al. 2017, eq. 5
 */
export function sigmoidFocalLoss<R extends Reduction = 'none'>(
  logits: tf.Tensor,
  labels: tf.Tensor,
  { alpha = 0.25, gamma = 2, ...options }: FocalLossOptions<R> = {},
): Reduced<R> {
  return binaryLoss('sigmoidFocalLoss', logits, labels, { alpha, gamma, ...options }, (x, y) =>
    textbookFocalLoss(x, y, { alpha, gamma, epsilon: 0 }),
  );
}

/** Options of the stabilized focal loss. */
export interface StabilizedFocalLossOptions<R extends Reduction = Reduction> extends FocalLossOptions<R> {
  /** Added to 1 - p_t, finite and >= 0. Default 1e-3, the paper's. */
  epsilon?: number;
}

/**
 * Binary focal loss, the paper's cure: epsilon keeps the base of the power away from 0.
 *
 *   FL_eps = alpha_t ((1 - p_t) + epsilon)^gamma CE(x, y)      p_t = p y + (1 - p) (1 - y),  p = sigma(x)
 *
 * Its gradient is finite for every finite logit (epsilon >= 1.2e-38: smaller ones are flushed to 0). The price is a bias:
 * easy samples weigh more than in the focal loss, relatively without bound (1 - p_t much smaller than epsilon), absolutely
 * by about gamma * epsilon per sample at most.
 *
 * @param logits  x, float32, any shape
 * @param labels  y in [0, 1], float32, int32 or bool, same shape
 * @returns losses in nats, float32: same shape for reduction 'none', a scalar for 'mean' and 'sum'
 * @throws as exactSigmoidFocalLoss, and RangeError for a negative or infinite epsilon
 * @see notebooks/02-nan-gradient.ipynb; van Leeuwen et al., TMLR 2025
 */
export function stabilizedSigmoidFocalLoss<R extends Reduction = 'none'>(
  logits: tf.Tensor,
  labels: tf.Tensor,
  { alpha = 0.25, gamma = 2, epsilon = 1e-3, ...options }: StabilizedFocalLossOptions<R> = {},
): Reduced<R> {
  const parameters = { alpha, gamma, epsilon };
  return binaryLoss('stabilizedSigmoidFocalLoss', logits, labels, { ...parameters, ...options }, (x, y) =>
    textbookFocalLoss(x, y, parameters),
  );
}

/**
 * The focal loss as textbooks write it, element by element, differentiated by autodiff.
 *
 *   p   = sigma(x)
 *   p_t = p y + (1 - p) (1 - y)
 *   FL  = alpha_t ((1 - p_t) + epsilon)^gamma CE(x, y)        alpha_t = alpha y + (1 - alpha) (1 - y)
 *
 * Every operation is rounded as in torchvision's sigmoid_focal_loss, in this order: where 1 - p_t rounds to 0 decides
 * where the gradient becomes NaN, and (1 + epsilon) - p_t would be another function in low precision.
 *
 * @param logits  x, float32
 * @param labels  y in [0, 1], float32, same shape
 */
export function textbookFocalLoss(
  logits: tf.Tensor,
  labels: tf.Tensor,
  { alpha, gamma, epsilon }: { alpha: number | null; gamma: number; epsilon: number },
): tf.Tensor {
  const notLabels = tf.sub(1, labels);
  let loss = crossEntropyWithLogits(logits, labels);
  // At gamma 0 the factor is 1. PyTorch knows that its derivative is 0 there; tf.pow computes 0 * base^-1, which at base 0
  // is 0 * Infinity = NaN. So the factor is left out instead.
  if (gamma > 0) {
    const p = tf.sigmoid(logits);
    const pT = tf.add(tf.mul(p, labels), tf.mul(tf.sub(1, p), notLabels));
    const q = tf.sub(1, pT);
    loss = tf.mul(loss, tf.pow(epsilon > 0 ? tf.add(q, epsilon) : q, gamma));
  }
  if (isNone(alpha)) return loss;
  return tf.mul(loss, tf.add(tf.mul(alpha, labels), tf.mul(1 - alpha, notLabels)));
}

/**
 * Binary cross-entropy with logits, element by element, as PyTorch computes and differentiates it.
 *
 *   CE = (1 - y) x - log sigma(x)         log sigma(x) = min(x, 0) - log(1 + e^-|x|)
 *   dCE/dx = sigma(x) - y                 dCE/dy = -x
 *
 * The gradient is written out because that of tf.logSigmoid differs where it matters here: sigma(x) - 1 rounds to 0 from
 * x = 24 ln 2 on, which is part of the textbook loss, and sigma(-x), which tf.logSigmoid has, does not.
 *
 * @param logits  x, float32
 * @param labels  y in [0, 1], float32, same shape
 * @returns loss in nats, float32, same shape
 */
function crossEntropyWithLogits(logits: tf.Tensor, labels: tf.Tensor): tf.Tensor {
  return withGradient('sigmoidFocalLoss', [logits, labels], (x, y) => {
    const logSigmoid = tf.sub(tf.minimum(x, 0), tf.log1p(tf.exp(tf.neg(tf.abs(x)))));
    return {
      value: tf.sub(tf.mul(tf.sub(1, y), x), logSigmoid),
      saved: [x, y],
      gradient: (dy, [x, y]) => [tf.mul(dy, tf.sub(tf.sigmoid(x), y)), tf.mul(dy, tf.neg(x))],
    };
  });
}
