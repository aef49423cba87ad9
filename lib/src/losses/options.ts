import type { tf } from '../tf';

/** What becomes of the per-element losses: kept as they are, averaged, or summed. */
export type Reduction = 'none' | 'mean' | 'sum';

/** The tensor that a reduction leaves: one loss per logit, or a scalar. */
export type Reduced<R extends Reduction> = R extends 'none' ? tf.Tensor : tf.Scalar;

/** Options of the focal loss of one number. */
export interface FocalOptions {
  /** Weight of label 1, in [0, 1]; label 0 has 1 - alpha. Any negative number: no weighting. Default 0.25. */
  alpha?: number;
  /** Focusing parameter, finite and >= 0; 0 is cross-entropy. Default 2. */
  gamma?: number;
}

/** Options of a focal loss of tensors. */
export interface FocalLossOptions<R extends Reduction = Reduction> extends FocalOptions {
  /** Default 'none'. */
  reduction?: R;
}
