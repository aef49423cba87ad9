import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  lastRun,
  lenet,
  sigmoidFocalLoss,
  stabilizedSigmoidFocalLoss,
  tf,
  train,
  unet,
  type Loss,
  type TrainingOptions,
  type TrainingRun,
} from 'focal-loss-lab';
import { expectClose } from '../expectClose';
import { torch, torchBatch, torchLenet } from '../models/torchFixture';

const original: Loss = (logits, labels) =>
  sigmoidFocalLoss(logits, labels, { alpha: 0.5, gamma: 0.5, reduction: 'mean' });
const stabilized: Loss = (logits, labels) =>
  stabilizedSigmoidFocalLoss(logits, labels, { alpha: 0.5, gamma: 0.5, reduction: 'mean' });

/** Logistic regression on single pixels: logit = w * pixel. */
function onePixelModel(weight: number): tf.LayersModel {
  const model = tf.sequential({
    layers: [
      tf.layers.flatten({ inputShape: [1, 1, 1] }),
      tf.layers.dense({ name: 'logit', units: 1, useBias: false }),
    ],
  });
  tf.tidy(() => model.setWeights([tf.tensor2d([[weight]])]));
  return model;
}

/** Trains a model of one pixel, and disposes everything. */
async function trainOnPixels(
  pixels: number[],
  options: Partial<TrainingOptions> & { startAt?: number; labelsOf?: readonly number[] } = {},
): Promise<TrainingRun & { weight: number }> {
  const { startAt = 0, labelsOf = pixels.map(() => 1), ...rest } = options;
  const model = onePixelModel(startAt);
  const images = tf.tensor4d(pixels, [pixels.length, 1, 1, 1]);
  const labels = tf.tensor1d([...labelsOf], 'float32');
  const defaults = { loss: stabilized, epochs: 1, batchSize: 2, learningRate: 1e-6, momentum: 0, seed: 1 };
  try {
    const run = await train(model, { images, labels, ...defaults, ...rest });
    return { ...run, weight: model.getWeights()[0].dataSync()[0] };
  } finally {
    model.dispose();
    tf.dispose([images, labels]);
  }
}

const withoutSeconds = ({ records, diverged }: TrainingRun) => ({
  records: records.map((record) => ({ ...record, seconds: 0 })),
  diverged,
});

describe('train', () => {
  test('follows PyTorch for 100 steps from the same weights', async () => {
    const model = torchLenet();
    const { images, labels } = torchBatch();
    const { batch, learningRate, momentum, ...parameters } = torch.settings;
    const run = await train(model, {
      images,
      labels,
      loss: (x, y) => stabilizedSigmoidFocalLoss(x, y, { ...parameters, reduction: 'mean' }),
      epochs: torch.losses.length,
      batchSize: batch, // all images: their order does not matter
      learningRate,
      momentum,
      seed: 1,
    });
    const losses = run.records.map(({ loss }) => loss);
    expectClose(losses, torch.losses, { relative: 1e-5, absolute: 1e-8 });
    assert.ok(losses[99] < 1e-3 * losses[0]);
    model.dispose();
    tf.dispose([images, labels]);
  });

  test('the same seed gives the same records and weights; another seed does not', async () => {
    const { images, labels } = torchBatch();
    const runWith = async (seed: number) => {
      const model = lenet({ seed: 1 });
      const options = {
        loss: original,
        epochs: 2,
        batchSize: 10,
        learningRate: 0.05,
        momentum: 0.9,
        noise: 0.5,
      };
      const run = await train(model, { images, labels, ...options, seed });
      const weights = model.getWeights().map((weight) => Array.from(weight.dataSync()));
      model.dispose();
      return { ...withoutSeconds(run), weights };
    };
    const first = await runWith(3);
    assert.deepEqual(await runWith(3), first);
    assert.notDeepEqual((await runWith(4)).records, first.records);
    tf.dispose([images, labels]);
  });

  describe('where the original loss dies', () => {
    // Both samples have label 1. The hard one (pixel 0.05) pulls the weight on when the easy one (pixel 1) has long been
    // right, until 1 - p_t of the easy one rounds to 0.
    const options = { learningRate: 50, epochs: 2000 };

    test('its one weight has just passed 24 ln 2, and the gradient, not the loss, is what is not finite', async () => {
      const { weight, diverged, records } = await trainOnPixels([1, 0.05], { loss: original, ...options });
      assert.ok(weight > 24 * Math.LN2 && weight < 24 * Math.LN2 + 0.5, `weight ${weight}`);
      assert.equal(diverged?.what, 'gradient of logit/kernel');
      assert.ok(records.every(({ loss }) => Number.isFinite(loss)));
    });

    test('it says the epoch and the step, and the records end with the step before', async () => {
      const { diverged, records } = await trainOnPixels([1, 0.05, 1, 0.05], { loss: original, ...options });
      const last = records[records.length - 1];
      assert.ok(diverged !== null);
      assert.equal(last.step, diverged.step - 1);
      assert.equal(diverged.epoch, Math.floor((diverged.step - 1) / 2)); // two steps per epoch
    });

    test('it says how large the logits of the fatal batch were: the easy sample had just passed 24 ln 2', async () => {
      const { weight, diverged } = await trainOnPixels([1, 0.05], { loss: original, ...options });
      expectClose([diverged?.maxAbsLogit ?? 0], [weight], { relative: 1e-6 }); // its pixel is 1
    });

    test('the stabilized loss goes on', async () => {
      const { weight, diverged } = await trainOnPixels([1, 0.05], { loss: stabilized, ...options });
      assert.equal(diverged, null);
      assert.ok(weight > 24 * Math.LN2 + 0.5);
    });
  });

  test('a model that has died keeps its last finite weights, and its running statistics of before that step', async () => {
    const model = unet({ size: 4, width: 2, depth: 1, seed: 1 });
    const images = tf.randomUniform<tf.Rank.R4>([4, 4, 4, 1], 0, 1, 'float32', 1);
    const labels = tf.tidy(() => tf.greater(images, 0.5).toFloat());
    const options = { images, labels, loss: stabilized, batchSize: 4, momentum: 0, seed: 1 };
    const { diverged } = await train(model, { ...options, epochs: 3, learningRate: 1e30 });
    assert.notEqual(diverged, null);
    assert.ok(model.getWeights().every((weight) => weight.dataSync().every(Number.isFinite)));
    model.dispose();
    tf.dispose([images, labels]);
  });

  test('names the weights whose gradients are not finite, and only those', async () => {
    const model = tf.sequential({
      layers: [
        tf.layers.flatten({ inputShape: [1, 1, 1] }),
        tf.layers.dense({ name: 'hidden', units: 1, kernelInitializer: 'ones' }),
        tf.layers.dense({ name: 'logit', units: 1, kernelInitializer: 'ones' }),
      ],
    });
    const images = tf.tensor4d([1e30], [1, 1, 1, 1]);
    const labels = tf.tensor1d([0]);
    const loss: Loss = (logits) => tf.mul(tf.mean(logits), 1e20); // d/d hidden: 1e20 for the bias, 1e50 for the kernel
    const options = { loss, epochs: 1, batchSize: 1, learningRate: 1e-30, momentum: 0, seed: 1 };
    const { diverged } = await train(model, { images, labels, ...options });
    assert.equal(diverged?.what, 'loss, gradient of hidden/kernel, logit/kernel');
    expectClose([diverged?.maxAbsLogit ?? 0], [1e30], { relative: 1e-6 });
    assert.equal(model.getWeights()[0].dataSync()[0], 1, 'nothing was applied');
    model.dispose();
    tf.dispose([images, labels]);
  });

  test('counts the weights whose gradients are not finite where they are many', async () => {
    const kernelInitializer = tf.initializers.constant({ value: 1e10 });
    const dense = Array.from({ length: 6 }, () => tf.layers.dense({ units: 1, kernelInitializer }));
    const model = tf.sequential({ layers: [tf.layers.flatten({ inputShape: [1, 1, 1] }), ...dense] });
    const images = tf.zeros<tf.Rank.R4>([1, 1, 1, 1]);
    const labels = tf.tensor1d([0]);
    const loss: Loss = (logits) => tf.mul(tf.mean(logits), 1e30); // 1e30 arrives at the last layer, 1e40 at the one before
    const options = { loss, epochs: 1, batchSize: 1, learningRate: 1e-30, momentum: 0, seed: 1 };
    const { diverged } = await train(model, { images, labels, ...options });
    assert.equal(diverged?.what, 'gradient of 10 of 12 weights');
    model.dispose();
    tf.dispose([images, labels]);
  });

  test('large but finite gradients, whose sum overflows, are no divergence', async () => {
    const model = tf.sequential({
      layers: [
        tf.layers.flatten({ inputShape: [2, 1, 1] }),
        tf.layers.dense({ units: 1, useBias: false, kernelInitializer: 'zeros' }),
      ],
    });
    const images = tf.fill([1, 2, 1, 1], 3e38) as tf.Tensor4D;
    const labels = tf.tensor1d([0]);
    const options = {
      loss: ((x) => tf.mean(x)) as Loss,
      epochs: 1,
      batchSize: 1,
      learningRate: 2e-38,
      momentum: 0,
    };
    const { diverged } = await train(model, { images, labels, ...options, seed: 1 });
    assert.equal(diverged, null);
    expectClose(model.getWeights()[0].dataSync(), [-6, -6], { relative: 1e-6 });
    model.dispose();
    tf.dispose([images, labels]);
  });

  test('shows every sample once per epoch, in an order that changes, and keeps the smaller last batch', async () => {
    const pixels = Array.from({ length: 10 }, (_, i) => i);
    const seen: number[][] = [];
    const watching: Loss = (logits, labels) => {
      seen.push(Array.from(logits.dataSync(), Math.round)); // weight 1: the logit is the pixel
      return stabilized(logits, labels);
    };
    await trainOnPixels(pixels, { loss: watching, epochs: 2, batchSize: 4, startAt: 1 });
    assert.deepEqual(
      seen.map(({ length }) => length),
      [4, 4, 2, 4, 4, 2],
    );
    const epochs = [seen.slice(0, 3).flat(), seen.slice(3).flat()];
    for (const epoch of epochs)
      assert.deepEqual(
        [...epoch].sort((a, b) => a - b),
        pixels,
      );
    assert.notDeepEqual(epochs[0], epochs[1]);
    assert.notDeepEqual(epochs[0], pixels);
  });

  test('adds fresh noise at every step, of the given amplitude', async () => {
    const seen: number[] = [];
    const watching: Loss = (logits, labels) => {
      seen.push(...logits.dataSync());
      return stabilized(logits, labels);
    };
    await trainOnPixels([0, 0, 0], { loss: watching, epochs: 5, startAt: 1, noise: 0.5 });
    assert.ok(seen.every((value) => value >= 0 && value < 0.5));
    assert.equal(new Set(seen).size, 15);
  });

  test('takes the samples in the same order with noise and without, in every epoch', async () => {
    const orderUnder = async (noise: number) => {
      const seen: number[] = [];
      const watching = (batch: tf.Tensor4D) => {
        seen.push(...batch.dataSync());
        return batch;
      };
      await trainOnPixels([1, 2, 3, 4, 5], { augment: watching, epochs: 4, noise });
      return seen;
    };
    const order = await orderUnder(0);
    assert.equal(order.length, 1 + 20); // the first call looks at one image
    assert.deepEqual(await orderUnder(0.75), order);
  });

  test('hands every batch to augment, with a seed of its own that another run with the same seed repeats', async () => {
    const seedsOf = async (seed: number) => {
      const seeds: number[] = [];
      const shift = (images: tf.Tensor4D, batchSeed: number) => {
        seeds.push(batchSeed);
        return images.add(100) as tf.Tensor4D;
      };
      const { records } = await trainOnPixels([1, 2, 3, 4], { augment: shift, startAt: 1, epochs: 2, seed });
      assert.ok(
        records.every(({ maxAbsLogit }) => maxAbsLogit > 100),
        'the model saw what augment returned',
      );
      return seeds.slice(1); // the first call looks at the shape
    };
    const seeds = await seedsOf(1);
    assert.equal(new Set(seeds).size, 4);
    assert.deepEqual(await seedsOf(1), seeds);
    assert.notDeepEqual(await seedsOf(2), seeds);
  });

  test('refuses augmented images that do not fit the model', async () => {
    const wide = (images: tf.Tensor4D) => tf.tile(images, [1, 1, 2, 1]);
    await assert.rejects(
      trainOnPixels([1], { augment: wide }),
      /shape of augmented images is \[1, 1, 2, 1\]; expected \[n, 1, 1, 1\]/,
    );
  });

  test('what was recorded before an error is there afterwards, an incomplete record too', async () => {
    const model = onePixelModel(0);
    const [images, labels] = [tf.ones<tf.Rank.R4>([4, 1, 1, 1]), tf.ones([4])];
    const fail = (epoch: number) => {
      if (epoch === 1) throw new Error('out of paper');
    };
    const settings = { loss: stabilized, epochs: 9, batchSize: 2, learningRate: 1e-6, momentum: 0, seed: 1 };
    assert.throws(() => lastRun(model), /no training of this model/);
    await assert.rejects(
      train(model, { images, labels, ...settings, recordEvery: 3, afterEpoch: fail }),
      /out of paper/,
    );
    const { records, diverged } = lastRun(model);
    assert.equal(diverged, null);
    assert.deepEqual(
      records.map(({ step, epoch }) => [step, epoch]),
      [
        [3, 1],
        [4, 1],
      ],
    );
    const run = await train(model, { images, labels, ...settings, epochs: 1 });
    assert.equal(lastRun(model), run);
    model.dispose();
    tf.dispose([images, labels]);
  });

  test('calls afterEpoch after every whole epoch, and waits for it', async () => {
    const seen: string[] = [];
    const afterEpoch = async (epoch: number) => {
      seen.push(`begin ${epoch}`);
      await new Promise((resolve) => setImmediate(resolve));
      seen.push(`end ${epoch}`);
    };
    await trainOnPixels([1, 2], { epochs: 2, afterEpoch });
    assert.deepEqual(seen, ['begin 0', 'end 0', 'begin 1', 'end 1']);
  });

  test('makes a record per epoch, or every recordEvery steps, and keeps the incomplete last one', async () => {
    const steps = async (options: Partial<TrainingOptions>) =>
      (await trainOnPixels([1, 1, 1, 1, 1], options)).records.map(({ step, epoch }) => [step, epoch]);
    assert.deepEqual(await steps({ epochs: 2 }), [[3, 0], [6, 1]]); // prettier-ignore
    assert.deepEqual(await steps({ epochs: 2, recordEvery: 4 }), [[4, 1], [6, 1]]); // prettier-ignore
  });

  test('records the mean loss, the fraction right, and the largest |logit| since the last record', async () => {
    const { records } = await trainOnPixels([3, -1, 2, -5], {
      labelsOf: [1, 1, 0, 0], // right, wrong, wrong, right
      loss: (logits) => tf.mean(logits) as tf.Scalar,
      startAt: 1,
      learningRate: 1e-12,
    });
    assert.equal(records.length, 1);
    assert.equal(records[0].accuracy, 0.5);
    expectClose([records[0].maxAbsLogit, records[0].loss], [5, -0.25], { relative: 1e-6 });
    assert.ok(records[0].seconds > 0);
  });

  test('takes one label per pixel where the model has one logit per pixel', async () => {
    const model = tf.sequential({
      layers: [tf.layers.conv2d({ inputShape: [4, 4, 1], filters: 1, kernelSize: 1 })],
    });
    const images = tf.randomUniform<tf.Rank.R4>([8, 4, 4, 1], 0, 1, 'float32', 1);
    const labels = tf.tidy(() => tf.greater(images, 0.5).toFloat());
    const options = { loss: stabilized, epochs: 200, batchSize: 4, learningRate: 5, momentum: 0.9, seed: 1 };
    const { records } = await train(model, { images, labels, ...options });
    assert.ok(records[records.length - 1].accuracy > 0.95);
    model.dispose();
    tf.dispose([images, labels]);
  });

  test('keeps no tensor: after a whole run, after a divergence, after an error in the middle', async () => {
    const before = tf.memory().numTensors;
    await trainOnPixels([1, 2, 3], { epochs: 3 });
    assert.equal(tf.memory().numTensors, before);
    await trainOnPixels([1, 0.05], { loss: original, learningRate: 50, epochs: 2000, momentum: 0.5 });
    assert.equal(tf.memory().numTensors, before);
    const model = onePixelModel(1);
    const images = tf.ones<tf.Rank.R4>([6, 1, 1, 1]);
    const labels = tf.ones([6]);
    const breaking: Loss = (logits, targets) => {
      if (!images.isDisposed) images.dispose(); // the next step finds no images
      return stabilized(logits, targets);
    };
    const options = { loss: breaking, epochs: 3, batchSize: 2, learningRate: 1, momentum: 0.9, seed: 1 };
    await assert.rejects(train(model, { images, labels, ...options }), TypeError);
    model.dispose();
    labels.dispose();
    assert.equal(tf.memory().numTensors, before);
  });

  test('memory does not grow from step to step', async () => {
    const counts: number[] = [];
    const counting = (batch: tf.Tensor4D) => {
      counts.push(tf.memory().numTensors);
      return batch;
    };
    await trainOnPixels([1, 2, 3, 4], { augment: counting, epochs: 50, noise: 0.5 });
    assert.ok(counts.length > 100);
    assert.equal(new Set(counts.slice(2)).size, 1);
  });

  describe('refuses', () => {
    for (const [name, options, message] of [
      ['epochs 0', { epochs: 0 }, /train: epochs is 0; expected an integer >= 1/],
      ['a batch of half a sample', { batchSize: 0.5 }, /train: batchSize is 0.5; expected an integer >= 1/],
      ['recordEvery 0', { recordEvery: 0 }, /train: recordEvery is 0; expected an integer >= 1/],
      ['a learning rate of 0', { learningRate: 0 }, /train: learningRate is 0; expected a finite number > 0/],
      ['momentum 1', { momentum: 1 }, /train: momentum is 1; expected a number in \[0, 1\)/],
      ['negative noise', { noise: -1 }, /train: noise is -1; expected a finite number >= 0/],
      ['a seed that is not an integer', { seed: NaN }, /train: seed is NaN; expected an integer/],
      ['labels other than 0 and 1', { labelsOf: [0, 2] }, /train: a label is neither 0 nor 1/],
      [
        'fewer labels than images',
        { labelsOf: [1] },
        /train: the number of labels is 1; expected 2, one per image/,
      ],
    ] as const)
      test(name, async () => {
        const before = tf.memory().numTensors;
        await assert.rejects(trainOnPixels([1, 2], options), message);
        assert.equal(tf.memory().numTensors, before);
      });

    test('images that do not fit the model, integer labels, several labels per logit, no images', async () => {
      const model = onePixelModel(1);
      const images = tf.zeros<tf.Rank.R4>([2, 1, 1, 1]);
      const labels = tf.zeros([2]);
      const options = { loss: stabilized, epochs: 1, batchSize: 1, learningRate: 1, momentum: 0, seed: 1 };
      const attempt = (changed: Partial<TrainingOptions>) =>
        train(model, { images, labels, ...options, ...changed });
      await assert.rejects(
        attempt({ images: tf.zeros([2, 1, 2, 1]) }),
        /shape of images is \[2, 1, 2, 1\]; expected \[n, 1, 1, 1\]/,
      );
      await assert.rejects(
        attempt({ labels: tf.zeros([2], 'int32') }),
        /dtype of labels is int32; expected float32/,
      );
      await assert.rejects(attempt({ labels: tf.zeros([2, 3]) }), /labels per image is 3; expected 1/);
      await assert.rejects(
        attempt({ images: tf.zeros([0, 1, 1, 1]), labels: tf.zeros([0]) }),
        /number of images is 0/,
      );
    });
  });
});
