import { tf } from '../tf';
import { seededInitializers } from './layers/initializers';

export interface LenetOptions {
  /** Height and width of the images in pixels, at least 16. */
  size?: number;
  /** 1 for gray, 3 for color images. */
  channels?: number;
  /** An integer: the same seed gives the same initial weights. Without it they differ from call to call. */
  seed?: number;
}

/**
 * The paper's convolutional network, a LeNet with one logit:
 *
 *   conv 6@5x5, ReLU, max-pool 2x2, conv 16@5x5, ReLU, max-pool 2x2, dense 120, ReLU, dense 84, ReLU, dense 1
 *
 * Weights and biases start as in PyTorch: U(-b, b) with b = 1 / sqrt(fan_in), where fan_in is the number of inputs of
 * one unit. 43,661 parameters for 28x28x1, 61,241 for 32x32x3.
 *
 * @returns a model from float32 [n, size, size, channels] to logits float32 [n, 1]; the caller disposes it
 * @throws RangeError for a size below 16 (nothing would be left after the second pool), channels < 1 or a seed that
 *   is not an integer
 */
export function lenet({ size = 28, channels = 1, seed }: LenetOptions = {}): tf.LayersModel {
  if (!(Number.isInteger(size) && size >= 16))
    throw new RangeError(`lenet: size is ${size}; expected an integer >= 16`);
  if (!(Number.isInteger(channels) && channels >= 1))
    throw new RangeError(`lenet: channels is ${channels}; expected an integer >= 1`);
  if (seed !== undefined && !Number.isInteger(seed))
    throw new RangeError(`lenet: seed is ${seed}; expected an integer`);

  const { uniform } = seededInitializers(seed);
  const fromFanIn = (fanIn: number) => ({
    kernelInitializer: uniform(fanIn),
    biasInitializer: uniform(fanIn),
  });
  const afterConvAndPool = (pixels: number) => Math.floor((pixels - 4) / 2);
  const flat = 16 * afterConvAndPool(afterConvAndPool(size)) ** 2;
  const { conv2d, maxPooling2d, flatten, dense } = tf.layers;

  return tf.sequential({
    layers: [
      conv2d({
        name: 'conv1',
        inputShape: [size, size, channels],
        filters: 6,
        kernelSize: 5,
        activation: 'relu',
        ...fromFanIn(25 * channels),
      }),
      maxPooling2d({ name: 'pool1', poolSize: 2 }),
      conv2d({ name: 'conv2', filters: 16, kernelSize: 5, activation: 'relu', ...fromFanIn(25 * 6) }),
      maxPooling2d({ name: 'pool2', poolSize: 2 }),
      flatten({ name: 'flatten' }),
      dense({ name: 'dense1', units: 120, activation: 'relu', ...fromFanIn(flat) }),
      dense({ name: 'dense2', units: 84, activation: 'relu', ...fromFanIn(120) }),
      dense({ name: 'logit', units: 1, ...fromFanIn(84) }),
    ],
  });
}
