import { tf } from '../../tf';
import { consume } from '../../tf/consume';
import { differentiable } from './differentiable';
import { seededInitializers } from './initializers';
import { linear } from './linear';

/** Added to the variance. */
const EPSILON = 1e-6;

export interface NormLinearConfig {
  name?: string;
  /** Width of the output. */
  units: number;
  seed?: number;
}

/**
 * PyTorch's LayerNorm and Linear: [..., in] -> [..., units],
 *
 *   h = (x - mean) / sqrt(variance + 1e-6)        mean and (biased) variance of each token, over the last axis
 *   y = (gamma h + beta) W + b
 *
 * gamma starts as 1, W as N(0, 0.02^2), beta and b as 0, as in timm's vision transformers.
 */
export class NormLinear extends tf.layers.Layer {
  static readonly className = 'NormLinear';
  private readonly config: { units: number; seed?: number };
  private gamma!: tf.LayerVariable;
  private beta!: tf.LayerVariable;
  private kernel!: tf.LayerVariable;
  private bias!: tf.LayerVariable;

  constructor({ units, seed, ...layer }: NormLinearConfig) {
    super(layer);
    this.config = { units, seed };
  }

  override build(inputShape: tf.Shape): void {
    const { units, seed } = this.config;
    const width = inputShape[inputShape.length - 1];
    const [zeros, ones] = [tf.initializers.zeros(), tf.initializers.ones()];
    const normal = seededInitializers(seed).normal(0.02);
    this.gamma = this.addWeight('gamma', [width], 'float32', ones);
    this.beta = this.addWeight('beta', [width], 'float32', zeros);
    this.kernel = this.addWeight('kernel', [width, units], 'float32', normal);
    this.bias = this.addWeight('bias', [units], 'float32', zeros);
    super.build(inputShape);
  }

  override computeOutputShape(inputShape: tf.Shape): tf.Shape {
    return [...inputShape.slice(0, -1), this.config.units];
  }

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    return tf.tidy(() => {
      const norm = { gamma: this.gamma.read(), beta: this.beta.read() };
      return normLinear([inputs].flat()[0], norm, this.kernel.read(), this.bias.read());
    });
  }

  override getConfig(): tf.serialization.ConfigDict {
    return { ...super.getConfig(), ...this.config };
  }
}
tf.serialization.registerClass(NormLinear);

/**
 * (gamma h + beta) kernel + bias, computed as
 *
 *   h (diag(gamma) kernel) + (beta kernel + bias)
 *
 * so that gamma and beta, and in the backward pass their gradients, touch the small kernel and not every token.
 */
export function normLinear(
  x: tf.Tensor,
  { gamma, beta }: { gamma: tf.Tensor; beta: tf.Tensor },
  kernel: tf.Tensor,
  bias: tf.Tensor,
): tf.Tensor {
  const [width, units] = kernel.shape;
  const scaledKernel = tf.mul(tf.reshape(gamma, [width, 1]), kernel);
  const shift = tf.matMul(tf.reshape(beta, [1, width]) as tf.Tensor2D, kernel as tf.Tensor2D);
  return linear(normalize(x), scaledKernel, tf.add(tf.reshape(shift, [units]), bias));
}

/**
 * h = (x - mean) r with r = 1 / sqrt(variance + epsilon), over the last axis. Its gradient, through x, mean and variance:
 *
 *   dx = r (dh - mean(dh) - h mean(dh h))
 */
function normalize(x: tf.Tensor): tf.Tensor {
  const width = x.shape[x.rank - 1];
  const tokens = (t: tf.Tensor) => tf.reshape(t, [t.size / width, width]);
  const mean = (t: tf.Tensor) => tf.mean(t, -1, true);
  const forward = (x: tf.Tensor) => {
    const rows = tokens(x);
    const centered = tf.sub(rows, mean(rows));
    const r = tf.rsqrt(tf.add(mean(tf.square(centered)), EPSILON));
    const h = tf.mul(centered, r);
    return { value: tf.reshape(h, x.shape), kept: [h, r] };
  };
  return differentiable(
    {
      forward,
      gradient: (dy, _, [h, r]) => {
        const dh = tokens(dy);
        const throughVariance = tf.mul(h, consume(tf.mul(dh, h), mean));
        const throughBoth = consume(throughVariance, (t) => tf.add(mean(dh), t));
        const rest = consume(throughBoth, (t) => tf.sub(dh, t));
        return [tf.reshape(tf.mul(r, rest), x.shape)];
      },
      composed: (x) => forward(x).value,
    },
    x,
  );
}
