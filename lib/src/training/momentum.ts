import { tf } from '../tf';
import { attribute, rawOp } from '../tf/rawOps';

const FLOAT32 = attribute.dtype('T', 'float32');
// Most weights are small, so that what tfjs does around an operation takes longer than the operation: hence raw ones.
const [add, sub, mul] = ['AddV2', 'Sub', 'Mul'].map(
  (name) => (a: tf.Tensor, b: tf.Tensor) => rawOp(name, [FLOAT32], [a, b]),
);

/** Options of gradient descent. */
export interface Descent {
  learningRate: number;
  momentum: number;
}

/**
 * One update by gradient descent with momentum, in PyTorch's form. The given tensors stay as they are.
 *
 *   v <- momentum * v + gradient        w <- w - learningRate * v
 *
 * @param weights     w, float32, any shapes
 * @param velocities  v, at the start 0, in the order of the weights, as the gradients
 */
export function descend(
  weights: readonly tf.Tensor[],
  velocities: readonly tf.Tensor[],
  gradients: readonly tf.Tensor[],
  { learningRate, momentum }: Descent,
): { weights: tf.Tensor[]; velocities: tf.Tensor[] } {
  const [rate, share] = [tf.scalar(learningRate), tf.scalar(momentum)];
  const newVelocities = velocities.map((velocity, i) => add(mul(velocity, share), gradients[i]));
  return {
    weights: weights.map((weight, i) => sub(weight, mul(newVelocities[i], rate))),
    velocities: newVelocities,
  };
}
