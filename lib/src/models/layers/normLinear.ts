import { tf } from '../../tf';
import { differentiable } from './differentiable';

export interface LayerNormConfig {
  name?: string;
  /** Added to the variance. Default 1e-6. */
  epsilon?: number;
}

/**
 * Layer normalization over the last axis: each token by its own mean and (biased) variance, as PyTorch's LayerNorm.
 *
 *   y = gamma (x - mean) / sqrt(variance + epsilon) + beta
 *
 * tf.layers.layerNormalization computes the same, but its gradient is some hundred times slower: it slices each repeated
 * mean out again.
 */
export class LayerNorm extends tf.layers.Layer {
  static readonly className = 'LayerNorm';
  private readonly epsilon: number;
  private gamma!: tf.LayerVariable;
  private beta!: tf.LayerVariable;

  constructor({ epsilon = 1e-6, ...layer }: LayerNormConfig = {}) {
    super(layer);
    this.epsilon = epsilon;
  }

  override build(inputShape: tf.Shape): void {
    const shape = inputShape.slice(-1);
    this.gamma = this.addWeight('gamma', shape, 'float32', tf.initializers.ones());
    this.beta = this.addWeight('beta', shape, 'float32', tf.initializers.zeros());
    super.build(inputShape);
  }

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    return tf.tidy(() => {
      const [x] = [inputs].flat();
      return layerNorm(x, this.gamma.read(), this.beta.read(), this.epsilon);
    });
  }

  override getConfig(): tf.serialization.ConfigDict {
    return { ...super.getConfig(), epsilon: this.epsilon };
  }
}
tf.serialization.registerClass(LayerNorm);

/**
 * With h = (x - mean) r and r = 1 / sqrt(variance + epsilon), y = gamma h + beta, and g = dy gamma:
 *
 *   dbeta = sum dy        dgamma = sum dy h         over all tokens
 *   dx = r (g - mean(g) - h mean(g h))              means over the last axis: through mean and through variance
 */
function layerNorm(x: tf.Tensor, gamma: tf.Tensor, beta: tf.Tensor, epsilon: number): tf.Tensor {
  const width = gamma.size;
  const tokens = (t: tf.Tensor) => tf.reshape(t, [t.size / width, width]);
  const normalize = (x: tf.Tensor) => {
    const centered = tf.sub(x, tf.mean(x, -1, true));
    const r = tf.rsqrt(tf.add(tf.mean(tf.square(centered), -1, true), epsilon));
    return { h: tf.mul(centered, r), r };
  };
  return differentiable(
    {
      forward: (x, gamma, beta) => {
        const { h, r } = normalize(tokens(x));
        return { value: tf.reshape(tf.add(tf.mul(h, gamma), beta), x.shape), kept: [h, r] };
      },
      gradient: (dy, [, gamma], [h, r]) => {
        const d = tokens(dy);
        const g = tf.mul(d, gamma);
        const dMean = tf.mean(g, -1, true);
        const dVariance = tf.mul(h, tf.mean(tf.mul(g, h), -1, true));
        const dx = tf.mul(r, tf.sub(tf.sub(g, dMean), dVariance));
        return [tf.reshape(dx, dy.shape), tf.sum(tf.mul(d, h), 0), tf.sum(d, 0)];
      },
      composed: (x, gamma, beta) => tf.add(tf.mul(normalize(x).h, gamma), beta),
    },
    x,
    gamma,
    beta,
  );
}
