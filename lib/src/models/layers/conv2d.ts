import { tf } from '../../tf';
import { addBias } from './addBias';
import { seededInitializers } from './initializers';
import { linear } from './linear';

export interface Conv2dConfig {
  name?: string;
  /** Output channels. */
  filters: number;
  /** Height and width of the kernel in pixels. */
  kernelSize: number;
  /** Default 1. */
  strides?: number;
  /** 'same' (default) keeps the size at stride 1, 'valid' does not pad. */
  padding?: 'same' | 'valid';
  seed?: number;
}

/**
 * PyTorch's Conv2d: [n, h, w, in] -> [n, h', w', filters], kernel and bias starting as U(-b, b) with
 * b = 1 / sqrt(in * kernelSize^2).
 *
 * It differs from tf.layers.conv2d in speed only: no gradient by the input where none is asked for (that of a network's
 * first layer is as expensive as any), a bias added by rows, and a matrix product where the kernel is a single pixel.
 */
export class Conv2d extends tf.layers.Layer {
  static readonly className = 'Conv2d';
  private readonly config: Required<Omit<Conv2dConfig, 'name' | 'seed'>> & { seed?: number };
  private kernel!: tf.LayerVariable;
  private bias!: tf.LayerVariable;

  constructor({ filters, kernelSize, strides = 1, padding = 'same', seed, ...layer }: Conv2dConfig) {
    super(layer);
    this.config = { filters, kernelSize, strides, padding, seed };
  }

  override build(inputShape: tf.Shape): void {
    const { filters, kernelSize, seed } = this.config;
    const channels = inputShape[3] as number;
    const start = seededInitializers(seed);
    const fanIn = channels * kernelSize ** 2;
    const kernelShape = [kernelSize, kernelSize, channels, filters];
    this.kernel = this.addWeight('kernel', kernelShape, 'float32', start.uniform(fanIn));
    this.bias = this.addWeight('bias', [filters], 'float32', start.uniform(fanIn));
    super.build(inputShape);
  }

  override computeOutputShape([n, height, width]: number[]): tf.Shape {
    const { filters, kernelSize, strides, padding } = this.config;
    const after = (size: number) => Math.ceil((size - (padding === 'valid' ? kernelSize - 1 : 0)) / strides);
    return [n, after(height), after(width), filters];
  }

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    return tf.tidy(() => {
      const [x] = [inputs].flat() as tf.Tensor4D[];
      const { kernelSize, strides, padding } = this.config;
      if (kernelSize === 1 && strides === 1)
        return linear(x, tf.squeeze(this.kernel.read(), [0, 1]), this.bias.read());
      return addBias(tf.conv2d(x, this.kernel.read() as tf.Tensor4D, strides, padding), this.bias.read());
    });
  }

  override getConfig(): tf.serialization.ConfigDict {
    return { ...super.getConfig(), ...this.config };
  }
}
tf.serialization.registerClass(Conv2d);
