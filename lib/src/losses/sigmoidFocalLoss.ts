import { tf } from '../tf';
import { checkParameters, checkTensors } from './check';
import type { FocalLossOptions, Reduced, Reduction } from './options';
import { reduce } from './reduce';
import { textbookFocalLoss } from './textbook';

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
 * @throws TypeError, RangeError for bad tensors or parameters; labels outside [0, 1] only in tensors of at most 65,536
 *   elements (reading them waits for the device). Error if differentiated twice.
 * @see notebooks/02-nan-gradient.ipynb; Lin et al. 2017, eq. 5
 */
export function sigmoidFocalLoss<R extends Reduction = 'none'>(
  logits: tf.Tensor,
  labels: tf.Tensor,
  { alpha = 0.25, gamma = 2, reduction = 'none' as R }: FocalLossOptions<R> = {},
): Reduced<R> {
  checkParameters('sigmoidFocalLoss', { alpha, gamma });
  checkTensors('sigmoidFocalLoss', logits, labels, reduction);
  return tf.tidy(() =>
    reduce(textbookFocalLoss(logits, tf.cast(labels, 'float32'), { alpha, gamma, epsilon: 0 }), reduction),
  );
}
