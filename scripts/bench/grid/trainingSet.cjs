const SAMPLES = 6400;

/** Random images and digits for any tfjs, and a source of batches in an order that repeats after all of them. */
exports.trainingSet = (tf, batch) => {
  const images = tf.randomUniform([SAMPLES, 28, 28, 1], 0, 1, 'float32', 1);
  const digits = tf.tensor1d(
    Array.from({ length: SAMPLES }, (_, i) => i % 10),
    'int32',
  );
  const order = Int32Array.from({ length: SAMPLES }, (_, i) => (i * 2609) % SAMPLES); // 2609 is prime
  let next = 0;
  const nextBatch = () => {
    const indices = order.subarray(next, next + batch);
    next = (next + batch) % SAMPLES;
    return indices;
  };
  return { images, digits, nextBatch };
};
