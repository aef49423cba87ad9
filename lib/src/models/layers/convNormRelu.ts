import { tf } from '../../tf';
import { consume } from '../../tf/consume';
import { attribute, backend, rawOp, rawOps, type Attribute } from '../../tf/rawOps';
import { differentiable } from './differentiable';
import { seededInitializers } from './initializers';

export interface ConvNormReluConfig {
  name?: string;
  /** Output channels. */
  filters: number;
  seed?: number;
}

/** Added to the variance. */
const EPSILON = 1e-5;

/** Share of a new batch in the running statistics. */
const MOMENTUM = 0.1;

/**
 * PyTorch's Conv2d (3x3, padding 1), BatchNorm2d and ReLU: [n, h, w, in] -> [n, h, w, filters],
 *
 *   x = kernel * input + bias        y = relu(gamma (x - mean) / sqrt(variance + 1e-5) + beta)
 *
 * In training, mean and variance are those of the batch, for each channel over its N = n h w values, and the running
 * ones follow:
 *
 *   runningMean     <- 0.9 runningMean     + 0.1 mean
 *   runningVariance <- 0.9 runningVariance + 0.1 variance N / (N - 1)
 *
 * Otherwise they are the running ones. tf.layers.batchNormalization differs in three points: its momentum is the share
 * of the old value (0.99 by default, here 0.9), its epsilon is 1e-3 by default, and its running variance lacks the
 * factor N / (N - 1).
 *
 * In training the bias moves x and its mean alike and cancels, so it is added to the running mean only, and its gradient
 * is 0, where PyTorch's is what rounding leaves of 0.
 *
 * Kernel and bias start as U(-b, b) with b = 1 / sqrt(9 in), gamma as 1, beta as 0.
 *
 * @throws Error in training, if there is one value per channel: its variance is not defined
 */
export class ConvNormRelu extends tf.layers.Layer {
  static readonly className = 'ConvNormRelu';
  private readonly config: { filters: number; seed?: number };
  private kernel!: tf.LayerVariable;
  private bias!: tf.LayerVariable;
  private gamma!: tf.LayerVariable;
  private beta!: tf.LayerVariable;
  private runningMean!: tf.LayerVariable;
  private runningVariance!: tf.LayerVariable;

  constructor({ filters, seed, ...layer }: ConvNormReluConfig) {
    super(layer);
    this.config = { filters, seed };
  }

  override build(inputShape: tf.Shape): void {
    const { filters, seed } = this.config;
    const channels = inputShape[3] as number;
    const start = seededInitializers(seed);
    const [zeros, ones] = [tf.initializers.zeros(), tf.initializers.ones()];
    const fanIn = 9 * channels;
    this.kernel = this.addWeight('kernel', [3, 3, channels, filters], 'float32', start.uniform(fanIn));
    this.bias = this.addWeight('bias', [filters], 'float32', start.uniform(fanIn));
    this.gamma = this.addWeight('gamma', [filters], 'float32', ones);
    this.beta = this.addWeight('beta', [filters], 'float32', zeros);
    this.runningMean = this.addWeight('running_mean', [filters], 'float32', zeros, undefined, false);
    this.runningVariance = this.addWeight('running_variance', [filters], 'float32', ones, undefined, false);
    super.build(inputShape);
  }

  override computeOutputShape([n, height, width]: number[]): tf.Shape {
    return [n, height, width, this.config.filters];
  }

  override call(inputs: tf.Tensor | tf.Tensor[], { training = false }: { training?: boolean }): tf.Tensor {
    return tf.tidy(() => {
      const [input] = [inputs].flat() as tf.Tensor4D[];
      const x = tf.conv2d(input, this.kernel.read() as tf.Tensor4D, 1, 'same'); // the bias is added below
      const bias = this.bias.read() as tf.Tensor1D;
      const gamma = this.gamma.read() as tf.Tensor1D;
      const beta = this.beta.read() as tf.Tensor1D;
      if (training) {
        const batch = this.batchStatistics(x);
        this.follow(batch, bias, x.size / bias.size);
        return normReluInTraining(x, bias, gamma, beta, batch);
      }
      const mean = this.runningMean.read() as tf.Tensor1D;
      const variance = this.runningVariance.read() as tf.Tensor1D;
      return tf.relu(tf.batchNorm4d(x, tf.sub<tf.Tensor1D>(mean, bias), variance, beta, gamma, EPSILON));
    });
  }

  private batchStatistics(x: tf.Tensor4D): Statistics {
    if (x.shape[0] * x.shape[1] * x.shape[2] === 1)
      throw new Error(
        `${this.name}: one value per channel, shape [${x.shape}]; ` +
          'training needs at least 2: a larger batch or larger images',
      );
    return statistics(x);
  }

  /** Moves the running statistics; `samples` is N. */
  private follow(batch: Statistics, bias: tf.Tensor, samples: number): void {
    const mix = (running: tf.LayerVariable, now: tf.Tensor, share: number) =>
      running.write(tf.add(tf.mul(running.read(), 1 - MOMENTUM), tf.mul(now, share)));
    mix(this.runningMean, tf.add(batch.mean, bias), MOMENTUM);
    mix(this.runningVariance, batch.variance, (MOMENTUM * samples) / (samples - 1));
  }

  override getConfig(): tf.serialization.ConfigDict {
    return { ...super.getConfig(), ...this.config };
  }
}
tf.serialization.registerClass(ConvNormRelu);

interface Statistics {
  mean: tf.Tensor1D;
  variance: tf.Tensor1D;
}

const FLOAT32 = attribute.dtype('T', 'float32');

/**
 * Mean and biased variance of each channel. Not differentiated: the gradient of normReluInTraining covers their part.
 *
 * TensorFlow's own training kernel adds up all values of a channel one after another, which loses two digits of float32
 * for some 50,000 values. Here each position is averaged over the batch first, and then the positions.
 */
function statistics(x: tf.Tensor4D): Statistics {
  const [n, height, width, channels] = x.shape;
  const positions = height * width;
  const axis = tf.scalar(0, 'int32');
  const attributes = [FLOAT32, attribute.dtype('Tidx', 'int32'), attribute.bool('keep_dims', false)];
  const meanOfRows = (rows: tf.Tensor) => rawOp('Mean', attributes, [rows, axis]);
  const channelMean = (images: tf.Tensor) =>
    meanOfRows(tf.reshape(meanOfRows(images), [positions, channels])) as tf.Tensor1D;
  const images = tf.reshape(x, [n, positions * channels]); // long rows: to broadcast a few channels is slow
  const mean = channelMean(images);
  const squares = rawOp('SquaredDifference', [FLOAT32], [images, tf.tile(mean, [positions])]);
  return { mean, variance: consume(squares, channelMean) as tf.Tensor1D };
}

/**
 * relu(gamma (x - mean) / sqrt(variance + epsilon) + beta), where mean and variance are those of x. The bias takes part
 * for its gradient only.
 *
 * ReLU stays a kernel of its own: oneDNN's batch norm can do it on the way, but turns NaN into 0.
 */
function normReluInTraining(
  x: tf.Tensor4D,
  bias: tf.Tensor1D,
  gamma: tf.Tensor1D,
  beta: tf.Tensor1D,
  { mean, variance }: Statistics,
): tf.Tensor {
  type Inputs = [x: tf.Tensor4D, bias: tf.Tensor1D, gamma: tf.Tensor1D, beta: tf.Tensor1D];
  return differentiable<Inputs>(
    {
      forward: (x, _, gamma, beta) => {
        const normal = tf.batchNorm4d(x, mean, variance, beta, gamma, EPSILON);
        const y = consume(normal, tf.relu);
        return { value: y, kept: [mean, variance, y] };
      },
      gradient: (dy, [x, bias, gamma], [mean, variance, y]) => {
        const dNorm = rawOp('ReluGrad', [FLOAT32], [dy, y]);
        const normGradient = backend.isUsingGpuDevice ? normGradientByFormula : normGradientByKernel;
        const [dx, dGamma, dBeta] = normGradient(dNorm, x, gamma, { mean, variance } as Statistics);
        return [dx, tf.zerosLike(bias), dGamma, dBeta];
      },
      composed: (x, bias, gamma, beta) => {
        const biased = tf.add(x, bias);
        const { mean, variance } = tf.moments(biased, [0, 1, 2]);
        const normal = tf.div(tf.sub(biased, mean), tf.sqrt(tf.add(variance, EPSILON)));
        return tf.relu(tf.add(tf.mul(normal, gamma), beta));
      },
    },
    x,
    bias,
    gamma,
    beta,
  );
}

/** Gradients of batch norm by x, gamma and beta. Not for a GPU, where the kernel wants other things than the variance. */
function normGradientByKernel(dy: tf.Tensor, x: tf.Tensor, gamma: tf.Tensor, batch: Statistics): tf.Tensor[] {
  const attributes: Attribute[] = [
    FLOAT32,
    attribute.dtype('U', 'float32'),
    { name: 'epsilon', type: backend.binding.TF_ATTR_FLOAT, value: EPSILON },
    attribute.text('data_format', 'NHWC'),
    attribute.bool('is_training', true),
  ];
  const unused = tf.tensor1d([]);
  const inputs = [dy, x, gamma, batch.mean, batch.variance, unused];
  return rawOps(5, 'FusedBatchNormGradV3', attributes, inputs).slice(0, 3);
}

/**
 * The same gradients, step by step. With r = 1 / sqrt(variance + epsilon) and h = (x - mean) r, y = gamma h + beta:
 *
 *   dbeta = sum dy        dgamma = sum dy h
 *   dx = gamma r (dy - dbeta / N - h dgamma / N)     the last two terms: through mean and through variance
 */
export function normGradientByFormula(
  dy: tf.Tensor,
  x: tf.Tensor,
  gamma: tf.Tensor,
  { mean, variance }: Statistics,
): tf.Tensor[] {
  const r = tf.rsqrt(tf.add(variance, EPSILON));
  const h = tf.mul(tf.sub(x, mean), r);
  const dBeta = tf.sum(dy, [0, 1, 2]);
  const dGamma = tf.sum(tf.mul(dy, h), [0, 1, 2]);
  const samples = x.size / gamma.size;
  const means = tf.add(tf.div(dBeta, samples), tf.mul(h, tf.div(dGamma, samples)));
  return [tf.mul(tf.mul(gamma, r), tf.sub(dy, means)), dGamma, dBeta];
}
