// Steps of one LeNet, as train takes them. Argument and output: see together.mjs.
const lab = require('focal-loss-lab');
const { Trainer } = require('focal-loss-lab/dist/training/step.js');
const { everyStep } = require('./everyStep.cjs');
const { trainingSet } = require('./trainingSet.cjs');

const { tf } = lab;
const { batch, gamma, alpha, learningRate, momentum } = JSON.parse(process.argv.at(-1)).work;
const loss = (logits, labels) => lab.sigmoidFocalLoss(logits, labels, { alpha, gamma, reduction: 'mean' });
const trainer = new Trainer(lab.lenet({ seed: 1 }), loss, { learningRate, momentum });

const { images, digits, nextBatch } = trainingSet(tf, batch);
const labels = lab.binaryLabels(digits, 4);
everyStep(() => {
  tf.tidy(() => {
    const indices = tf.tensor1d(nextBatch(), 'int32');
    const { notFinite } = trainer.step({
      input: tf.gather(images, indices),
      target: tf.gather(labels, indices),
    });
    if (notFinite) throw new Error(`not finite: ${notFinite}`);
  });
});
