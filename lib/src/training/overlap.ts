import { tf } from '../tf';

/**
 * How well a predicted mask A, the pixels with logit > 0, covers the true mask B:
 *
 *   IoU = |A and B| / |A or B|      Dice = 2 |A and B| / (|A| + |B|)
 *
 * @param logits  float32, any shape
 * @param labels  0 and 1, float32, same shape
 * @returns both in [0, 1], over all pixels together; 1 if both masks are empty
 * @throws RangeError if the shapes differ
 * @see notebooks/05-mnist-segmentation.ipynb
 */
export function overlap(logits: tf.Tensor, labels: tf.Tensor): { iou: number; dice: number } {
  if (logits.shape.join() !== labels.shape.join())
    throw new RangeError(
      `overlap: labels are [${labels.shape}]; expected [${logits.shape}], the shape of logits`,
    );
  const [both, predicted, labeled] = tf.tidy(() => {
    const [a, b] = [tf.greater(logits, 0), tf.greater(labels, 0.5)];
    return tf.stack([tf.logicalAnd(a, b), a, b].map((mask) => tf.sum(mask.toFloat()))).dataSync();
  });
  if (predicted + labeled === 0) return { iou: 1, dice: 1 };
  return { iou: both / (predicted + labeled - both), dice: (2 * both) / (predicted + labeled) };
}
