import { tf } from '../../tf';
import { addBias } from './addBias';
import { seededInitializers } from './initializers';

export interface LinearConfig {
  name?: string;
  /** Width of the output. */
  units: number;
  seed?: number;
}

/**
 * x W + b on the last axis: [..., in] -> [..., units]. W starts as N(0, 0.02^2), b as 0, as in timm's vision
 * transformers.
 */
export class Linear extends tf.layers.Layer {
  static readonly className = 'Linear';
  private readonly config: { units: number; seed?: number };
  private kernel!: tf.LayerVariable;
  private bias!: tf.LayerVariable;

  constructor({ units, seed, ...layer }: LinearConfig) {
    super(layer);
    this.config = { units, seed };
  }

  override build(inputShape: tf.Shape): void {
    const { units, seed } = this.config;
    const shape = [inputShape[inputShape.length - 1], units];
    this.kernel = this.addWeight('kernel', shape, 'float32', seededInitializers(seed).normal(0.02));
    this.bias = this.addWeight('bias', [units], 'float32', tf.initializers.zeros());
    super.build(inputShape);
  }

  override computeOutputShape(inputShape: tf.Shape): tf.Shape {
    return [...inputShape.slice(0, -1), this.config.units];
  }

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    return tf.tidy(() => linear([inputs].flat()[0], this.kernel.read(), this.bias.read()));
  }

  override getConfig(): tf.serialization.ConfigDict {
    return { ...super.getConfig(), ...this.config };
  }
}
tf.serialization.registerClass(Linear);

/** x kernel + bias on the last axis, as one matrix product. */
export function linear(x: tf.Tensor, kernel: tf.Tensor, bias: tf.Tensor): tf.Tensor {
  const [width, units] = kernel.shape;
  const product = tf.matMul(tf.reshape(x, [x.size / width, width]), kernel as tf.Tensor2D);
  return tf.reshape(addBias(product, bias), [...x.shape.slice(0, -1), units]);
}
