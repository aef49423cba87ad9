// npm run segmentation: a U-Net on MNIST at the paper's settings but for its width, for notebook 5. --help tells the rest.
import { runLong } from './longRuns.mjs';

await runLong({
  name: 'segmentation',
  about: `
Trains a U-Net to find the strokes in MNIST's images, at the paper's settings but for the width (the paper's is 64), one
training run after another, each to its first NaN or to the last epoch.`,
  recipe: { gamma: 0.5, alpha: 0.5, epsilon: 1e-3, batchSize: 64, learningRate: 1e-3, momentum: 0.9 },
  most: 60_000,
  epochs: 1000,
  network: { width: 8, depth: 4 },
  noisy: true,
  load: strokes,
  model: ({ unet }, options) => unet(options),
});

/** The first of MNIST, in 0..1, and for each pixel whether it is brighter than 0.5. */
async function strokes({ loadMnist, tf }, count) {
  const mnist = await loadMnist('train');
  try {
    return tf.tidy(() => {
      const images = mnist.images.slice(0, count);
      return { images, labels: tf.cast(tf.greater(images, 0.5), 'float32') };
    });
  } finally {
    tf.dispose([mnist.images, mnist.labels]);
  }
}
