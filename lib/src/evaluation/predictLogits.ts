import { compile, tf } from '../tf';

/**
 * The logits of a model for many images, computed a batch at a time, from the third batch on by a compiled function.
 *
 * @param model   from images [n, ...] to logits; stays the caller's
 * @param images  float32 [n, height, width, channels]
 * @param batchSize  images at a time, an integer >= 1
 * @returns float32, as the model gives them, but [n] for one logit per image. Belongs to the enclosing tf.tidy, or the caller.
 * @throws RangeError for a batch size that is not an integer >= 1
 */
export function predictLogits(model: tf.LayersModel, images: tf.Tensor4D, batchSize = 1000): tf.Tensor {
  if (!(Number.isInteger(batchSize) && batchSize >= 1))
    throw new RangeError(`predictLogits: batchSize is ${batchSize}; expected an integer >= 1`);
  const weights = model.weights.map((weight) => weight.read());
  const forward = (batch: tf.Tensor) => model.apply(batch, { training: false }) as tf.Tensor;
  const predict = compile(forward, { onEager: () => undefined }); // slower, and as good
  try {
    return tf.tidy(() => {
      const starts = Array.from({ length: Math.ceil(images.shape[0] / batchSize) }, (_, i) => i * batchSize);
      const batches = starts.map((start) => {
        const batch = images.slice(start, Math.min(batchSize, images.shape[0] - start));
        return predict(batch, ...weights) as tf.Tensor;
      });
      const logits = tf.concat(batches);
      return logits.rank === 2 && logits.shape[1] === 1 ? tf.reshape(logits, [-1]) : logits;
    });
  } finally {
    predict.dispose();
  }
}
