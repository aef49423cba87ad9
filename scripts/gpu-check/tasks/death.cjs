// The paper's failure: MNIST, gamma 0.1, a learning rate that gets there in a minute. The original loss dies, the others live.
const { loadMnist, tf, trainGrid } = require('focal-loss-lab');

const LOSSES = ['original', 'stabilized', 'exact'];

(async () => {
  const all = await loadMnist('train');
  const [images, digits] = tf.tidy(() => [all.images.slice(0, 3200), all.labels.slice(0, 3200)]);
  const runs = await trainGrid({
    ...{ images, digits, noise: 0, seed: 1, epochs: 6, batchSize: 64, learningRate: 0.1, momentum: 0.9 },
    models: LOSSES.map((loss) => ({ loss, gamma: 0.1, alpha: 0.5, epsilon: 1e-3, threshold: 0 })),
  });
  const found = runs.map(({ loss, records, diverged }) => ({
    loss,
    diverged: diverged && { ...diverged, maxAbsLogit: String(diverged.maxAbsLogit) },
    lastLoss: records.at(-1).loss,
  }));
  process.stdout.write(`${JSON.stringify(found)}\n`);
})();
