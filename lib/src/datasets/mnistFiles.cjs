// MNIST's four files. Plain JavaScript, because the set-up looks at them as well, before this library is compiled.

/**
 * @typedef {object} IdxFile
 * @property {string} name
 * @property {number[]} shape  number of values along each axis; the first is the number of samples
 * @property {string} sha256  of the uncompressed content
 */

/** @type {Record<'train' | 'test', { images: IdxFile, labels: IdxFile }>} */
const MNIST_FILES = {
  train: {
    images: {
      name: 'train-images-idx3-ubyte',
      shape: [60000, 28, 28],
      sha256: 'ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db',
    },
    labels: {
      name: 'train-labels-idx1-ubyte',
      shape: [60000],
      sha256: '65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5',
    },
  },
  test: {
    images: {
      name: 't10k-images-idx3-ubyte',
      shape: [10000, 28, 28],
      sha256: '0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7',
    },
    labels: {
      name: 't10k-labels-idx1-ubyte',
      shape: [10000],
      sha256: 'ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2',
    },
  },
};

module.exports = { MNIST_FILES };
