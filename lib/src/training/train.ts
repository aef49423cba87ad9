import { addUniformNoise } from '../datasets';
import { breathe, notice, Progress } from '../display';
import { tf } from '../tf';
import { announceDevice } from './announceDevice';
import { checkSchedule, expecting } from './check';
import { Checkpoint, START, type Parts, type Position } from './checkpoint';
import { fingerprint } from './fingerprint';
import { Recorder } from './records';
import type { TrainingRun } from './run';
import { Sampler } from './sampler';
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
  /** What to make of each batch of images, with a seed of its own: a random crop, say. Comes before the noise. */
  augment?: (images: tf.Tensor4D, seed: number) => tf.Tensor4D;
  /** Steps per record; default one epoch. */
  recordEvery?: number;
  /** Name on the progress line. */
  label?: string;
  /** Called after every whole epoch with its number, to look at the model as it is then. */
  afterEpoch?: (epoch: number) => void | Promise<void>;
  /** A file for the state after every epoch, from which the same call goes on; made if there is none. */
  checkpoint?: string;
  /** Runs every step operation by operation, slower, with the same numbers: for debugging. Default: FOCAL_EAGER=1 does. */
  eager?: boolean;
}

const lastRuns = new WeakMap<tf.LayersModel, TrainingRun>();

/**
 * What `train` has recorded of a model, of its last call: also after Stop or an error, when there is nothing that it
 * could have returned. While a training goes on it is what there is so far.
 *
 * @throws Error if `train` was not called with this model, or failed before its first step
 */
export function lastRun(model: tf.LayersModel): TrainingRun {
  const run = lastRuns.get(model);
  if (run === undefined) throw new Error('lastRun: no training of this model has begun in this process');
  return run;
}

/**
 * Trains a model by stochastic gradient descent with momentum, as PyTorch's SGD does:
 *
 *   v <- momentum * v + gradient        w <- w - learningRate * v
 *
 * Every step checks logits, loss and gradients *before* the update. At the first value that is not finite the training
 * stops: the model keeps its last finite weights, and the run says when, and what it was. Shows a progress line, and
 * ends with an `Interrupted` error when the user presses Stop; `lastRun(model)` then has the records so far.
 *
 * From the third step on a step is one function of TensorFlow (`compile`): model and loss are called no more, so they must be
 * pure functions of their tensors. Where they are not (dropout, a loss that reads values), a notice says why, and the steps run
 * operation by operation, as with `eager`.
 *
 * With `checkpoint`, all that is needed to go on is written to that file before the first step and after every epoch.
 * If the file is there already, the run in it goes on: after a crash or Stop the same call loses at most the epoch it was
 * in, and gives the weights and records (but for their seconds) of an undisturbed run. A run that had ended is
 * returned at once, and a larger `epochs` continues it. To start over, delete the file or give another name.
 *
 * The file must be of the same settings, data, model and version of this library. Compared are the shapes and 64 samples
 * of the data, the layers of the model, and the loss at some logits; not compared are the initial weights, which
 * are replaced, the other samples, the loss elsewhere, and what `augment` does. Layers that draw random numbers (dropout) do not go on as if
 * undisturbed. If the file can no longer be written, the disk being full, training goes on with a notice.
 *
 * @param model  from images [n, ...] to logits; changed in place, stays the caller's
 * @returns the records and, if it diverged, where. An incomplete last record is kept.
 * @throws RangeError or Error naming the option, before the first step, for shapes that do not fit, labels other than
 *   0 and 1, no data, numbers out of range, or a checkpoint that is damaged, is of another run (naming the first
 *   difference), or cannot be written
 * @see notebooks/03-mnist-classification.ipynb, where this loop is written out
 */
export async function train(model: tf.LayersModel, options: TrainingOptions): Promise<TrainingRun> {
  checkOptions(model, options);
  const {
    images,
    labels,
    loss,
    learningRate,
    momentum,
    seed,
    label = 'training',
    checkpoint: file,
  } = options;
  const { batchSize, noise = 0, recordEvery = stepsPerEpoch(options) } = options;

  const onEager = (reason: string) => notice(`${label}: the steps are not compiled, and slower: ${reason}`);
  const trainer = new Trainer(model, loss, { learningRate, momentum, onEager, eager: options.eager });
  const parts: Parts = { trainer, sampler: new Sampler(images.shape[0], seed), recorder: new Recorder() };
  try {
    if (file === undefined) return await run(model, parts, options, START);
    const settings = { seed, learningRate, momentum, batchSize, noise, recordEvery };
    const identity = fingerprint(model, { images, labels, loss }, settings);
    const checkpoint = new Checkpoint(file, identity, parts);
    const position = await checkpoint.restore(options.epochs);
    if (position === undefined) await checkpoint.save(START); // a file that cannot be written is found out now
    return await run(model, parts, options, position ?? START, checkpoint);
  } finally {
    trainer.dispose();
  }
}

const stepsPerEpoch = ({ images, batchSize }: TrainingOptions) => Math.ceil(images.shape[0] / batchSize);

/** Trains from a position to the end, saving after every epoch. */
async function run(
  model: tf.LayersModel,
  { trainer, sampler, recorder }: Parts,
  options: TrainingOptions,
  from: Position,
  checkpoint?: Checkpoint,
): Promise<TrainingRun> {
  const { images, labels, epochs, batchSize, noise = 0, augment, label = 'training', afterEpoch } = options;
  const { recordEvery = stepsPerEpoch(options) } = options;
  const samples = images.shape[0];
  const progress = new Progress(epochs * stepsPerEpoch(options), label);
  const result: TrainingRun = { records: recorder.records, diverged: from.diverged };
  const ended = () => result.diverged !== null || epoch === epochs;
  let { epoch, step } = from;
  lastRuns.set(model, result);
  let origin = '';
  if (from !== START) {
    origin = ended()
      ? `, read from ${checkpoint?.file}`
      : `, resumed at epoch ${epoch} from ${checkpoint?.file}`;
    progress.update(step, origin.slice(2));
  }
  const device = ended() ? '' : announceDevice((note) => progress.update(step, note));

  try {
    while (!ended()) {
      sampler.shuffle();
      for (let start = 0; start < samples && result.diverged === null; start += batchSize) {
        await breathe();
        step++;
        const batch = tf.tidy(() => {
          const indices = tf.tensor1d(sampler.order.slice(start, start + batchSize), 'int32');
          const chosen = tf.gather(images, indices);
          const augmented = augment ? augment(chosen, sampler.batchSeed('augmentation', step)) : chosen;
          const input =
            noise > 0 ? addUniformNoise(augmented, noise, sampler.batchSeed('noise', step)) : augmented;
          return { input, target: tf.gather(labels, indices) };
        });
        let stepped: StepResult;
        try {
          stepped = trainer.step(batch);
        } finally {
          tf.dispose(batch);
        }
        if (stepped.notFinite !== undefined) {
          const { notFinite: what, maxAbsLogit } = stepped;
          result.diverged = { epoch, step, what, maxAbsLogit };
        } else {
          recorder.add(step, epoch, stepped);
          if (step % recordEvery === 0) recorder.close();
          progress.update(step, `epoch ${epoch}, loss ${stepped.loss.toPrecision(3)}${origin}`);
        }
      }
      if (result.diverged === null) {
        await afterEpoch?.(epoch);
        epoch++;
      }
      await checkpoint?.save({ epoch, step, diverged: result.diverged });
    }
  } catch (error) {
    const next = checkpoint && `, to be resumed at epoch ${checkpoint.epoch} from ${checkpoint.file}`;
    recorder.close();
    progress.done(`${label}: stopped after step ${step}${next ?? ''}; lastRun(model) has its records`);
    throw error;
  }
  recorder.close();
  progress.done(`${label}: ${summary(result)}${device}${origin}`);
  return result;
}

function summary({ records, diverged }: TrainingRun): string {
  if (diverged !== null)
    return `not finite in epoch ${diverged.epoch}, step ${diverged.step}: ${diverged.what}`;
  const { loss, accuracy } = records[records.length - 1];
  return `loss ${loss.toPrecision(3)}, accuracy ${(100 * accuracy).toFixed(2)} %`;
}

function checkOptions(model: tf.LayersModel, options: TrainingOptions): void {
  const { images, labels, seed, augment, recordEvery = 1 } = options;
  const expect = expecting('train');
  checkSchedule(expect, options);
  expect(Number.isInteger(recordEvery) && recordEvery >= 1, 'recordEvery', recordEvery, 'an integer >= 1');

  const shape = (axes: (number | null)[]) => `[${axes.map((n) => n ?? 'n').join(', ')}]`;
  const inputShape = model.inputs[0].shape;
  expect(images.dtype === 'float32', 'the dtype of images', images.dtype, 'float32');
  expect(images.shape[0] > 0, 'the number of images', images.shape[0], 'at least 1');
  const found = augment ? tf.tidy(() => augment(images.slice(0, 1), seed).shape) : images.shape;
  const fits = found.length === inputShape.length && inputShape.every((n, i) => n === null || n === found[i]);
  const name = augment ? 'the shape of augmented images' : 'the shape of images';
  expect(fits, name, shape(found), `${shape(inputShape)}, the input of the model`);
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
