import { tf } from '../../tf';
import { attribute, backend, rawOp, rawOps, type Attribute } from '../../tf/rawOps';
import { differentiable } from './differentiable';

export interface BatchNorm2dConfig {
  name?: string;
  /** Added to the variance. Default 1e-5. */
  epsilon?: number;
  /** Share of the new batch in the running statistics, in [0, 1]. Default 0.1. */
  momentum?: number;
}

/**
 * PyTorch's BatchNorm2d, per channel of [n, h, w, channels]:
 *
 *   y = gamma (x - mean) / sqrt(variance + epsilon) + beta
 *
 * In training, mean and variance are those of the batch, over its N = n h w values, and the running ones follow:
 *
 *   runningMean     <- (1 - momentum) runningMean     + momentum * mean
 *   runningVariance <- (1 - momentum) runningVariance + momentum * variance * N / (N - 1)
 *
 * Otherwise they are the running ones. tf.layers.batchNormalization differs from it in three points: its momentum is the
 * share of the old value (0.99 by default, here 1 - 0.1), its epsilon is 1e-3 by default, and its running variance
 * lacks the factor N / (N - 1).
 *
 * @throws Error in training, if there is one value per channel: its variance is not defined
 */
export class BatchNorm2d extends tf.layers.Layer {
  static readonly className = 'BatchNorm2d';
  private readonly config: Required<Omit<BatchNorm2dConfig, 'name'>>;
  private gamma!: tf.LayerVariable;
  private beta!: tf.LayerVariable;
  private runningMean!: tf.LayerVariable;
  private runningVariance!: tf.LayerVariable;

  constructor({ epsilon = 1e-5, momentum = 0.1, ...layer }: BatchNorm2dConfig = {}) {
    super(layer);
    this.config = { epsilon, momentum };
  }

  override build(inputShape: tf.Shape): void {
    const shape = [inputShape[3]];
    const [zeros, ones] = [tf.initializers.zeros(), tf.initializers.ones()];
    this.gamma = this.addWeight('gamma', shape, 'float32', ones);
    this.beta = this.addWeight('beta', shape, 'float32', zeros);
    this.runningMean = this.addWeight('running_mean', shape, 'float32', zeros, undefined, false);
    this.runningVariance = this.addWeight('running_variance', shape, 'float32', ones, undefined, false);
    super.build(inputShape);
  }

  override call(inputs: tf.Tensor | tf.Tensor[], { training = false }: { training?: boolean }): tf.Tensor {
    return tf.tidy(() => {
      const [x] = [inputs].flat() as tf.Tensor4D[];
      const gamma = this.gamma.read() as tf.Tensor1D;
      const beta = this.beta.read() as tf.Tensor1D;
      const mean = this.runningMean.read() as tf.Tensor1D;
      const variance = this.runningVariance.read() as tf.Tensor1D;
      const { epsilon, momentum } = this.config;
      if (!training) return tf.batchNorm4d(x, mean, variance, beta, gamma, epsilon);

      if (x.size === gamma.size)
        throw new Error(
          `${this.name}: one value per channel, input shape [${x.shape}]; ` +
            'training needs at least 2: a larger batch or larger images',
        );
      const batch = batchStatistics(x);
      const follow = (running: tf.Tensor, now: tf.Tensor, share: number) =>
        tf.add(tf.mul(running, 1 - momentum), tf.mul(now, share));
      const samples = x.size / gamma.size;
      this.runningMean.write(follow(mean, batch.mean, momentum));
      this.runningVariance.write(follow(variance, batch.variance, (momentum * samples) / (samples - 1)));
      return normalize(x, gamma, beta, batch, epsilon);
    });
  }

  override getConfig(): tf.serialization.ConfigDict {
    return { ...super.getConfig(), ...this.config };
  }
}
tf.serialization.registerClass(BatchNorm2d);

interface Statistics {
  mean: tf.Tensor1D;
  variance: tf.Tensor1D;
}

const FLOAT32 = attribute.dtype('T', 'float32');

/**
 * Mean and biased variance of each channel. Not differentiated: normalize's gradient covers their part.
 *
 * TensorFlow's own training kernel adds up all values of a channel one after another, which loses two digits of float32
 * for some 50,000 values. Here each position is averaged over the batch first, and then the positions.
 */
function batchStatistics(x: tf.Tensor4D): Statistics {
  const [n, height, width, channels] = x.shape;
  const meanOfRows = (rows: tf.Tensor) =>
    rawOp(
      'Mean',
      [FLOAT32, attribute.dtype('Tidx', 'int32'), attribute.bool('keep_dims', false)],
      [rows, tf.scalar(0, 'int32')],
    );
  const channelMean = (values: tf.Tensor) => {
    const positions = meanOfRows(tf.reshape(values, [n, values.size / n]));
    return meanOfRows(tf.reshape(positions, [height * width, channels])) as tf.Tensor1D;
  };
  const mean = channelMean(x);
  const rows = tf.reshape(x, [n * height, width * channels]); // long rows: broadcasting a few channels is slow
  const squares = rawOp('SquaredDifference', [FLOAT32], [rows, tf.tile(mean, [width])]);
  return { mean, variance: channelMean(squares) };
}

/** gamma (x - mean) / sqrt(variance + epsilon) + beta, where mean and variance are those of x. */
function normalize(
  x: tf.Tensor4D,
  gamma: tf.Tensor1D,
  beta: tf.Tensor1D,
  { mean, variance }: Statistics,
  epsilon: number,
): tf.Tensor {
  return differentiable(
    {
      forward: (x: tf.Tensor4D, gamma: tf.Tensor1D, beta: tf.Tensor1D) => ({
        value: tf.batchNorm4d(x, mean, variance, beta, gamma, epsilon),
        kept: [mean, variance],
      }),
      gradient: (dy, [x, gamma], [mean, variance]) =>
        backend.isUsingGpuDevice
          ? gradientByFormula(dy, x, gamma, mean, variance, epsilon)
          : gradientByKernel(dy, x, gamma, mean, variance, epsilon),
      composed: (x, gamma, beta) => {
        const moments = tf.moments(x, [0, 1, 2]);
        const centered = tf.sub(x, moments.mean);
        return tf.add(tf.mul(tf.div(centered, tf.sqrt(tf.add(moments.variance, epsilon))), gamma), beta);
      },
    },
    x,
    gamma,
    beta,
  );
}

/** By x, gamma and beta. On a GPU this kernel wants other things than mean and variance. */
function gradientByKernel(
  dy: tf.Tensor,
  x: tf.Tensor,
  gamma: tf.Tensor,
  mean: tf.Tensor,
  variance: tf.Tensor,
  epsilon: number,
): tf.Tensor[] {
  const attributes: Attribute[] = [
    FLOAT32,
    attribute.dtype('U', 'float32'),
    { name: 'epsilon', type: backend.binding.TF_ATTR_FLOAT, value: epsilon },
    attribute.text('data_format', 'NHWC'),
    attribute.bool('is_training', true),
  ];
  const unused = tf.tensor1d([]);
  const inputs = [dy, x, gamma, mean, variance, unused];
  return rawOps(5, 'FusedBatchNormGradV3', attributes, inputs).slice(0, 3);
}

/**
 * The same gradients, step by step. With h = (x - mean) r and r = 1 / sqrt(variance + epsilon), y = gamma h + beta:
 *
 *   dbeta = sum dy        dgamma = sum dy h
 *   dx = gamma r (dy - dbeta / N - h dgamma / N)     the last two terms: through mean and through variance
 */
export function gradientByFormula(
  dy: tf.Tensor,
  x: tf.Tensor,
  gamma: tf.Tensor,
  mean: tf.Tensor,
  variance: tf.Tensor,
  epsilon: number,
): tf.Tensor[] {
  const r = tf.rsqrt(tf.add(variance, epsilon));
  const h = tf.mul(tf.sub(x, mean), r);
  const dBeta = tf.sum(dy, [0, 1, 2]);
  const dGamma = tf.sum(tf.mul(dy, h), [0, 1, 2]);
  const samples = x.size / gamma.size;
  const means = tf.add(tf.div(dBeta, samples), tf.mul(h, tf.div(dGamma, samples)));
  return [tf.mul(tf.mul(gamma, r), tf.sub(dy, means)), dGamma, dBeta];
}
