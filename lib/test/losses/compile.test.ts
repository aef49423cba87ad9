import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  exactSigmoidFocalLoss,
  exactSoftmaxFocalLoss,
  focalLoss,
  forCompile,
  sigmoidFocalLoss,
  tf,
} from 'focal-loss-lab';
import { expectClose } from '../expectClose';

const gamma2 = forCompile(exactSigmoidFocalLoss, { gamma: 2, alpha: null });

/** A model whose outputs are its inputs, for as long as it is not trained. */
function identity(units: number) {
  const layer = tf.layers.dense({
    units,
    inputShape: [units],
    kernelInitializer: 'identity',
    useBias: false,
  });
  return tf.sequential({ layers: [layer] });
}

describe('forCompile', () => {
  test('gives one loss per sample, the mean over its labels, whichever of the losses it is', () => {
    const x = tf.tensor2d([[1, -2], [0, 3]]); // prettier-ignore
    const y = tf.tensor2d([[1, 0], [0, 1]]); // prettier-ignore
    for (const loss of [exactSigmoidFocalLoss, sigmoidFocalLoss]) {
      const each = loss(x, y, { gamma: 0.5 }).arraySync() as number[][];
      const found = forCompile(loss, { gamma: 0.5 })(y, x);
      assert.deepEqual(found.shape, [2]);
      expectClose(found.dataSync(), each.map(([a, b]) => (a + b) / 2), { relative: 1e-6 }); // prettier-ignore
    }
    const softmax = forCompile(exactSoftmaxFocalLoss, { gamma: 0.5 })(y, x);
    expectClose(softmax.dataSync(), exactSoftmaxFocalLoss(x, y, { gamma: 0.5 }).dataSync(), {});
  });

  test('leaves ignored labels out of the mean of their sample', () => {
    const x = tf.tensor2d([[1, -2], [0, 3]]); // prettier-ignore
    const y = tf.tensor2d([[1, 255], [255, 255]]); // prettier-ignore
    const options = { gamma: 0.5, alpha: null, ignoreLabel: 255 };
    expectClose(forCompile(exactSigmoidFocalLoss, options)(y, x).dataSync(), [focalLoss(1, 1, options), 0], { relative: 1e-6 }); // prettier-ignore
  });

  test('counts class weights right in fit, where a loss of another shape would not', async () => {
    const x = tf.ones([4, 1]);
    const y = tf.tensor2d([[1], [0], [0], [0]]);
    const fit = async (loss: (labels: tf.Tensor, logits: tf.Tensor) => tf.Tensor) => {
      const model = identity(1);
      model.compile({ optimizer: tf.train.sgd(0), loss });
      const { history } = await model.fit(x, y, { batchSize: 4, verbose: 0, classWeight: { 0: 1, 1: 10 } });
      model.dispose();
      return Number(history.loss[0]);
    };
    const options = { gamma: 2, alpha: null };
    const right = (10 * focalLoss(1, 1, options) + 3 * focalLoss(1, 0, options)) / 4;
    expectClose([right], [0.5830464], { relative: 1e-6 });
    expectClose([await fit(gamma2)], [right], { relative: 1e-6 });
    expectClose([await fit((y, x) => exactSigmoidFocalLoss(x, y, options))], [1.729214], { relative: 1e-6 });
  });

  test('counts class weights right in fitDataset too, and by the class of a one-hot row', async () => {
    const x = tf.tensor2d([[1, 0, 0], [0, 1, 2]]); // prettier-ignore
    const y = tf.tensor2d([[0, 1, 0], [0, 0, 1]]); // prettier-ignore
    const loss = forCompile(exactSoftmaxFocalLoss, { gamma: 0.5 });
    const each = loss(y, x).arraySync() as number[];
    const classWeight = { 0: 1, 1: 10, 2: 3 };
    const right = (10 * each[0] + 3 * each[1]) / 2;
    const model = identity(3);
    model.compile({ optimizer: tf.train.sgd(0), loss });
    const fitted = await model.fit(x, y, { verbose: 0, classWeight });
    const dataset = tf.data.array([{ xs: x.arraySync()[0], ys: y.arraySync()[0] }, { xs: x.arraySync()[1], ys: y.arraySync()[1] }]); // prettier-ignore
    const streamed = await model.fitDataset(dataset.batch(2), { epochs: 1, verbose: 0, classWeight });
    for (const { history } of [fitted, streamed])
      expectClose([Number(history.loss[0])], [right], { relative: 1e-6 });
  });

  test('of class weights for labels that are no classes TensorFlow.js takes the first 1, or throws', async () => {
    const loss = forCompile(exactSigmoidFocalLoss, { alpha: null });
    const model = identity(2);
    model.compile({ optimizer: tf.train.sgd(0), loss });
    const [x, y] = [tf.zeros([1, 2]), tf.ones([1, 2])];
    const { history } = await model.fit(x, y, { verbose: 0, classWeight: { 0: 2, 1: 1000 } });
    expectClose([Number(history.loss[0])], [2 * focalLoss(0, 1, { alpha: null })], { relative: 1e-6 });

    const image = tf.sequential({ layers: [tf.layers.dense({ units: 1, inputShape: [2, 2, 1] })] });
    image.compile({ optimizer: tf.train.sgd(0), loss });
    await assert.rejects(
      image.fit(tf.zeros([1, 2, 2, 1]), tf.ones([1, 2, 2, 1]), { verbose: 0, classWeight: { 0: 1, 1: 2 } }),
      /Unexpected rank of target/,
    );
  });

  test("sample weights, which fit refuses, count right in a loop of one's own", async () => {
    const x = tf.tensor2d([[1, 2], [0, -1], [3, 1]]); // prettier-ignore
    const y = tf.tensor2d([[1], [0], [1]]);
    const loss = forCompile(exactSigmoidFocalLoss, { gamma: 0.5, alpha: null });
    const made = () => {
      const layer = tf.layers.dense({ units: 1, inputShape: [2], kernelInitializer: 'ones' });
      return tf.sequential({ layers: [layer] });
    };
    const fitted = made();
    fitted.compile({ optimizer: tf.train.sgd(0.5), loss });
    await assert.rejects(
      fitted.fit(x, y, { sampleWeight: tf.ones([3]) }),
      /sample weight is not supported yet/,
    );

    // Weights that are those of the classes: then fit knows them too.
    const { history } = await fitted.fit(x, y, { batchSize: 3, verbose: 0, classWeight: { 0: 4, 1: 0.5 } });
    const model = made();
    const [weights, optimizer] = [tf.tensor1d([0.5, 4, 0.5]), tf.train.sgd(0.5)];
    const step = () =>
      optimizer.minimize(
        () => tf.mean(tf.mul(weights, loss(y, model.apply(x, { training: true }) as tf.Tensor))) as tf.Scalar,
        true,
      );
    const cost = step()!;
    expectClose([cost.dataSync()[0]], [Number(history.loss[0])], { relative: 1e-6 });
    for (const [i, weight] of model.getWeights().entries())
      expectClose(weight.dataSync(), fitted.getWeights()[i].dataSync(), { relative: 1e-6 });

    const before = tf.memory().numTensors;
    step()!.dispose();
    assert.equal(tf.memory().numTensors, before);
  });

  test('trains, evaluates, and goes on after save, load and compile', async () => {
    const x = tf.tensor2d([[2, 0, 0], [0, 2, 0], [0, 0, 2], [2, 2, 0]]); // prettier-ignore
    const y = tf.oneHot(tf.tensor1d([1, 2, 0, 1], 'int32'), 3, 1, 0, 'float32');
    const loss = forCompile(exactSoftmaxFocalLoss, { gamma: 0.5, alpha: [1, 2, 1] });
    const model = identity(3);
    model.compile({ optimizer: tf.train.sgd(0.5), loss });
    const { history } = await model.fit(x, y, { epochs: 30, verbose: 0 });
    assert.ok(Number(history.loss.at(-1)) < Number(history.loss[0]) / 3);
    const evaluated = (model.evaluate(x, y) as tf.Scalar).dataSync()[0];
    expectClose([evaluated], [tf.mean(loss(y, model.predict(x) as tf.Tensor)).dataSync()[0]], {
      relative: 1e-6,
    });

    let saved: unknown;
    await model.save(
      tf.io.withSaveHandler(async (artifacts) => {
        saved = artifacts;
        return { modelArtifactsInfo: { dateSaved: new Date(0), modelTopologyType: 'JSON' } };
      }),
    );
    const loaded = await tf.loadLayersModel(tf.io.fromMemory(saved as never));
    loaded.compile({ optimizer: tf.train.sgd(0.5), loss });
    expectClose([(loaded.evaluate(x, y) as tf.Scalar).dataSync()[0]], [evaluated], {});
  });

  test('keeps only what it returns', () => {
    const [x, y] = [tf.tensor2d([[1], [2]]), tf.tensor2d([[1], [255]])];
    const loss = forCompile(exactSigmoidFocalLoss, { ignoreLabel: 255 });
    const before = tf.memory().numTensors;
    loss(y, x).dispose();
    assert.equal(tf.memory().numTensors, before);
  });
});
