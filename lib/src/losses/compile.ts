import type { TensorOptions } from './tensors.js';
import { tf } from './tf.js';

/** A loss of this library; its options are its own. */
type LossOfLogits = (logits: tf.Tensor, labels: tf.Tensor, options?: never) => tf.Tensor;

/** A loss as LayersModel.compile takes it: labels first, one loss per sample. */
export type CompileLoss = (labels: tf.Tensor, logits: tf.Tensor) => tf.Tensor;

/**
 * A focal loss for `model.compile`, of a model whose last layer has no activation: its outputs are logits.
 *
 *   model.compile({ optimizer: 'adam', loss: forCompile(exactSigmoidFocalLoss, { gamma: 2 }) });
 *
 * TensorFlow.js passes labels first, weighs with class weights what it takes to be one loss per sample, and averages. So this is
 * the mean over the labels of each sample, of which an ignored one is none. (With the losses themselves, a scalar or [batch, 1]
 * would be multiplied by all weights, and averaged over the wrong products.)
 *
 * Class weights of `fit` and `fitDataset` count right so, for labels [batch, 1] and one-hot rows [batch, classes]: TensorFlow.js looks
 * the class up there, throws for other shapes, and takes a row of several ones for the class of the first. Sample weights it does
 * not know: `fit` throws. In a loop of one's own they are a product, weights being [batch]:
 *
 *   optimizer.minimize(() => tf.mean(tf.mul(weights, loss(y, model.apply(x, { training: true })))));
 *
 * The labels must have the shape of the logits: TensorFlow.js takes class indices for its own
 * `sparseCategoricalCrossentropy` only, so give a softmax loss one-hot rows. `model.save` does not store a loss that is a
 * function: after `loadLayersModel`, compile again.
 *
 * @param loss  one of the losses of this library
 * @param options  its options, without reduction
 */
export function forCompile<Loss extends LossOfLogits>(
  loss: Loss,
  options: Omit<NonNullable<Parameters<Loss>[2]>, 'reduction'> = {} as never,
): CompileLoss {
  const lossOf = loss as unknown as (
    logits: tf.Tensor,
    labels: tf.Tensor,
    options: TensorOptions,
  ) => tf.Tensor;
  const perLabel: TensorOptions = { ...options, reduction: 'none' };
  const { ignoreLabel } = perLabel;
  return (labels, logits) =>
    tf.tidy(() => {
      const losses = lossOf(logits, labels, perLabel);
      const perSample = (x: tf.Tensor) => tf.reshape(x, [x.shape[0], -1]);
      if (ignoreLabel === undefined) return tf.mean(perSample(losses), 1);
      const kept = tf.cast(tf.notEqual(labels, ignoreLabel), 'float32');
      return tf.div(tf.sum(perSample(losses), 1), tf.maximum(tf.sum(perSample(kept), 1), 1));
    });
}
