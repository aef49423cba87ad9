// npm run cifar: the CNN on CIFAR-10 at the paper's settings, for notebook 4. --help tells the rest.
import { runLong } from './longRuns.mjs';

const MACHINES = [1, 1, 0, 0, 0, 0, 0, 0, 1, 1]; // airplane, automobile, ship and truck are class 1

await runLong({
  name: 'cifar',
  about: `
Trains LeNet on the photographs of CIFAR-10, machines against animals, at the paper's settings, one training run after
another, each to its first NaN or to the last epoch.`,
  recipe: { gamma: 0.5, alpha: 0.5, epsilon: 1e-3, batchSize: 128, learningRate: 1e-3, momentum: 0.9 },
  most: 50_000,
  epochs: 1000,
  namesImages: true,
  load: photographs,
  model: ({ lenet }, { seed }) => lenet({ size: 32, channels: 3, seed }),
});

/** The first of CIFAR-10, in -1..1, and their labels. */
async function photographs({ loadCifar10, normalize, tf }, count) {
  const cifar = await loadCifar10('train');
  try {
    return tf.tidy(() => ({
      images: normalize(cifar.images.slice(0, count), { mean: 0.5, std: 0.5 }),
      labels: tf.gather(tf.tensor1d(MACHINES), cifar.labels.slice(0, count)),
    }));
  } finally {
    tf.dispose([cifar.images, cifar.labels]);
  }
}
