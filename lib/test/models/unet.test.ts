import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { stabilizedSigmoidFocalLoss, tf, train, unet } from 'focal-loss-lab';
import type { UnetOptions } from 'focal-loss-lab/dist/models';
import { expectClose } from '../expectClose';
import { Agreement, readFixture, savedAndLoaded, uniform, weightsByName } from './torchAgreement';

const SMALL: UnetOptions = { size: 12, width: 2, depth: 2, seed: 1 };
const trainableParameters = (model: tf.LayersModel) =>
  model.trainableWeights.reduce((sum, weight) => sum + tf.util.sizeFromShape(weight.shape as number[]), 0);

function agreement() {
  const fixture = readFixture<UnetOptions & { size: number; channels: number }>('unet-torch.json');
  const { size, channels } = fixture.options;
  const images = uniform(1, [fixture.batch, size, size, channels]);
  const labels = tf.tidy(() => tf.greater(tf.slice(images, [0, 0, 0, 0], [-1, -1, -1, 1]), 0.5).toFloat());
  return { fixture, agreement: new Agreement(unet(fixture.options), fixture, images, labels) };
}

describe("unet, the paper's segmentation network", () => {
  test('has 31,042,369 trainable parameters, and one logit per pixel of 28x28', () => {
    const model = unet();
    assert.equal(trainableParameters(model), 31_042_369);
    assert.deepEqual(model.inputs[0].shape, [null, 28, 28, 1]);
    assert.deepEqual(model.outputs[0].shape, [null, 28, 28, 1]);
    assert.deepEqual(model.getLayer('bottom_conv2').outputShape, [null, 1, 1, 1024]);
    model.dispose();
  });

  test("starts like PyTorch's: each kernel and bias uniform in +-1/sqrt(fan_in)", () => {
    const model = unet({ width: 16, depth: 2, seed: 3 });
    const start = weightsByName(model);
    const cases: [string, number][] = [
      ['down0_conv1', 9 * 1],
      ['down1_conv1', 9 * 16],
      ['bottom_conv2', 9 * 64],
      ['up1_enlarge', 4 * 32], // PyTorch counts the outputs of a transposed convolution
      ['up0_conv1', 9 * 32],
      ['logit', 16],
    ];
    for (const [layer, fanIn] of cases) {
      const unit = ['kernel', 'bias'].flatMap((part) =>
        Array.from(start.get(`${layer}/${part}`)!.dataSync(), (value) => value * Math.sqrt(fanIn)),
      );
      assert.ok(
        unit.every((u) => Math.abs(u) <= 1 + 1e-6),
        layer,
      );
      // U(-1, 1) has variance 1/3, and its square has variance 4/45: five standard errors.
      const square = unit.reduce((sum, u) => sum + u * u, 0) / unit.length;
      assert.ok(Math.abs(square - 1 / 3) < 5 * Math.sqrt(4 / 45 / unit.length), `${layer}: ${square}`);
    }
    model.dispose();
  });

  test('the seed determines the weights, no two layers share their draws, and without a seed they differ', () => {
    const kernels = (options: UnetOptions) => {
      const model = unet({ ...SMALL, ...options });
      const weights = weightsByName(model);
      const first = [...weights.keys()]
        .filter((name) => /kernel|bias/.test(name))
        .map((name) => weights.get(name)!.dataSync()[0]);
      model.dispose();
      return first;
    };
    const first = kernels({ seed: 7 });
    assert.deepEqual(kernels({ seed: 7 }), first);
    assert.notDeepEqual(kernels({ seed: 8 }), first);
    assert.notDeepEqual(kernels({ seed: undefined }), kernels({ seed: undefined }));
    assert.equal(new Set(first).size, first.length);
  });

  test('gives the logits and gradients of PyTorch in training mode', () => {
    const { agreement: model } = agreement();
    model.check('training');
    model.dispose();
  });

  test("after three steps it has PyTorch's losses and running statistics, and agrees in inference mode", () => {
    const { fixture, agreement: model } = agreement();
    model.train();
    for (const [name, expected] of Object.entries(fixture.statistics))
      expectClose(model.weights.get(name)!.dataSync(), expected, { relative: 1e-5, absolute: 1e-6 });
    model.check('inference');
    model.dispose();
  });

  test('learns to segment bright pixels by train()', async () => {
    const model = unet({ ...SMALL, width: 4 });
    const images = uniform(5, [32, 12, 12, 1]) as tf.Tensor4D;
    const labels = tf.tidy(() => tf.greater(images, 0.5).toFloat());
    const { records, diverged } = await train(model, {
      images,
      labels,
      loss: (logits, y) =>
        stabilizedSigmoidFocalLoss(logits, y, { alpha: 0.5, gamma: 0.5, reduction: 'mean' }),
      epochs: 15,
      batchSize: 8,
      learningRate: 0.1,
      momentum: 0.9,
      seed: 1,
    });
    assert.equal(diverged, null);
    assert.ok(
      records.at(-1)!.loss < records[0].loss / 2,
      `loss ${records[0].loss} -> ${records.at(-1)!.loss}`,
    );
    model.dispose();
    tf.dispose([images, labels]);
  });

  test('a copy by save and load gives the same output, in training too', async () => {
    const model = unet(SMALL);
    const images = uniform(6, [4, 12, 12, 1]);
    tf.dispose(model.apply(images, { training: true }) as tf.Tensor); // so that the running statistics are not the initial ones
    const copy = await savedAndLoaded(model);
    for (const training of [false, true]) {
      const [a, b] = [model, copy].map((m) => m.apply(images, { training }) as tf.Tensor);
      assert.deepEqual(a.dataSync(), b.dataSync());
      tf.dispose([a, b]);
    }
    model.dispose();
    copy.dispose();
    images.dispose();
  });

  test('leaves no tensor behind, neither the model nor a step', () => {
    const before = tf.memory().numTensors;
    const model = unet(SMALL);
    const images = uniform(6, [2, 12, 12, 1]);
    const weights = model.trainableWeights.map((weight) => weight.read() as tf.Variable);
    const step = () => {
      const loss = () =>
        tf.mean(tf.square(model.apply(images, { training: true }) as tf.Tensor)) as tf.Scalar;
      const { value, grads } = tf.variableGrads(loss, weights);
      tf.dispose([value, grads]);
    };
    step();
    const afterOne = tf.memory().numTensors;
    step();
    tf.dispose(model.predict(images));
    assert.equal(tf.memory().numTensors, afterOne);
    model.dispose();
    images.dispose();
    assert.equal(tf.memory().numTensors, before);
  });

  test('refuses images too small to be halved so often, and sizes and seeds that are not integers', () => {
    assert.throws(() => unet({ size: 15 }), /unet: size is 15; expected an integer >= 16/);
    assert.throws(() => unet({ channels: 0 }), /unet: channels is 0; expected an integer >= 1/);
    assert.throws(() => unet({ width: 1.5 }), /unet: width is 1.5; expected an integer >= 1/);
    assert.throws(() => unet({ depth: 0 }), /unet: depth is 0; expected an integer >= 1/);
    assert.throws(() => unet({ seed: 0.5 }), /unet: seed is 0.5; expected an integer/);
    unet({ size: 16, width: 1 }).dispose();
  });

  test('refuses to train on a batch with one value per channel at the bottom, as PyTorch does', () => {
    const model = unet({ size: 4, width: 1, depth: 2 });
    const image = uniform(1, [1, 4, 4, 1]);
    assert.throws(
      () => model.apply(image, { training: true }),
      /bottom_conv1: one value per channel, shape \[1,1,1,4\]/,
    );
    tf.dispose(model.predict(image));
    model.dispose();
    image.dispose();
  });
});
