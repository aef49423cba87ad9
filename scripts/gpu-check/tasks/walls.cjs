// Where the gradient of the textbook loss is not finite any more, of either label.
const { sigmoidFocalLoss, tf } = require('focal-loss-lab');

const gradientAt = (logit, label, gamma) =>
  tf.tidy(() => {
    const loss = (x) => tf.sum(sigmoidFocalLoss(x, tf.tensor1d([label]), { alpha: -1, gamma }));
    return tf
      .grad(loss)(tf.tensor1d([logit]))
      .dataSync()[0];
  });

const found = [0.1, 0.5, 0.9].flatMap((gamma) =>
  [[16.63, 1], [16.64, 1], [-17.32, 0], [-17.33, 0]].map(([logit, label]) => {
    return { gamma, logit, label, finite: Number.isFinite(gradientAt(logit, label, gamma)) };
  }),
); // prettier-ignore
console.log(JSON.stringify(found));
