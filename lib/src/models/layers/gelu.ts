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

/**
 * With c = x / sqrt 2, Phi = (1 + erf c) / 2, and since Phi'(x) = e^(-c^2) / sqrt(2 pi):
 *
 *   gelu'(x) = Phi + x Phi' = Phi + c / e^(c^2) / sqrt pi
 */
function gelu(x: tf.Tensor): tf.Tensor {
  const forward = (x: tf.Tensor) => {
    const c = tf.mul(x, Math.SQRT1_2);
    const phi = tf.mul(tf.add(tf.erf(c), 1), 0.5);
    return { value: tf.mul(x, phi), kept: [c, phi] };
  };
  return differentiable(
    {
      forward,
      gradient: (dy, _, [c, phi]) => {
        const xDensity = tf.mul(tf.div(c, tf.exp(tf.square(c))), 1 / Math.sqrt(Math.PI));
        return [tf.mul(dy, tf.add(phi, xDensity))];
      },
      composed: (x) => forward(x).value,
    },
    x,
  );
}
