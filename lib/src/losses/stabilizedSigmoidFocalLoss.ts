import { tf } from '../tf';
import { checkParameters, checkTensors } from './check';
import type { FocalLossOptions, Reduced, Reduction } from './options';
import { reduce } from './reduce';
import { textbookFocalLoss } from './textbook';

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
 * @throws TypeError, RangeError for bad tensors or parameters; labels outside [0, 1] only in tensors of at most 65,536
 *   elements (reading them waits for the device). Error if differentiated twice.
 * @see notebooks/02-nan-gradient.ipynb; van Leeuwen et al., TMLR 2025
 */
export function stabilizedSigmoidFocalLoss<R extends Reduction = 'none'>(
  logits: tf.Tensor,
  labels: tf.Tensor,
  { alpha = 0.25, gamma = 2, epsilon = 1e-3, reduction = 'none' as R }: StabilizedFocalLossOptions<R> = {},
): Reduced<R> {
  checkParameters('stabilizedSigmoidFocalLoss', { alpha, gamma, epsilon });
  checkTensors('stabilizedSigmoidFocalLoss', logits, labels, reduction);
  return tf.tidy(() =>
    reduce(textbookFocalLoss(logits, tf.cast(labels, 'float32'), { alpha, gamma, epsilon }), reduction),
  );
}
