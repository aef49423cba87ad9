import { tf } from '../../tf';
import { consume } from '../../tf/consume';
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
  return differentiable(
    {
      forward: (x) => {
        const c = tf.mul(x, Math.SQRT1_2);
        const phi = consume(
          consume(tf.erf(c), (e) => tf.add(e, 1)),
          (e) => tf.mul(e, 0.5),
        );
        return { value: tf.mul(x, phi), kept: [c, phi] };
      },
      gradient: (dy, _, [c, phi]) => {
        const exp = consume(tf.square(c), tf.exp);
        const ratio = consume(exp, (e) => tf.div(c, e));
        const xDensity = consume(ratio, (r) => tf.mul(r, 1 / Math.sqrt(Math.PI)));
        const slope = consume(xDensity, (d) => tf.add(phi, d));
        return [consume(slope, (s) => tf.mul(dy, s))];
      },
      composed: (x) => {
        const phi = tf.mul(tf.add(tf.erf(tf.mul(x, Math.SQRT1_2)), 1), 0.5);
        return tf.mul(x, phi);
      },
    },
    x,
  );
}
