// Four ways in which the focal loss is written in published code, without alpha: re-implemented from their formulas, with
// the faults that they have. Exercise 3 breaks and repairs them.
import { textbookFocalLoss } from '../losses/textbook';
import { tf } from '../tf';

/** Losses of logits and labels 0 and 1, element by element, in float32. */
export type ElementwiseLoss = (logits: tf.Tensor, labels: tf.Tensor, gamma: number) => tf.Tensor;

/**
 * The textbook's form:
 *
 *   p = sigma(x),  p_t = p y + (1 - p) (1 - y)        FL = (1 - p_t)^gamma CE(x, y)
 *
 * @see https://github.com/pytorch/vision/blob/main/torchvision/ops/focal_loss.py
 */
const textbook: ElementwiseLoss = (logits, labels, gamma) =>
  textbookFocalLoss(logits, labels, { alpha: -1, gamma, epsilon: 0 });

/**
 * A constant inside the logarithm, and only there:
 *
 *   FL = -y (1 - p)^gamma log(p + 1e-8) - (1 - y) p^gamma log(1 - p + 1e-8)
 *
 * @see https://github.com/kornia/kornia/issues/918, kornia 0.5.0
 */
const epsilonInLog: ElementwiseLoss = (logits, labels, gamma) =>
  tf.tidy(() => {
    const p = tf.sigmoid(logits);
    const notP = tf.sub(1, p);
    const one = tf.mul(tf.mul(labels, tf.pow(notP, gamma)), tf.log(tf.add(p, 1e-8)));
    const zero = tf.mul(tf.mul(tf.sub(1, labels), tf.pow(p, gamma)), tf.log(tf.add(notP, 1e-8)));
    return tf.neg(tf.add(one, zero));
  });

/**
 * Clipped probabilities:
 *
 *   p = clip(sigma(x), 1e-7, 1 - 1e-7),  p_t = p y + (1 - p) (1 - y)        FL = -(1 - p_t)^gamma log p_t
 *
 * @see https://github.com/umbertogriffo/focal-loss-keras/blob/master/src/loss_function/losses.py
 */
const clipped: ElementwiseLoss = (logits, labels, gamma) =>
  tf.tidy(() => {
    const p = tf.clipByValue(tf.sigmoid(logits), 1e-7, 1 - 1e-7);
    const pT = tf.add(tf.mul(p, labels), tf.mul(tf.sub(1, p), tf.sub(1, labels)));
    return tf.neg(tf.mul(tf.pow(tf.sub(1, pT), gamma), tf.log(pT)));
  });

/**
 * p_t by way of the cross-entropy:
 *
 *   CE = max(x, 0) - x y + log(1 + e^-|x|),  p_t = exp(-CE)        FL = (1 - p_t)^gamma CE
 *
 * @see https://github.com/qubvel-org/segmentation_models.pytorch/blob/main/segmentation_models_pytorch/losses/_functional.py
 */
const expOfCrossEntropy: ElementwiseLoss = (logits, labels, gamma) =>
  tf.tidy(() => {
    const tail = tf.log1p(tf.exp(tf.neg(tf.abs(logits))));
    const crossEntropy = tf.add(tf.sub(tf.relu(logits), tf.mul(logits, labels)), tail);
    return tf.mul(tf.pow(tf.sub(1, tf.exp(tf.neg(crossEntropy))), gamma), crossEntropy);
  });

/** The four, by name. */
export const publishedLosses = { textbook, epsilonInLog, clipped, expOfCrossEntropy };

export type PublishedName = keyof typeof publishedLosses;

/** The derivatives of such a loss at logits of one label. */
export function gradientsOf(loss: ElementwiseLoss, logits: number[], label: 0 | 1, gamma: number): number[] {
  return tf.tidy(() => {
    const labels = tf.fill([logits.length], label);
    const summed = (x: tf.Tensor) => tf.sum(loss(x, labels, gamma));
    return Array.from(tf.grad(summed)(tf.tensor1d(logits)).dataSync());
  });
}
