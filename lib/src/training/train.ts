import seedrandom from 'seedrandom';
import { addUniformNoise } from '../datasets';
import { breathe, Progress } from '../display';
import { tf } from '../tf';
import { Trainer, type Loss, type StepResult } from './step';

export interface TrainingOptions {
  /** float32 [n, height, width, channels] in 0..1 */
  images: tf.Tensor4D;
  /** float32 of 0 and 1, [n], or one label per logit where the model has several */
  labels: tf.Tensor;
  /** Mean loss of a batch: logits and labels have the same shape. */
  loss: Loss;
  epochs: number;
  /** Samples per step; the last batch of an epoch may be smaller. */
  batchSize: number;
  learningRate: number;
  /** In [0, 1). */
  momentum: number;
  /** An integer; determines the order of the samples and the noise. */
  seed: number;
  /** Amplitude of the uniform noise added to every batch afresh (addUniformNoise). */
  noise?: number;
  /** Steps per record; default one epoch. */
  recordEvery?: number;
  /** Name on the progress line. */
  label?: string;
}

/** What happened in the steps since the previous record. */
export interface TrainingRecord {
  /** The last of these steps; the first of the run is 1. */
  step: number;
  /** Epoch of that step; the first is 0. */
  epoch: number;
  /** Mean over the steps. */
  loss: number;
  /** Fraction of the samples with logit > 0 where the label is 1, and logit <= 0 where it is 0. */
  accuracy: number;
  /** Largest |logit| of all. */
  maxAbsLogit: number;
  /** Wall-clock time since the start of the run, in seconds: the only field that differs from run to run. */
  seconds: number;
}

/** The first step that met a value which is not finite; its update was not made. */
export interface Divergence {
  epoch: number;
  step: number;
  /** Which values: 'loss', 'gradient of conv1/kernel, conv1/bias', 'gradient of all 10 weights', ... */
  what: string;
}

export interface TrainingRun {
  records: TrainingRecord[];
  diverged: Divergence | null;
}

/**
 * Trains a model by stochastic gradient descent with momentum, as PyTorch's SGD does:
 *
 *   v <- momentum * v + gradient        w <- w - learningRate * v
 *
 * Every step checks logits, loss and gradients *before* the update. At the first value that is not finite the training
 * stops: the model keeps its last finite weights, and the run says when, and what it was. Shows a progress line, and
 * ends with an `Interrupted` error when the user presses Stop.
 *
 * @param model  from images [n, ...] to logits; changed in place, stays the caller's
 * @returns the records and, if it diverged, where. An incomplete last record is kept.
 * @throws RangeError or Error naming the option, before the first step, for shapes that do not fit, labels other than
 *   0 and 1, no data, or numbers out of range
 * @see notebooks/03-mnist-classification.ipynb, where this loop is written out
 */
export async function train(model: tf.LayersModel, options: TrainingOptions): Promise<TrainingRun> {
  checkOptions(model, options);
  const { images, labels, loss, epochs, batchSize, learningRate, momentum, seed, noise = 0 } = options;
  const samples = images.shape[0];
  const stepsPerEpoch = Math.ceil(samples / batchSize);
  const { recordEvery = stepsPerEpoch, label = 'training' } = options;

  const random = seedrandom(String(seed));
  const order = Int32Array.from({ length: samples }, (_, i) => i);
  const recorder = new Recorder();
  const progress = new Progress(epochs * stepsPerEpoch, label);
  const trainer = new Trainer(model, loss, { learningRate, momentum });
  let diverged: Divergence | null = null;

  try {
    for (let epoch = 0, step = 1; epoch < epochs && diverged === null; epoch++) {
      shuffle(order, random);
      for (let start = 0; start < samples && diverged === null; start += batchSize, step++) {
        await breathe();
        const batch = tf.tidy(() => {
          const indices = tf.tensor1d(order.slice(start, start + batchSize), 'int32');
          const chosen = tf.gather(images, indices);
          const input = noise > 0 ? addUniformNoise(chosen, noise, random.int32()) : chosen;
          return { input, target: tf.gather(labels, indices) };
        });
        let result: StepResult;
        try {
          result = trainer.step(batch);
        } finally {
          tf.dispose(batch);
        }
        if (result.notFinite !== undefined) {
          diverged = { epoch, step, what: result.notFinite };
        } else {
          recorder.add(step, epoch, result);
          if (step % recordEvery === 0) recorder.close();
          progress.update(step, `epoch ${epoch}, loss ${result.loss.toPrecision(3)}`);
        }
      }
    }
  } catch (error) {
    progress.done(`${label}: stopped`);
    throw error;
  } finally {
    trainer.dispose();
  }
  recorder.close();
  progress.done(`${label}: ${summary(recorder.records, diverged)}`);
  return { records: recorder.records, diverged };
}

/** Fisher and Yates: every order is equally likely. */
function shuffle(order: Int32Array, random: () => number): void {
  for (let i = order.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [order[i], order[j]] = [order[j], order[i]];
  }
}

/** Gathers steps into records. */
class Recorder {
  readonly records: TrainingRecord[] = [];
  private readonly start = performance.now();
  private steps = 0;
  private samples = 0;
  private correct = 0;
  private lossSum = 0;
  private maxAbsLogit = 0;
  private last = { step: 0, epoch: 0 };

  add(step: number, epoch: number, result: StepResult): void {
    this.steps += 1;
    this.lossSum += result.loss;
    this.correct += result.correct;
    this.samples += result.count;
    this.maxAbsLogit = Math.max(this.maxAbsLogit, result.maxAbsLogit);
    this.last = { step, epoch };
  }

  /** Ends the current record; no step, no record. */
  close(): void {
    if (this.steps === 0) return;
    this.records.push({
      ...this.last,
      loss: this.lossSum / this.steps,
      accuracy: this.correct / this.samples,
      maxAbsLogit: this.maxAbsLogit,
      seconds: (performance.now() - this.start) / 1000,
    });
    this.steps = this.lossSum = this.correct = this.samples = this.maxAbsLogit = 0;
  }
}

function summary(records: TrainingRecord[], diverged: Divergence | null): string {
  if (diverged !== null)
    return `not finite in epoch ${diverged.epoch}, step ${diverged.step}: ${diverged.what}`;
  const { loss, accuracy } = records[records.length - 1];
  return `loss ${loss.toPrecision(3)}, accuracy ${(100 * accuracy).toFixed(2)} %`;
}

function checkOptions(model: tf.LayersModel, options: TrainingOptions): void {
  const {
    images,
    labels,
    epochs,
    batchSize,
    learningRate,
    momentum,
    seed,
    noise = 0,
    recordEvery = 1,
  } = options;
  const expect = (valid: boolean, name: string, value: unknown, expected: string) => {
    if (!valid) throw new RangeError(`train: ${name} is ${value}; expected ${expected}`);
  };
  const positiveInteger = (name: string, value: number) =>
    expect(Number.isInteger(value) && value >= 1, name, value, 'an integer >= 1');
  positiveInteger('epochs', epochs);
  positiveInteger('batchSize', batchSize);
  positiveInteger('recordEvery', recordEvery);
  expect(learningRate > 0 && learningRate < Infinity, 'learningRate', learningRate, 'a finite number > 0');
  expect(momentum >= 0 && momentum < 1, 'momentum', momentum, 'a number in [0, 1)');
  expect(noise >= 0 && noise < Infinity, 'noise', noise, 'a finite number >= 0');
  expect(Number.isInteger(seed), 'seed', seed, 'an integer');

  const shape = (axes: (number | null)[]) => `[${axes.map((n) => n ?? 'n').join(', ')}]`;
  const inputShape = model.inputs[0].shape;
  const fits =
    images.rank === inputShape.length &&
    inputShape.every((n, axis) => n === null || n === images.shape[axis]);
  expect(fits, 'the shape of images', shape(images.shape), `${shape(inputShape)}, the input of the model`);
  expect(images.dtype === 'float32', 'the dtype of images', images.dtype, 'float32');
  expect(images.shape[0] > 0, 'the number of images', images.shape[0], 'at least 1');
  expect(
    labels.dtype === 'float32',
    'the dtype of labels',
    labels.dtype,
    'float32 (binaryLabels makes them)',
  );
  const count = labels.shape[0];
  expect(
    labels.rank >= 1 && count === images.shape[0],
    'the number of labels',
    count,
    `${images.shape[0]}, one per image`,
  );
  const perSample = (axes: (number | null)[]) =>
    axes.slice(1).reduce<number>((product, n) => product * (n ?? 1), 1);
  const logits = perSample(model.outputs[0].shape);
  expect(
    perSample(labels.shape) === logits,
    'labels per image',
    perSample(labels.shape),
    `${logits}, as many as logits`,
  );
  const binary = tf.tidy(() => tf.all(tf.logicalOr(tf.equal(labels, 0), tf.equal(labels, 1))).dataSync()[0]);
  expect(binary === 1, 'a label', 'neither 0 nor 1', 'only 0 and 1');
}
