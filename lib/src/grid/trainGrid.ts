import seedrandom from 'seedrandom';
import { breathe, Progress } from '../display';
import { tf } from '../tf';
import { announceDevice } from '../training/announceDevice';
import { Sampler } from '../training/sampler';
import { GridBatches } from './batches';
import { GridCheckpoint } from './checkpoint';
import { fatalImages } from './fatalImages';
import { gatherRows } from './kernels';
import { LenetBatch, STEP_ROWS } from './lenetBatch';
import { checkOptions, type GridOptions } from './options';
import { initialParameters, perParameter } from './parameters';
import { isAlive, type GridRun, type GridState } from './run';

/**
 * Trains many LeNets on MNIST side by side, each with its own loss, gamma, alpha, epsilon and threshold, as `train` would
 * one after another:
 *
 *   v <- momentum * v + gradient        w <- w - learningRate * v
 *
 * All see the same batches with the same noise, in an order drawn afresh for every epoch. (The paper draws one for each
 * run.) The initial weights of a model are those of lenet({ seed }) with a seed of its own, made from `seed`, gamma and
 * threshold: so the losses start alike, and it does not matter which models are trained together.
 *
 * A model has diverged at the first step in which its loss, its logits or a derivative of its loss by a logit is not finite:
 * there its gradients are not finite either. It leaves the others at the end of that epoch; the steps after the first are
 * not recorded. Then the epoch of the NaN is trained once more, by this model alone, to find the images that ended it
 * (`fatal`). On a CPU with one thread (TF_NUM_INTRAOP_THREADS=1) neither that nor the choice of models changes a bit of the
 * others' numbers, if every batch is a multiple of 16 samples, as 64 and MNIST's last 32 are: TensorFlow computes the rest of
 * a row by other instructions. Otherwise, with more threads, or on a GPU, they may differ by rounding.
 *
 * With `checkpoint`, the state is written to that file after every epoch; if it is there already, the same call goes on, and
 * gives the same records (but for their seconds) as an undisturbed one. Shows a progress line, and ends with an
 * `Interrupted` error when the user presses Stop.
 *
 * @returns the runs, in the order of `models`; a record that a divergence cuts short is kept
 * @throws RangeError naming the option for shapes that do not fit or numbers out of range; Error for a checkpoint that is
 *   damaged, is of another training, or cannot be written
 * @see notebooks/appendix-many-models.ipynb; van Leeuwen et al. 2025, section 5
 */
export async function trainGrid(options: GridOptions): Promise<GridRun[]> {
  checkOptions(options);
  const { models, seed, orderSeed = seed, images, checkpoint: file } = options;
  const sampler = new Sampler(images.shape[0], orderSeed);
  const runs = models.map((model): GridRun => ({ ...model, records: [], diverged: null }));
  const weights = initialParameters(models.map((model) => initialSeed(seed, model)));
  const batch = new LenetBatch(models, { weights }, options);
  tf.dispose(weights);
  const state: GridState = { epochs: 0, steps: 0, seconds: 0, runs, batch, sampler };
  try {
    const checkpoint = file === undefined ? undefined : new GridCheckpoint(file, options);
    await checkpoint?.restore(state);
    await run(state, options, checkpoint);
    if (options.testImages !== undefined) addTestLogits(state, options.testImages, options.batchSize);
  } finally {
    state.batch.dispose();
  }
  return runs;
}

/** The seed of a model's initial weights; the losses share it. */
export function initialSeed(
  seed: number,
  { gamma, threshold }: { gamma: number; threshold: number },
): number {
  return seedrandom(`${seed} ${gamma} ${threshold}`).int32();
}

async function run(state: GridState, options: GridOptions, checkpoint?: GridCheckpoint): Promise<void> {
  const { images, epochs, batchSize, label = 'grid', afterEpoch } = options;
  const { runs } = state;
  const stepsPerEpoch = Math.ceil(images.shape[0] / batchSize);
  const progress = new Progress(epochs * stepsPerEpoch, label);
  const ended = () => state.epochs >= epochs || !runs.some(isAlive);
  const device = ended() ? '' : announceDevice((note) => progress.update(state.steps, note));
  const start = performance.now() - 1000 * state.seconds;
  try {
    while (!ended()) {
      const alive = runs.filter(isAlive);
      const atStart = state.batch.state();
      try {
        const steps = await trainEpoch(state, options, (step) =>
          progress.update(
            state.steps + step,
            `epoch ${state.epochs}, ${alive.length} of ${runs.length} models`,
          ),
        );
        state.seconds = (performance.now() - start) / 1000;
        alive.forEach((each, i) => record(each, column(steps, i), state, options));
        await addFatalImages(state, { alive, atStart }, options);
      } finally {
        tf.dispose({ ...atStart });
      }
      state.steps += stepsPerEpoch;
      state.epochs++;
      dropDiverged(state, alive, options);
      await checkpoint?.save(state);
      const savedEpochs = checkpoint?.epoch;
      await afterEpoch?.({ epochs: state.epochs, savedEpochs, alive: runs.filter(isAlive).length, runs });
    }
  } catch (error) {
    const next = checkpoint && `, to be resumed at epoch ${checkpoint.epoch} from ${checkpoint.file}`;
    progress.done(`${label}: stopped in epoch ${state.epochs}${next ?? ''}`);
    throw error;
  }
  const dead = runs.filter((each) => !isAlive(each)).length;
  progress.done(
    `${label}: ${dead} of ${runs.length} models not finite within ${epochs} ${epochs === 1 ? 'epoch' : 'epochs'}${device}`,
  );
}

/** What the steps of an epoch found: [steps, rows, models] */
interface StepTable {
  values: Float32Array;
  shape: [steps: number, rows: number, models: number];
}

async function trainEpoch(
  { batch, sampler, runs, steps }: GridState,
  options: GridOptions,
  afterStep: (step: number) => void,
): Promise<StepTable> {
  const { batchSize } = options;
  const samples = options.images.shape[0];
  const alive = runs.filter(isAlive);
  const batches = new GridBatches(alive, options, sampler);
  const found: tf.Tensor[] = []; // read once an epoch: a GPU need not wait for the host
  try {
    sampler.shuffle();
    for (let start = 0; start < samples; start += batchSize) {
      await breathe();
      const indices = sampler.order.subarray(start, start + batchSize);
      const step = steps + found.length + 1;
      const ofBatch = tf.tidy(() => {
        const { images, labels } = batches.of(indices, step);
        return batch.step(images, labels);
      });
      found.push(ofBatch);
      afterStep(found.length);
    }
    const values = tf.tidy(() => tf.stack(found).dataSync<'float32'>());
    return { values, shape: [found.length, STEP_ROWS.length, alive.length] };
  } finally {
    batches.dispose();
    tf.dispose(found);
  }
}

/** Those of the trained models that have not diverged. */
function addTestLogits({ runs, batch }: GridState, images: tf.Tensor4D, batchSize: number): void {
  const alive = runs.filter(isAlive);
  if (alive.length === 0) return;
  const samples = images.shape[0];
  const columns = Array.from({ length: Math.ceil(samples / batchSize) }, (_, i) => {
    const [first, count] = [i * batchSize, Math.min(batchSize, samples - i * batchSize)];
    return tf.tidy(() => {
      const pixels = tf.reshape(images.slice(first, count), [count, 784]);
      return batch.logits(tf.transpose(pixels));
    });
  });
  tf.tidy(() =>
    tf.unstack(tf.concat(columns, 1)).forEach((logits, i) => {
      alive[i].testLogits = logits.dataSync<'float32'>();
    }),
  );
  tf.dispose(columns);
}

type Step = Record<(typeof STEP_ROWS)[number], number>;

/** The steps of one model. */
function column({ values, shape: [steps, rows, models] }: StepTable, model: number): Step[] {
  const at = (step: number, row: number) => values[(step * rows + row) * models + model];
  return Array.from({ length: steps }, (_, step) => {
    const found = Object.fromEntries(STEP_ROWS.map((name, row) => [name, at(step, row)])) as Step;
    // A GPU's maximum may pass over a NaN; a sum does not.
    return Number.isNaN(found.sumAbsLogit) ? { ...found, maxAbsLogit: NaN } : found;
  });
}

/** Adds an epoch to a run: a record of the steps before the first that is not finite, and that step. */
function record(
  run: GridRun,
  steps: Step[],
  { epochs: epoch, steps: stepsBefore, seconds }: GridState,
  { images, batchSize }: GridOptions,
): void {
  const broken = steps.findIndex((step) => !Object.values(step).every(Number.isFinite));
  const healthy = broken < 0 ? steps : steps.slice(0, broken);
  if (broken >= 0) {
    const { maxAbsLogit } = steps[broken];
    run.diverged = { epoch, step: stepsBefore + broken + 1, what: notFinite(steps[broken]), maxAbsLogit };
  }
  if (healthy.length === 0) return;
  const sum = (f: (step: Step) => number) => healthy.reduce((total, step) => total + f(step), 0);
  run.records.push({
    step: stepsBefore + healthy.length,
    epoch,
    loss: sum(({ loss }) => loss) / healthy.length,
    accuracy: sum(({ correct }) => correct) / Math.min(images.shape[0], healthy.length * batchSize),
    maxAbsLogit: healthy.reduce((max, { maxAbsLogit }) => Math.max(max, maxAbsLogit), 0),
    seconds,
  });
}

/** In the words of `train`. */
function notFinite({ loss, maxAbsLogit }: Step): string {
  if (!Number.isFinite(maxAbsLogit)) return 'logits';
  return Number.isFinite(loss) ? 'gradient by the logits' : 'loss';
}

/** Finds out which images ended those that have diverged in this epoch, whose weights it started with. */
async function addFatalImages(
  { steps, sampler }: GridState,
  { alive, atStart }: { alive: GridRun[]; atStart: ReturnType<LenetBatch['state']> },
  options: GridOptions,
): Promise<void> {
  for (const [i, run] of alive.entries()) {
    if (isAlive(run)) continue;
    const start = rowsOf(atStart, [i]);
    try {
      run.fatal = await fatalImages(run, { ...start, steps, sampler }, options);
    } finally {
      tf.dispose({ ...start });
    }
  }
}

/** Weights and velocities of some of the models. The caller disposes them. */
function rowsOf({ weights, velocities }: ReturnType<LenetBatch['state']>, models: number[]) {
  return tf.tidy(() => {
    const chosen = tf.tensor1d(models, 'int32');
    return {
      weights: perParameter((name) => gatherRows(weights[name], chosen)),
      velocities: perParameter((name) => gatherRows(velocities[name], chosen)),
    };
  });
}

/** Continues with those of the models before that are still alive. */
function dropDiverged(state: GridState, before: GridRun[], options: GridOptions): void {
  const survivors = before.filter(isAlive);
  if (survivors.length === before.length || survivors.length === 0) return;
  const rows = survivors.map((run) => before.indexOf(run));
  const chosen = tf.tidy(() => rowsOf(state.batch.state(), rows));
  state.batch.dispose();
  state.batch = new LenetBatch(survivors, chosen, options);
  tf.dispose(chosen);
}
