import { tf } from '../tf';

/**
 * The paper's two classes: digits up to the threshold against the rest.
 *
 *   y = 1 if digit <= threshold, else 0
 *
 * @param labels     int32 [n], digits 0..9
 * @param threshold  0..8; at 9 every digit would be in class 1
 * @returns float32 [n] of 0 and 1
 * @throws RangeError for any other threshold
 */
export function binaryLabels(labels: tf.Tensor1D, threshold: number): tf.Tensor1D {
  if (!(Number.isInteger(threshold) && threshold >= 0 && threshold <= 8))
    throw new RangeError(`binaryLabels: threshold is ${threshold}; expected an integer in 0..8`);
  return tf.tidy(() => tf.lessEqual(labels, threshold).toFloat().as1D());
}
