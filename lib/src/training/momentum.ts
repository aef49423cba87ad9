import { tf } from '../tf';
import { attribute, rawOp } from '../tf/rawOps';

const FLOAT32 = attribute.dtype('T', 'float32');

/**
 * Stochastic gradient descent with momentum, in PyTorch's form:
 *
 *   v <- momentum * v + gradient        w <- w - learningRate * v
 *
 * tf.train.momentum computes the same, but keeps a tensor after dispose(). Most weights are small, so that what tfjs does
 * around an operation takes longer than the operation itself: hence raw ones.
 */
export class MomentumDescent {
  private readonly learningRate: tf.Scalar;
  private readonly momentum: tf.Scalar;
  /** In the order of the weights. */
  readonly velocities: tf.Variable[];

  constructor(
    private readonly weights: tf.Variable[],
    { learningRate, momentum }: { learningRate: number; momentum: number },
  ) {
    this.learningRate = tf.scalar(learningRate);
    this.momentum = tf.scalar(momentum);
    this.velocities = weights.map((weight) => tf.tidy(() => tf.variable(tf.zerosLike(weight), false)));
  }

  /** One update; gradients in the order of the weights. */
  apply(gradients: tf.Tensor[]): void {
    const binary = (name: string) => (a: tf.Tensor, b: tf.Tensor) => rawOp(name, [FLOAT32], [a, b]);
    const [add, sub, mul] = ['AddV2', 'Sub', 'Mul'].map(binary);
    tf.tidy(() => {
      for (const [i, weight] of this.weights.entries()) {
        const velocity = this.velocities[i];
        velocity.assign(add(mul(velocity, this.momentum), gradients[i]));
        weight.assign(sub(weight, mul(velocity, this.learningRate)));
      }
    });
  }

  /** Frees the velocities; the weights stay. */
  dispose(): void {
    tf.dispose([this.learningRate, this.momentum, ...this.velocities]);
  }
}
