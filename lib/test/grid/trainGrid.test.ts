import '../oneThread';
import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import {
  addUniformNoise,
  binaryLabels,
  exactSigmoidFocalLoss,
  fatalSamples,
  lenet,
  samplesOfStep,
  sigmoidFocalLoss,
  stabilizedSigmoidFocalLoss,
  tf,
  train,
  trainGrid,
  type GridModel,
  type GridOptions,
  type GridRun,
} from 'focal-loss-lab';
import { fatalImages } from 'focal-loss-lab/dist/grid/fatalImages';
import { initialParameters, perParameter } from 'focal-loss-lab/dist/grid/parameters';
import { initialSeed } from 'focal-loss-lab/dist/grid/trainGrid';
import { Sampler } from 'focal-loss-lab/dist/training/sampler';

const LOSSES = {
  original: sigmoidFocalLoss,
  stabilized: stabilizedSigmoidFocalLoss,
  exact: exactSigmoidFocalLoss,
};

const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'grid-test-'));
after(() => fs.rmSync(folder, { recursive: true }));

/** Ten kinds of images that can be told apart: a bright bar at a height of its own, under noise. */
function bars(samples: number): { images: tf.Tensor4D; digits: tf.Tensor1D } {
  return tf.tidy(() => {
    const digits = tf.tensor1d(Array.from({ length: samples }, (_, i) => (7 * i) % 10), 'int32'); // prettier-ignore
    const rows = tf.reshape(tf.floorDiv(tf.range(0, 28, 1, 'int32'), 3), [1, 28]);
    const bar = tf.cast(tf.equal(rows, tf.reshape(digits, [samples, 1])), 'float32');
    const noise = tf.randomUniform([samples, 28, 28, 1], 0, 0.6, 'float32', 5);
    return { images: tf.add<tf.Tensor4D>(tf.mul(tf.reshape(bar, [samples, 28, 1, 1]), 0.4), noise), digits };
  });
}

const base = { alpha: 0.5, epsilon: 1e-3 };
const NINE: GridModel[] = [
  { loss: 'original', gamma: 0, threshold: 0, ...base },
  { loss: 'original', gamma: 0.1, threshold: 1, ...base },
  { loss: 'original', gamma: 0.5, threshold: 4, ...base },
  { loss: 'original', gamma: 2, threshold: 8, ...base },
  { loss: 'stabilized', gamma: 0.5, threshold: 4, ...base, epsilon: 0.1 },
  { loss: 'stabilized', gamma: 0.9, threshold: 5, ...base },
  { loss: 'exact', gamma: 0, threshold: 6, ...base },
  { loss: 'exact', gamma: 0.5, threshold: 4, ...base, alpha: 0.25 },
  { loss: 'exact', gamma: 5, threshold: 2, ...base },
];

const withoutSeconds = (runs: GridRun[]) =>
  runs.map((run) => ({ ...run, records: run.records.map((record) => ({ ...record, seconds: 0 })) }));

describe('trainGrid, many LeNets side by side', () => {
  let data: ReturnType<typeof bars>;
  let nine: GridRun[]; // what NINE, undisturbed, end as
  before(async () => {
    data = bars(112); // a last batch of 16
    nine = await run(NINE);
  });
  after(() => tf.dispose(data));

  const schedule = { noise: 0.3, seed: 4, epochs: 3, batchSize: 32, learningRate: 0.02, momentum: 0.9 };
  const run = (models: GridModel[], options: Partial<GridOptions> = {}) =>
    trainGrid({ ...data, models, ...schedule, ...options });

  for (const [i, model] of NINE.entries())
    test(`model ${i} of nine (${model.loss}, gamma ${model.gamma}) is what train makes of a lenet with its loss`, async () => {
      const ofGrid = nine[i];
      const network = lenet({ seed: initialSeed(schedule.seed, model) });
      const labels = binaryLabels(data.digits, model.threshold);
      const loss = LOSSES[model.loss];
      const ofTrain = await train(network, {
        images: data.images,
        labels,
        loss: (x, y) => loss(x, y, { ...model, reduction: 'mean' }),
        ...schedule,
      });
      network.dispose();
      labels.dispose();
      assert.equal(ofGrid.records.length, schedule.epochs);
      for (const [epoch, record] of ofGrid.records.entries()) {
        const expected = ofTrain.records[epoch];
        assert.ok(Math.abs(record.loss / expected.loss - 1) < 1e-5, `${record.loss}, ${expected.loss}`);
        assert.ok(Math.abs(record.maxAbsLogit / expected.maxAbsLogit - 1) < 1e-4);
        assert.equal(record.accuracy, expected.accuracy);
      }
    });

  test('the test logits are those of the trained network, and a model that diverged has none', async () => {
    const testImages = data.images.slice(0, 80) as tf.Tensor4D; // a last batch of 16
    const models = [NINE[7], { ...NINE[1], threshold: 4 }];
    const [ofGrid, dead] = await run(models, { testImages, learningRate: 3, epochs: 6, noise: 0 });
    assert.ok(dead.diverged !== null && dead.testLogits === undefined);
    const checkpoint = path.join(folder, 'tested.safetensors');
    await run([NINE[7]], { checkpoint });
    const [resumed] = await run([NINE[7]], { checkpoint, testImages });
    const network = lenet({ seed: initialSeed(schedule.seed, NINE[7]) });
    const labels = binaryLabels(data.digits, NINE[7].threshold);
    const loss = (x: tf.Tensor, y: tf.Tensor) =>
      exactSigmoidFocalLoss(x, y, { ...NINE[7], reduction: 'mean' });
    await train(network, { images: data.images, labels, loss, ...schedule });
    const expected = tf.tidy(() => (network.predict(testImages) as tf.Tensor).dataSync());
    assert.equal(resumed.testLogits?.length, 80);
    resumed.testLogits.forEach((logit, i) =>
      assert.ok(Math.abs(logit - expected[i]) < 1e-4, `${i}: ${logit}`),
    );
    assert.equal(ofGrid.testLogits?.length, 80);
    network.dispose();
    tf.dispose([labels, testImages]);
  });

  test('nine models side by side are, bit for bit, nine models alone', async () => {
    const together = withoutSeconds(nine);
    for (const [i, model] of NINE.entries())
      assert.deepEqual(withoutSeconds(await run([model])), [together[i]], `model ${i}`);
  });

  // A learning rate at which the original loss meets its NaN at once, and the others their large logits.
  const wild = { learningRate: 3, epochs: 6, noise: 0 };

  test('the original loss diverges at the step at which train stops, and is over with that epoch', async () => {
    const model: GridModel = { loss: 'original', gamma: 0.1, threshold: 4, ...base };
    const [ofGrid] = await run([model], wild);
    const network = lenet({ seed: initialSeed(schedule.seed, model) });
    const labels = binaryLabels(data.digits, model.threshold);
    const options = { ...schedule, ...wild, images: data.images, labels };
    const { diverged } = await train(network, {
      ...options,
      loss: (x, y) => sigmoidFocalLoss(x, y, { ...model, reduction: 'mean' }),
    });
    network.dispose();
    labels.dispose();
    assert.ok(diverged !== null, 'train met no NaN: the demonstration is gone');
    assert.equal(ofGrid.diverged?.step, diverged.step);
    assert.equal(ofGrid.diverged?.epoch, diverged.epoch);
    assert.ok(ofGrid.records.every(({ epoch, loss }) => epoch <= diverged.epoch && Number.isFinite(loss)));
  });

  test('a model that goes NaN and leaves disturbs no other, to the last bit', async () => {
    const dying: GridModel = { loss: 'original', gamma: 0.1, threshold: 4, ...base };
    const living: GridModel[] = [
      { loss: 'exact', gamma: 0.1, threshold: 4, ...base },
      { loss: 'exact', gamma: 2, threshold: 0, ...base },
      { loss: 'stabilized', gamma: 0.1, threshold: 4, ...base },
    ];
    const [a, ofDying, b, c] = await run([living[0], dying, living[1], living[2]], wild);
    assert.ok(ofDying.diverged !== null && ofDying.diverged.epoch < wild.epochs - 1);
    assert.deepEqual(withoutSeconds([a, b, c]), withoutSeconds(await run(living, wild)));
  });

  test('the images that ended a run are those that fatalSamples finds in the network which train leaves', async () => {
    const dying: GridModel = { loss: 'original', gamma: 0.1, threshold: 4, ...base };
    const [survivor, { diverged, fatal }] = await run([NINE[7], dying], wild);
    const network = lenet({ seed: initialSeed(schedule.seed, dying) });
    const labels = binaryLabels(data.digits, dying.threshold);
    const loss = (x: tf.Tensor, y: tf.Tensor) => sigmoidFocalLoss(x, y, { ...dying, reduction: 'mean' });
    await train(network, { ...schedule, ...wild, images: data.images, labels, loss });
    const beyond = fatalSamples(network, data.images, labels, loss).map(({ sample }) => sample);
    const batch = samplesOfStep(diverged!.step, { ...schedule, samples: 112 });
    const inBatch = beyond.filter((sample) => batch.includes(sample));
    assert.ok(inBatch.length > 0 && inBatch.length < beyond.length, `${inBatch.length}, ${beyond.length}`);
    assert.deepEqual(fatal, {
      fatalImage: inBatch[0],
      batchBeyond: inBatch.length,
      imagesBeyond: beyond.length,
    });
    assert.equal(survivor.fatal, undefined);
    network.dispose();
    labels.dispose();
  });

  test('under noise they are those of the fatal batch with the noise of that step', async () => {
    const dying: GridModel = { loss: 'original', gamma: 0.1, threshold: 4, ...base };
    const disturbed = { ...schedule, ...wild, noise: 0.1 };
    const [{ diverged, fatal }] = await run([dying], disturbed);
    const { step } = diverged!;
    const network = lenet({ seed: initialSeed(schedule.seed, dying) });
    const labels = binaryLabels(data.digits, dying.threshold);
    const loss = (x: tf.Tensor, y: tf.Tensor) => sigmoidFocalLoss(x, y, { ...dying, reduction: 'mean' });
    await train(network, { ...disturbed, images: data.images, labels, loss });
    const batch = samplesOfStep(step, { ...schedule, samples: 112 });
    const [noisy, ofBatch] = tf.tidy(() => {
      const clean = tf.gather(data.images, batch) as tf.Tensor4D;
      const seed = new Sampler(112, schedule.seed).batchSeed('noise', step);
      return [addUniformNoise(clean, 0.1, seed), tf.gather(labels, batch)] as [tf.Tensor4D, tf.Tensor];
    });
    const found = fatalSamples(network, noisy, ofBatch, loss);
    assert.ok(found.length > 0);
    assert.equal(fatal?.fatalImage, batch[found[0].sample]);
    assert.equal(fatal?.batchBeyond, found.length);
    assert.ok(fatal.imagesBeyond! >= 1 && fatal.imagesBeyond! <= 112);
    network.dispose();
    tf.dispose([labels, noisy, ofBatch]);
  });

  test('the losses of one gamma and threshold start from the same weights, two thresholds do not', async () => {
    const start = { epochs: 1, learningRate: 1e-30, noise: 0 };
    const models = (['original', 'exact'] as const).map((loss): GridModel => ({ loss, gamma: 0.5, threshold: 4, ...base })); // prettier-ignore
    const [original, exact, other] = await run([...models, { ...models[0], threshold: 5 }], start);
    assert.equal(original.records[0].maxAbsLogit, exact.records[0].maxAbsLogit);
    assert.notEqual(original.records[0].maxAbsLogit, other.records[0].maxAbsLogit);
  });

  test('where the weights cannot be found again, nothing is said of the images', async () => {
    const dying: GridModel = { loss: 'original', gamma: 0.1, threshold: 4, ...base };
    const options = { ...data, models: [dying], ...schedule, ...wild };
    const [ended] = await trainGrid(options);
    const start = initialParameters([1]);
    const broken = perParameter((name) => tf.mul(start[name], NaN));
    const zeros = perParameter((name) => tf.zerosLike(start[name]));
    const steps = ended.diverged!.step - 2; // so that a step is taken before the fatal one
    const from = { weights: broken, velocities: zeros, steps, sampler: new Sampler(112, 4) };
    const none = { fatalImage: null, batchBeyond: null, imagesBeyond: null };
    assert.deepEqual(await fatalImages(ended, from, options), none);
    tf.dispose([start, broken, zeros]);
  });

  test('orderSeed is the seed of the order and the noise, and leaves the weights to seed', async () => {
    const [{ gamma, threshold }] = NINE;
    const noisy = { noise: 0.3, epochs: 2 };
    const same = await run([NINE[0]], { ...noisy, orderSeed: schedule.seed });
    assert.deepEqual(withoutSeconds(same), withoutSeconds(await run([NINE[0]], noisy)));
    const [{ records }] = await run([NINE[0]], { ...noisy, orderSeed: 9 });
    const network = lenet({ seed: initialSeed(schedule.seed, { gamma, threshold }) });
    const labels = binaryLabels(data.digits, threshold);
    const loss = (x: tf.Tensor, y: tf.Tensor) => sigmoidFocalLoss(x, y, { ...NINE[0], reduction: 'mean' });
    const reordered = { ...schedule, ...noisy, seed: 9, images: data.images, labels, loss };
    const { records: expected } = await train(network, reordered);
    for (const [i, record] of records.entries())
      assert.ok(Math.abs(record.loss / expected[i].loss - 1) < 1e-5, `${record.loss}, ${expected[i].loss}`);
    assert.notEqual(records[0].loss, same[0].records[0].loss);
    network.dispose();
    labels.dispose();
  });

  test('resumed after any epoch it gives the records of an undisturbed training', async () => {
    const models = NINE.slice(2, 6);
    const undisturbed = withoutSeconds(await run(models, wild));
    const checkpoint = path.join(folder, 'resumed.safetensors');
    for (let epochs = 1; epochs <= wild.epochs; epochs++) await run(models, { ...wild, epochs, checkpoint });
    assert.deepEqual(withoutSeconds(await run(models, { ...wild, checkpoint })), undisturbed);
  });

  test('a training that was broken off in an epoch goes on from the last whole one', async () => {
    const checkpoint = path.join(folder, 'broken.safetensors');
    const breakOff = ({ epochs }: { epochs: number }) => {
      if (epochs === 2) throw new Error('broken off');
    };
    await assert.rejects(run(NINE, { checkpoint, afterEpoch: breakOff }), /broken off/);
    const seen: number[] = [];
    const resumed = await run(NINE, { checkpoint, afterEpoch: ({ epochs }) => void seen.push(epochs) });
    assert.deepEqual(seen, [3]);
    assert.deepEqual(withoutSeconds(resumed), withoutSeconds(nine));
  });

  test('a checkpoint of other settings, models or data is refused', async () => {
    const checkpoint = path.join(folder, 'refused.safetensors');
    const models = NINE.slice(0, 2);
    await run(models, { checkpoint, epochs: 1 });
    const refuses = (options: Partial<GridOptions>, reason: RegExp) =>
      assert.rejects(run(models, { checkpoint, ...options }), reason);
    await refuses(
      { learningRate: 0.1 },
      /^Error: trainGrid: checkpoint .*refused.* learningRate is 0.02 there, 0.1 here/,
    );
    await refuses({ models: [NINE[0], NINE[2]] }, /model 1 gamma is 0.1 there, 0.5 here/);
    const images = tf.tidy(() => tf.mul<tf.Tensor4D>(data.images, 0.5));
    await refuses({ images }, /SHA-256 of some images/);
    images.dispose();
  });

  test('bad options get an error that names them', async () => {
    const refuses = (options: Partial<GridOptions>, reason: RegExp) =>
      assert.rejects(run(NINE, options), { name: 'RangeError', message: reason });
    await refuses({ models: [] }, /^trainGrid: the number of models is 0; expected at least 1/);
    await refuses({ models: [{ ...NINE[0], gamma: -1 }] }, /^trainGrid: gamma of model 0 is -1/);
    await refuses({ models: [NINE[0], { ...NINE[1], threshold: 9 }] }, /threshold of model 1 is 9/);
    await refuses({ models: [{ ...NINE[4], epsilon: 0 }] }, /epsilon of model 0 is 0/);
    await refuses({ models: [{ ...NINE[4], alpha: 2 }] }, /alpha of model 0 is 2/);
    await refuses({ orderSeed: 0.5 }, /^trainGrid: orderSeed is 0.5; expected an integer/);
    await refuses({ batchSize: 0 }, /^trainGrid: batchSize is 0; expected an integer >= 1/);
    const small = tf.zeros<tf.Rank.R4>([112, 14, 14, 1]);
    await refuses({ images: small }, /^trainGrid: the shape of images is \[112, 14, 14, 1\]/);
    const bytes = tf.mul<tf.Tensor4D>(data.images, 255);
    await refuses({ images: bytes }, /^trainGrid: a pixel is \d+.*; expected a number in 0..1/);
    bytes.dispose();
    const few = tf.zeros<tf.Rank.R1>([111], 'int32');
    await refuses({ digits: few }, /^trainGrid: the shape of digits is \[111\]; expected \[112\]/);
    await refuses({ testImages: small }, /^trainGrid: the shape of testImages is float32 \[112, 14, 14, 1\]/);
    tf.dispose([small, few]);
  });

  test('leaves no tensor behind: done, broken off, diverged or resumed', async () => {
    const atStart = tf.memory().numTensors;
    const checkpoint = path.join(folder, 'leaks.safetensors');
    await run(NINE, wild);
    await run(NINE.slice(2), { ...wild, checkpoint, epochs: 2 });
    await run(NINE.slice(2), { ...wild, checkpoint, testImages: data.images });
    const fail = () => {
      throw new Error('broken off');
    };
    await assert.rejects(run(NINE, { afterEpoch: fail }));
    assert.equal(tf.memory().numTensors, atStart);
  });
});
