/** The losses that `trainGrid` knows. In a file of its own, because a sweep reads it without loading TensorFlow. */
export const LOSS_NAMES = ['original', 'stabilized', 'exact'] as const;

export type GridLoss = (typeof LOSS_NAMES)[number];
