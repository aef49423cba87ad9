import { predictLogits } from '../evaluation';
import { tf } from '../tf';
import type { Loss } from './step';

/** A sample whose own gradient is not finite: any batch with it in ends the training. */
export interface FatalSample {
  /** Its index among the images. */
  sample: number;
  label: 0 | 1;
  /** The logit whose gradient is not finite; the one of largest |logit| where the model has several per image. */
  logit: number;
}

/**
 * The samples that would end a training with the next batch they are in, because their own gradient is not finite: with the loss
 * L = mean of l(x_i, y_i), the samples i for which dL/dx_i = l'(x_i, y_i) / n is NaN or infinite.
 *
 * The logits are those that the model predicts. A model with batch norm has other ones in a training step, which takes the statistics
 * of its batch.
 *
 * @param model   from images [n, ...] to logits; stays the caller's, as the tensors do
 * @param images  float32 [n, height, width, channels]
 * @param labels  float32 of 0 and 1, [n], or one label per logit where the model has several
 * @param loss    mean loss of logits and labels, as `train` takes it
 * @returns those of largest |logit| first; none if all gradients are finite
 * @throws RangeError if there are not as many labels as logits
 * @see notebooks/03-mnist-classification.ipynb
 */
export function fatalSamples(
  model: tf.LayersModel,
  images: tf.Tensor4D,
  labels: tf.Tensor,
  loss: Loss,
): FatalSample[] {
  const [logits, gradients] = tf.tidy(() => {
    const predicted = predictLogits(model, images);
    if (predicted.size !== labels.size)
      throw new RangeError(
        `fatalSamples: there are ${labels.size} labels; expected ${predicted.size}, one per logit`,
      );
    const x = tf.reshape(predicted, labels.shape);
    const gradient = tf.grad((each) => loss(each, labels))(x);
    return [x, gradient].map((values) => values.dataSync<'float32'>());
  });
  const perSample = logits.length / images.shape[0];
  const truth = labels.dataSync<'float32'>();
  const worst = new Map<number, FatalSample>();
  for (const [i, gradient] of gradients.entries()) {
    if (Number.isFinite(gradient)) continue;
    const sample = Math.floor(i / perSample);
    const known = worst.get(sample);
    if (known === undefined || Math.abs(logits[i]) > Math.abs(known.logit))
      worst.set(sample, { sample, label: truth[i] === 1 ? 1 : 0, logit: logits[i] });
  }
  return [...worst.values()].sort((a, b) => Math.abs(b.logit) - Math.abs(a.logit));
}
