import { tf } from '../tf';
import { refuseSecondDerivative } from './secondDerivative';

/**
 * Binary cross-entropy with logits, element by element, as PyTorch computes and differentiates it.
 *
 *   CE = (1 - y) x - log sigma(x)         log sigma(x) = min(x, 0) - log(1 + e^-|x|)
 *   dCE/dx = sigma(x) - y                 dCE/dy = -x
 *
 * The gradient is written out because that of tf.logSigmoid differs where it matters here: sigma(x) - 1 rounds to 0 from
 * x = 24 ln 2 on, which is part of the textbook loss, and sigma(-x), which tf.logSigmoid has, does not.
 *
 * @param logits  x, float32
 * @param labels  y in [0, 1], float32, same shape
 * @returns loss in nats, float32, same shape
 */
export function crossEntropyWithLogits(logits: tf.Tensor, labels: tf.Tensor): tf.Tensor {
  return tf.customGrad((...args) => {
    const [x, y, save] = args as [tf.Tensor, tf.Tensor, tf.GradSaveFunc];
    save([x, y]);
    const logSigmoid = tf.sub(tf.minimum(x, 0), tf.log1p(tf.exp(tf.neg(tf.abs(x)))));
    return {
      value: tf.sub(tf.mul(tf.sub(1, y), x), logSigmoid),
      gradFunc: (dy: tf.Tensor, saved: tf.Tensor[]) => {
        refuseSecondDerivative('sigmoidFocalLoss');
        const [x, y] = saved;
        return [tf.mul(dy, tf.sub(tf.sigmoid(x), y)), tf.mul(dy, tf.neg(x))];
      },
    };
  })(logits, labels);
}
