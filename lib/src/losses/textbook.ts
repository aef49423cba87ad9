import { tf } from '../tf';
import { crossEntropyWithLogits } from './crossEntropy';

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
  { alpha, gamma, epsilon }: { alpha: number; gamma: number; epsilon: number },
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
  return alpha < 0 ? loss : tf.mul(loss, tf.add(tf.mul(alpha, labels), tf.mul(1 - alpha, notLabels)));
}
