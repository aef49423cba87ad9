import { tf } from '../../tf';
import { addBias } from './addBias';
import { seededInitializers } from './initializers';

export interface ConvTranspose2dConfig {
  name?: string;
  /** Output channels. */
  filters: number;
  /** Side of the square that each pixel becomes: kernel size and stride at once, so that squares do not overlap. */
  scale: number;
  seed?: number;
}

/**
 * PyTorch's ConvTranspose2d with kernel size = stride = scale: [n, h, w, in] -> [n, scale h, scale w, filters].
 *
 * Kernel [scale, scale, filters, in] and bias start as U(-b, b) with b = 1 / sqrt(filters * scale^2): PyTorch counts the
 * fan-in of the convolution that this one transposes, whose inputs are the outputs here.
 */
export class ConvTranspose2d extends tf.layers.Layer {
  static readonly className = 'ConvTranspose2d';
  private readonly config: { filters: number; scale: number; seed?: number };
  private kernel!: tf.LayerVariable;
  private bias!: tf.LayerVariable;

  constructor({ filters, scale, seed, ...layer }: ConvTranspose2dConfig) {
    super(layer);
    this.config = { filters, scale, seed };
  }

  override build(inputShape: tf.Shape): void {
    const { filters, scale, seed } = this.config;
    const start = seededInitializers(seed);
    const fanIn = filters * scale ** 2;
    const kernelShape = [scale, scale, filters, inputShape[3]];
    this.kernel = this.addWeight('kernel', kernelShape, 'float32', start.uniform(fanIn));
    this.bias = this.addWeight('bias', [filters], 'float32', start.uniform(fanIn));
    super.build(inputShape);
  }

  override computeOutputShape([n, height, width]: number[]): tf.Shape {
    const { filters, scale } = this.config;
    return [n, scale * height, scale * width, filters];
  }

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    return tf.tidy(() => {
      const [x] = [inputs].flat() as tf.Tensor4D[];
      const outputShape = this.computeOutputShape(x.shape) as [number, number, number, number];
      const kernel = this.kernel.read() as tf.Tensor4D;
      return addBias(
        tf.conv2dTranspose(x, kernel, outputShape, this.config.scale, 'valid'),
        this.bias.read(),
      );
    });
  }

  override getConfig(): tf.serialization.ConfigDict {
    return { ...super.getConfig(), ...this.config };
  }
}
tf.serialization.registerClass(ConvTranspose2d);
