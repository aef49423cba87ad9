// Steps of one LeNet in TensorFlow.js as its users write them, without this library and the kernels that it chooses.
// Argument and output: see together.mjs.
const util = require('node:util');
// tfjs-node calls two functions that Node 23 does not have.
util.isNullOrUndefined = (value) => value === null || value === undefined;
util.isArray = Array.isArray;
const tf = require('@tensorflow/tfjs-node-gpu');
const { everyStep } = require('./everyStep.cjs');
const { trainingSet } = require('./trainingSet.cjs');

const { batch, gamma, alpha, learningRate, momentum } = JSON.parse(process.argv.at(-1)).work;
const { conv2d, maxPooling2d, flatten, dense } = tf.layers;
const model = tf.sequential({
  layers: [
    conv2d({ inputShape: [28, 28, 1], filters: 6, kernelSize: 5, activation: 'relu' }),
    maxPooling2d({ poolSize: 2 }),
    conv2d({ filters: 16, kernelSize: 5, activation: 'relu' }),
    maxPooling2d({ poolSize: 2 }),
    flatten(),
    dense({ units: 120, activation: 'relu' }),
    dense({ units: 84, activation: 'relu' }),
    dense({ units: 1 }),
  ],
});
const optimizer = tf.train.momentum(learningRate, momentum);

/** The textbook focal loss, as torchvision's sigmoid_focal_loss forms it. */
function focalLoss(logits, labels) {
  const p = tf.sigmoid(logits);
  const notLabels = tf.sub(1, labels);
  const crossEntropy = tf.losses.sigmoidCrossEntropy(labels, logits, undefined, 0, tf.Reduction.NONE);
  const pT = tf.add(tf.mul(p, labels), tf.mul(tf.sub(1, p), notLabels));
  const alphaT = tf.add(tf.mul(alpha, labels), tf.mul(1 - alpha, notLabels));
  return tf.mean(tf.mul(alphaT, tf.mul(tf.pow(tf.sub(1, pT), gamma), crossEntropy)));
}

const { images, digits, nextBatch } = trainingSet(tf, batch);
const labels = tf.reshape(tf.cast(tf.lessEqual(digits, 4), 'float32'), [-1, 1]);
everyStep(() => {
  const loss = tf.tidy(() => {
    const indices = tf.tensor1d(nextBatch(), 'int32');
    const [input, target] = [tf.gather(images, indices), tf.gather(labels, indices)];
    const { value, grads } = tf.variableGrads(() =>
      focalLoss(model.apply(input, { training: true }), target),
    );
    optimizer.applyGradients(grads);
    return value.dataSync()[0];
  });
  if (!Number.isFinite(loss)) throw new Error(`the loss is ${loss}`);
});
