// What becomes of a NaN, and of Infinity, in the operations that compare.
const { tf } = require('focal-loss-lab');

const VALUES = [1, NaN, 3, -2, 4, 5, Infinity, 0, -Infinity, 2, -1, 7, 8, 9, NaN, 6];
const shown = (tensor) => Array.from(tensor.dataSync(), String);

tf.tidy(() => {
  const square = (x) => tf.reshape(x, [1, 4, 4, 1]);
  const pool = (x) => tf.maxPool(square(x), 2, 2, 'valid');
  const x = tf.tensor1d(VALUES);
  const withOne = tf.tensor1d([1, 2, NaN, 3]);
  const finite = tf.tensor1d(VALUES.map((value) => (Number.isFinite(value) ? value : 10)));
  console.log(
    JSON.stringify({
      relu: shown(tf.relu(x)),
      'gradient of relu': shown(tf.grad((z) => tf.sum(tf.relu(z)))(x)),
      'relu, NaN from above': shown(tf.grad((z) => tf.mul(tf.sum(tf.relu(z)), NaN))(finite)),
      'max-pooling': shown(pool(x)),
      'max-pooling, NaN from above': shown(tf.grad((z) => tf.mul(tf.sum(pool(z)), NaN))(finite)),
      'sum of squares': shown(tf.sum(tf.square(withOne))),
      'is finite': shown(tf.isFinite(x)),
      maximum: shown(tf.maximum(x, 0)),
      'largest |value|, as training runs report it': shown(largest(withOne)),
    }),
  );

  /** The device's Max may pass over a NaN; a sum of squares tells (lib/src/training/step.ts). */
  function largest(values) {
    const squares = tf.sum(tf.square(values)).dataSync()[0];
    return Number.isNaN(squares) ? tf.scalar(NaN) : tf.max(tf.abs(values));
  }
});
