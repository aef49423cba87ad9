// A little of everything that the notebooks run, small: losses and their gradients, the networks, augmentation, the grid.
const lab = require('focal-loss-lab');

const { tf } = lab;

exports.everything = async function everything() {
  losses();
  comparisons();
  await networks();
  await grid();
};

function losses() {
  tf.tidy(() => {
    const x = tf.linspace(-30, 30, 41);
    const labels = [tf.cast(tf.greater(tf.sin(x), 0), 'float32'), tf.fill([41], 0.3)];
    for (const loss of [lab.sigmoidFocalLoss, lab.stabilizedSigmoidFocalLoss, lab.exactSigmoidFocalLoss])
      for (const y of labels)
        for (const gamma of [0, 0.5, 2])
          tf.grad((z) => tf.mean(loss(z, y, { alpha: 0.25, gamma })))(x).dataSync();
  });
}

/** The pooling of a GPU, and what training looks at. */
function comparisons() {
  tf.tidy(() => {
    const x = tf.randomNormal([2, 6, 6, 3], 0, 1, 'float32', 1);
    for (const pad of ['valid', 'same']) tf.grad((z) => tf.sum(tf.maxPool(z, 2, 2, pad)))(x).dataSync();
    tf.max(tf.abs(x)).dataSync();
    tf.all(tf.isFinite(x)).dataSync();
    tf.sum(tf.logicalAnd(tf.greater(x, 0), tf.greater(x, 0.5)).toFloat()).dataSync();
  });
}

const loss = (x, y) => lab.exactSigmoidFocalLoss(x, y, { gamma: 0.5, reduction: 'mean' });

async function networks() {
  const crop = (images, seed) => lab.randomResizedCrop(images, { size: 32, seed });
  const works = [
    { model: lab.lenet({ seed: 1 }), size: 28, channels: 1 },
    { model: lab.lenet({ size: 32, channels: 3, seed: 1 }), size: 32, channels: 3 },
    { model: lab.unet({ size: 8, channels: 1, width: 2, depth: 1, seed: 1 }), size: 8, channels: 1, perPixel: true },
    { model: lab.vit({ size: 32, patch: 16, width: 8, depth: 1, heads: 2, seed: 1 }), size: 32, channels: 3, augment: crop },
  ]; // prettier-ignore
  for (const { model, size, channels, perPixel = false, augment } of works) {
    const images = tf.randomUniform([6, size, size, channels], 0, 1, 'float32', 1);
    const labels = perPixel ? tf.greater(images, 0.5).toFloat() : tf.tensor1d([0, 1, 0, 1, 0, 1]);
    const settings = { epochs: 1, batchSize: 4, learningRate: 0.01, momentum: 0.9, seed: 1, noise: 0.1 };
    await lab.train(model, { images, labels, loss, augment, ...settings });
    tf.dispose([model.predict(images), images, labels]);
    model.dispose();
  }
}

async function grid() {
  const images = tf.randomUniform([32, 28, 28, 1], 0, 1, 'float32', 1);
  const digits = tf.tensor1d(Int32Array.from({ length: 32 }, (_, i) => i % 10), 'int32'); // prettier-ignore
  const models = ['original', 'stabilized', 'exact'].map((name) => {
    return { loss: name, gamma: 0.5, alpha: 0.5, epsilon: 1e-3, threshold: 4 };
  });
  const settings = { noise: 0.5, seed: 1, epochs: 1, batchSize: 16, learningRate: 0.01, momentum: 0.9 };
  await lab.trainGrid({ images, digits, models, testImages: images, ...settings });
  tf.dispose([images, digits]);
}
