import { randomUUID } from 'node:crypto';
import { attribute, rawOp, rawOps, type Attribute } from './rawOps';
import { tf } from './tensorflow';

const DTYPE = attribute.dtype('dtype', 'float32');

/**
 * A float32 variable in TensorFlow's own keeping, which its kernels change in place. (A tf.Variable gets a new tensor with
 * every assignment.)
 */
export class ResourceVariable {
  readonly shape: number[];
  /** What operations take for the variable. */
  readonly handle: tf.Tensor;

  /** @param value  the initial value; stays the caller's */
  constructor(value: tf.Tensor) {
    this.shape = value.shape;
    const attributes: Attribute[] = [
      attribute.text('container', ''),
      attribute.text('shared_name', randomUUID()), // two of one name would be one variable
      DTYPE,
      attribute.shape('shape', value.shape),
    ];
    this.handle = tf.keep(rawOp('VarHandleOp', attributes, []));
    this.assign(value);
  }

  /** The present value, without a copy as long as it does not change. */
  read(): tf.Tensor {
    return rawOp('ReadVariableOp', [DTYPE], [this.handle]);
  }

  assign(value: tf.Tensor): void {
    rawOps(0, 'AssignVariableOp', [DTYPE], [this.handle, value]);
  }

  /**
   * One update by gradient descent with momentum, in place: v <- momentum * v + gradient, this <- this - learningRate * v
   *
   * @param velocity  v, of the same shape
   */
  descend(
    velocity: ResourceVariable,
    gradient: tf.Tensor,
    { learningRate, momentum }: { learningRate: tf.Scalar; momentum: tf.Scalar },
  ): void {
    const attributes = [
      attribute.dtype('T', 'float32'),
      attribute.bool('use_locking', false),
      attribute.bool('use_nesterov', false),
    ];
    const inputs = [this.handle, velocity.handle, learningRate, gradient, momentum];
    rawOps(0, 'ResourceApplyMomentum', attributes, inputs);
  }

  dispose(): void {
    rawOps(0, 'DestroyResourceOp', [attribute.bool('ignore_lookup_error', true)], [this.handle]);
    this.handle.dispose();
  }
}
