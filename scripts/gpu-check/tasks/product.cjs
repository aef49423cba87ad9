// The error of a product of two 1024 x 1024 matrices, and of a convolution: TF32 would make it some 1e-4.
const { tf } = require('focal-loss-lab');

const N = 1024;
const ROWS = 32; // compared with float64
const a = tf.randomUniform([N, N], 0, 1, 'float32', 1);
const b = tf.randomUniform([N, N], 0, 1, 'float32', 2);
const [x, y, product] = [a, b, tf.matMul(a, b)].map((tensor) => tensor.dataSync());

const CHANNELS = 256; // a convolution of one pixel with a 1 x 1 kernel is a product too, by another library
const image = tf.reshape(a.slice([0, 0], [N, CHANNELS]), [1, 32, 32, CHANNELS]);
const kernel = tf.reshape(b.slice([0, 0], [CHANNELS, CHANNELS]), [1, 1, CHANNELS, CHANNELS]);
const convolved = tf.conv2d(image, kernel, 1, 'same').dataSync();

/** Largest relative error of rows of a product: all terms are positive. */
function worst(found, columns, terms, left, right) {
  let largest = 0;
  for (let i = 0; i < ROWS; i++)
    for (let j = 0; j < columns; j++) {
      let exact = 0;
      for (let k = 0; k < terms; k++) exact += left(i, k) * right(k, j);
      largest = Math.max(largest, Math.abs(found[i * columns + j] - exact) / exact);
    }
  return largest;
}

console.log(
  JSON.stringify({
    product: worst(product, N, N, (i, k) => x[i * N + k], (k, j) => y[k * N + j]),
    convolution: worst(convolved, CHANNELS, CHANNELS, (i, k) => x[i * N + k], (k, j) => y[k * N + j]),
  }),
); // prettier-ignore
