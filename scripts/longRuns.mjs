// What npm run cifar and npm run segmentation have in common: training runs at or near the paper's settings, one after
// another, each to its first NaN or to the last epoch, and a table of their epochs.
import { existsSync, mkdirSync } from 'node:fs';
import { LOSS_NAMES } from '../lib/dist/grid/lossNames.js';
import { longRunEpochs, readLongRuns } from '../lib/dist/results/longRuns.js';
import { readRun } from '../lib/dist/results/runFile.js';
import { firstDifference } from '../lib/dist/sweep/sweepError.js';
import {
  csvFile,
  described,
  distinct,
  Failure,
  numberOf,
  positiveInteger,
  positiveNumber,
  runCommand,
  UsageError,
  wholeNumber,
} from './command.mjs';

/**
 * Runs the command of an experiment.
 *
 * @param experiment
 *   name, about: of the command;
 *   recipe: what `train` and `meanFocalLoss` take, the same for all runs;
 *   most: of images; epochs: by default;
 *   network: options of the network, with defaults, each a whole number >= 1;
 *   noisy: whether there is an option --noise;
 *   namesImages: whether the image that ended a run is looked for: not where batch norm answers otherwise in a training step;
 *   load: async (lab, count) => { images, labels };
 *   model: (lab, { seed, ...network }) => a network
 */
export async function runLong(experiment) {
  const { name, noisy = false, namesImages = false, load, model: make } = experiment;
  await runCommand(commandOf(experiment), async (values) => {
    const { runs, epochs, count, learningRate, out, shape } = checked(experiment, values);
    const lab = await import('../lib/dist/index.js'); // TensorFlow takes seconds, a refusal none
    const { deviceName, fatalSamples, meanFocalLoss, results, samplesOfStep, tf, train } = lab;
    const recipe = { ...experiment.recipe, learningRate };
    const settings = { ...recipe, images: count, ...shape, device: deviceName().name };
    const made = { settings, versions: lab.versions() };
    rowsIn(out, made); // refused now rather than after hours
    const cache = `data/cache/${name}`;
    mkdirSync(cache, { recursive: true });
    const data = await load(lab, count);
    for (const { loss, noise, seed } of runs) {
      const label = noisy ? `${loss}, noise ${noise}, seed ${seed}` : `${loss}, seed ${seed}`;
      const key = [count, ...Object.values(shape), loss, ...(noisy ? [noise] : []), seed];
      if (learningRate !== experiment.recipe.learningRate) key.push(`rate-${learningRate}`);
      const checkpoint = `${cache}/${key.join('-')}.safetensors`;
      const meanLoss = meanFocalLoss({ ...recipe, loss });
      const model = make(lab, { ...shape, seed });
      const options = { ...recipe, ...data, loss: meanLoss, noise, epochs, seed, label, checkpoint };
      const run = await train(model, options).catch((error) => {
        throw error.message.startsWith('train: checkpoint') ? new Failure(error.message) : error;
      });
      const found = run.diverged &&
        namesImages && {
          fatal: fatalSamples(model, data.images, data.labels, meanLoss),
          batch: samplesOfStep(run.diverged.step, { ...recipe, samples: count, seed }),
        };
      model.dispose();
      const isOther = (row) => row.loss !== loss || row.noise !== noise || row.seed !== seed;
      const others = rowsIn(out, made).filter(isOther); // read again: another command may have added to them
      const rows = [...others, ...longRunEpochs(run, { loss, noise, seed, ...found })];
      results.writeRun(out, { settings, rows: rows.sort(byRun) });
    }
    tf.dispose(data);
    console.log(`${runs.length} training runs in ${out}`);
  });
}

function commandOf(experiment) {
  const { name, about, most, network = {}, noisy = false } = experiment;
  const byDefault = defaultsOf(experiment);
  const help = {
    loss: ['NAMES', `of ${LOSS_NAMES.join(', ')}`],
    ...(noisy && { noise: ['NUMBERS', 'amplitudes of the noise on the images'] }),
    seed: ['NUMBERS', 'of the weights and the order of the images'],
    epochs: ['X', ''],
    images: ['X', `the first of ${most.toLocaleString('en')}`],
    'learning-rate': ['X', ''],
    ...Object.fromEntries(Object.keys(network).map((option) => [option, ['X', 'of the network']])),
    out: ['FILE', 'the table'],
  };
  return {
    name,
    about: `${about}
Adds a run to FILE, a row per epoch, when it has ended or has reached the last epoch. Ctrl-C or a crash loses at most an
epoch: the same command goes on, also with more epochs, from the checkpoints in data/cache/${name}. A run that has ended
there is not repeated. So two commands with TF_NUM_INTRAOP_THREADS=1 share two cores, and may share FILE.`,
    options: Object.fromEntries(
      Object.entries(help).map(([option, [what, text]]) => [
        option,
        [what, described(text, byDefault[option])],
      ]),
    ),
  };
}

function defaultsOf({ name, recipe, most, epochs, network = {} }) {
  return {
    ...{ loss: 'original', noise: '0', seed: '1', epochs: String(epochs), images: String(most) },
    'learning-rate': String(recipe.learningRate),
    ...Object.fromEntries(Object.entries(network).map(([option, value]) => [option, String(value)])),
    out: `data/cache/${name}/runs.csv`,
  };
}

function checked(experiment, values) {
  const { most, network = {} } = experiment;
  const given = { ...defaultsOf(experiment), ...values };
  const losses = distinct('loss', given.loss, (item) => {
    if (LOSS_NAMES.includes(item)) return item;
    throw new UsageError(`--loss: '${item}'; expected some of ${LOSS_NAMES.join(', ')}`);
  });
  const noises = distinct('noise', given.noise, (item) => {
    const noise = numberOf('noise', item);
    if (noise >= 0) return noise;
    throw new UsageError(`--noise: ${item}; expected a number >= 0`);
  });
  const seeds = distinct('seed', given.seed, (item) => wholeNumber('seed', item));
  const count = positiveInteger('images', given.images);
  if (count > most) throw new UsageError(`--images: ${count}; there are ${most.toLocaleString('en')}`);
  const shape = Object.keys(network).map((option) => [option, positiveInteger(option, given[option])]);
  return {
    runs: losses.flatMap((loss) => noises.flatMap((noise) => seeds.map((seed) => ({ loss, noise, seed })))),
    epochs: positiveInteger('epochs', given.epochs),
    learningRate: positiveNumber('learning-rate', given['learning-rate']),
    ...{ count, shape: Object.fromEntries(shape) },
    out: csvFile('out', given.out),
  };
}

/** The rows of the table, none if there is no table yet; refused if it was not made with these settings and versions. */
function rowsIn(out, { settings, versions }) {
  if (!existsSync(out)) return [];
  const found = readRun(out);
  const difference =
    firstDifference({ ...found.settings }, settings) ?? firstDifference(found.versions, versions);
  if (difference !== undefined)
    throw new Failure(`${out} was made otherwise: ${difference}; choose another name`);
  return readLongRuns(out);
}

function byRun(a, b) {
  const byLoss = LOSS_NAMES.indexOf(a.loss) - LOSS_NAMES.indexOf(b.loss);
  return byLoss || a.noise - b.noise || a.seed - b.seed || a.epoch - b.epoch;
}
