// The exact loss next to the closed form in float64, which is known to 1e-14.
const { exactSigmoidFocalLoss, floats, focalLoss, focalLossGradient, tf } = require('focal-loss-lab');

const SMALLEST_NORMAL = 2 ** -126; // below it float32 has fewer digits, and a device may give 0
const LOGITS = Float32Array.from({ length: 20_000 }, (_, i) => -25 + (125 * (i + 0.5)) / 20_000);
const LARGEST = 3.4028234663852886e38;

function evaluate(logits, gamma) {
  return tf.tidy(() => {
    const x = tf.tensor1d(logits);
    const loss = (z) => exactSigmoidFocalLoss(z, tf.onesLike(z), { alpha: -1, gamma });
    return {
      loss: Array.from(loss(x).dataSync()),
      gradient: Array.from(
        tf
          .grad((z) => tf.sum(loss(z)))(x)
          .dataSync(),
      ),
    };
  });
}

const worst = (found, expected) =>
  found.reduce((largest, value, i) => {
    const true32 = expected(LOGITS[i]);
    if (Math.abs(true32) < SMALLEST_NORMAL) return largest;
    return Math.max(largest, floats.errorInUlps(value, true32, 'float32'));
  }, 0);

// Those of the loss's docstring.
const BOUNDS = [
  { upTo: 1, ulp: 9 },
  { upTo: 2, ulp: 12 },
  { upTo: 5, ulp: 22 },
];

console.log(
  JSON.stringify(
    [0.25, 0.5, 0.9, 2, 5].map((gamma) => {
      const found = evaluate(LOGITS, gamma);
      const options = { alpha: -1, gamma };
      const extremes = evaluate([LARGEST, -LARGEST], gamma);
      return {
        gamma,
        bound: BOUNDS.find(({ upTo }) => gamma <= upTo).ulp,
        loss: worst(found.loss, (x) => focalLoss(x, 1, options)),
        gradient: worst(found.gradient, (x) => focalLossGradient(x, 1, options)),
        finiteAtExtremes: [...extremes.loss, ...extremes.gradient].every(Number.isFinite),
      };
    }),
  ),
);
