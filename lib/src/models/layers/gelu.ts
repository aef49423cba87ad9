import { tf } from '../../tf';
import { differentiable } from './differentiable';

/**
 * The exact GELU, as PyTorch's default: gelu(x) = x Phi(x), where Phi(x) = (1 + erf(x / sqrt 2)) / 2 is the normal
 * distribution function. (The often used tanh is an approximation, off by up to 5e-4.)
 */
export class Gelu extends tf.layers.Layer {
  static readonly className = 'Gelu';

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    return tf.tidy(() => gelu([inputs].flat()[0]));
  }
}
tf.serialization.registerClass(Gelu);

/** Phi and its derivative, the normal density. */
const distribution = (x: tf.Tensor) => tf.mul(tf.add(tf.erf(tf.mul(x, Math.SQRT1_2)), 1), 0.5);
const density = (x: tf.Tensor) => tf.mul(tf.exp(tf.mul(tf.square(x), -0.5)), 1 / Math.sqrt(2 * Math.PI));

function gelu(x: tf.Tensor): tf.Tensor {
  return differentiable(
    {
      forward: (x) => {
        const phi = distribution(x);
        return { value: tf.mul(x, phi), kept: [phi] };
      },
      gradient: (dy, [x], [phi]) => [tf.mul(dy, tf.add(phi, tf.mul(x, density(x))))],
      composed: (x) => tf.mul(x, distribution(x)),
    },
    x,
  );
}
