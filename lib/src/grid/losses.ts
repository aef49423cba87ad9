import { exactGradient, exactLoss } from '../losses/exact';
import { splitGamma, type Gamma } from '../losses/numerics';
import { tf } from '../tf';
import { multiplyNoNan } from './kernels';
import type { GridLoss } from './lossNames';

/** The loss of one model. */
export interface LossSettings {
  loss: GridLoss;
  /** >= 0 */
  gamma: number;
  /** Weight of label 1, in [0, 1]; label 0 has 1 - alpha. */
  alpha: number;
  /** Of the stabilized loss, > 0; the others do not use it. */
  epsilon: number;
}

/** Losses in nats and their derivatives by the logits, both [models, 1, batch]. */
interface Evaluation {
  loss: tf.Tensor;
  gradient: tf.Tensor;
}

/**
 * The focal losses of many models at a time, each with its own form, gamma, alpha and epsilon, and their derivatives: the
 * same numbers as sigmoidFocalLoss, stabilizedSigmoidFocalLoss and exactSigmoidFocalLoss give by tf.grad, and NaN where
 * those do.
 */
export class ModelLosses {
  // Each [models, 1, 1]
  private readonly gamma: tf.Tensor;
  private readonly exponent: Gamma<tf.Tensor>;
  private readonly alpha: tf.Tensor;
  private readonly epsilon: tf.Tensor;
  private readonly isExact: tf.Tensor;
  private readonly forms: Set<'textbook' | 'exact'>;

  constructor(models: readonly LossSettings[]) {
    const perModel = (values: number[]) => tf.tensor3d(values, [models.length, 1, 1]);
    this.gamma = perModel(models.map(({ gamma }) => gamma));
    const low = perModel(models.map(({ gamma }) => splitGamma(gamma).low));
    this.exponent = { high: this.gamma, low };
    this.alpha = perModel(models.map(({ alpha }) => alpha));
    this.epsilon = perModel(models.map(({ loss, epsilon }) => (loss === 'stabilized' ? epsilon : 0)));
    this.isExact = tf.tidy(() =>
      tf.cast(perModel(models.map(({ loss }) => Number(loss === 'exact'))), 'bool'),
    );
    this.forms = new Set(models.map(({ loss }) => (loss === 'exact' ? 'exact' : 'textbook')));
  }

  /**
   * @param x  logits, float32 [models, 1, batch]
   * @param y  labels, 0 and 1, float32, same shape
   */
  evaluate(x: tf.Tensor, y: tf.Tensor): Evaluation {
    const notY = tf.sub(1, y);
    const alphaT = tf.add(tf.mul(this.alpha, y), tf.mul(tf.sub(1, this.alpha), notY));
    if (!this.forms.has('exact')) return this.textbook(x, y, notY, alphaT);
    const exact = this.exact(x, tf.sub(y, notY), alphaT);
    if (!this.forms.has('textbook')) return exact;
    const textbook = this.textbook(x, y, notY, alphaT);
    return {
      loss: tf.where(this.isExact, exact.loss, textbook.loss),
      gradient: tf.where(this.isExact, exact.gradient, textbook.gradient),
    };
  }

  private exact(x: tf.Tensor, sign: tf.Tensor, weight: tf.Tensor): Evaluation {
    const { loss, saved } = exactLoss(x, { sign, weight }, this.exponent);
    return { loss, gradient: exactGradient(saved, this.exponent) };
  }

  // FL = alpha_t u^gamma CE        u = (1 - p_t) + epsilon,  p_t = p y + (1 - p) (1 - y),  p = sigma(x)
  //
  // as textbookFocalLoss forms it, operation by operation. By the chain rule, as autodiff multiplies it out:
  //
  //   dFL/du   = alpha_t CE gamma u^(gamma - 1)         Infinity at u = 0 for 0 < gamma < 1; 0 at gamma 0, as in PyTorch
  //   dFL/dp_t = -dFL/du
  //   dFL/dp   = dFL/dp_t y - dFL/dp_t (1 - y)          one of y and 1 - y is 0: Infinity * 0 = NaN
  //   dFL/dx   = alpha_t u^gamma (p - y) + dFL/dp p (1 - p)
  private textbook(x: tf.Tensor, y: tf.Tensor, notY: tf.Tensor, alphaT: tf.Tensor): Evaluation {
    const p = tf.sigmoid(x);
    const notP = tf.sub(1, p);
    const pT = tf.add(tf.mul(p, y), tf.mul(notP, notY));
    const u = tf.add(tf.sub(1, pT), this.epsilon);
    const logSigmoid = tf.sub(tf.minimum(x, 0), tf.log1p(tf.exp(tf.neg(tf.abs(x)))));
    const crossEntropy = tf.sub(tf.mul(notY, x), logSigmoid);
    const weight = tf.mul(alphaT, tf.pow(u, this.gamma));

    const singularFactor = multiplyNoNan(tf.pow(u, tf.sub(this.gamma, 1)), this.gamma);
    const byU = tf.mul(tf.mul(alphaT, crossEntropy), singularFactor);
    const byP = tf.sub(tf.mul(byU, notY), tf.mul(byU, y));
    return {
      loss: tf.mul(weight, crossEntropy),
      gradient: tf.add(tf.mul(weight, tf.sub(p, y)), tf.mul(byP, tf.mul(p, notP))),
    };
  }

  /** What is kept on the device. */
  get tensors(): tf.Tensor[] {
    return [this.gamma, this.exponent.low, this.alpha, this.epsilon, this.isExact];
  }

  dispose(): void {
    tf.dispose(this.tensors);
  }
}
