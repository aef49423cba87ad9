// What npm run cifar and npm run segmentation have in common: training runs at or near the paper's settings, one after
// another, each to its first NaN or to the last epoch, and a table of their epochs.
import { existsSync, mkdirSync } from 'node:fs';
import { LOSS_NAMES } from '../lib/dist/grid/lossNames.js';
import { longRunEpochs, readLongRuns } from '../lib/dist/results/longRuns.js';
import { readRun } from '../lib/dist/results/runFile.js';
import { firstDifference } from '../lib/dist/sweep/sweepError.js';
import {
  csvFile,
  distinct,
  Failure,
  positiveInteger,
  runCommand,
  UsageError,
  wholeNumber,
} from './command.mjs';

const HOW = `Writes FILE, a row per epoch, and keeps the other runs that it has. Ctrl-C or a crash loses at most an epoch: the same
command goes on, also with more epochs. A run that has ended is not repeated. So two commands with TF_NUM_INTRAOP_THREADS=1
and a FILE each share two cores, and one with all losses and seeds writes the table afterwards.`;

/**
 * @param experiment
 *   name, about: of the command;
 *   recipe: what `train` and `meanFocalLoss` take, the same for all runs;
 *   most: of images; epochs: by default;
 *   network: options of the network, with defaults, each a whole number >= 1; noisy: whether there is an option --noise;
 *   load: async (lab, count) => { images, labels };
 *   model: (lab, { seed, ...network }) => a network
 */
export async function runLong(experiment) {
  const { name, network = {}, noisy = false, load, model: make } = experiment;
  await runCommand(commandOf(experiment), async (values) => {
    const {
      losses,
      noises,
      seeds,
      epochs,
      images: count,
      learningRate,
      out,
      shape,
    } = checked(experiment, values);
    const lab = await import('../lib/dist/index.js'); // TensorFlow takes seconds, a refusal none
    const { deviceName, fatalSamples, meanFocalLoss, results, samplesOfStep, tf, train } = lab;
    const recipe = { ...experiment.recipe, learningRate };
    const settings = { ...recipe, images: count, ...shape, device: deviceName().name };
    const isAsked = ({ loss, noise, seed }) =>
      losses.includes(loss) && noises.includes(noise) && seeds.includes(seed);
    const kept = otherRuns(out, settings, isAsked);
    const cache = `data/cache/${name}`;
    mkdirSync(cache, { recursive: true });
    const data = await load(lab, count);
    const rows = [];
    const runs = losses.flatMap((loss) =>
      noises.flatMap((noise) => seeds.map((seed) => ({ loss, noise, seed }))),
    );
    for (const { loss, noise, seed } of runs) {
      const label = noisy ? `${loss}, noise ${noise}, seed ${seed}` : `${loss}, seed ${seed}`;
      const key = [count, ...Object.values(shape), loss, ...(noisy ? [noise] : []), seed];
      if (learningRate !== experiment.recipe.learningRate) key.push(`rate-${learningRate}`);
      const checkpoint = `${cache}/${key.join('-')}.safetensors`;
      const meanLoss = meanFocalLoss({ ...recipe, loss });
      const model = make(lab, { ...network, ...shape, seed });
      const options = { ...recipe, ...data, loss: meanLoss, noise, epochs, seed, label, checkpoint };
      const run = await train(model, options).catch((error) => {
        throw error.message.startsWith('train: checkpoint') ? new Failure(error.message) : error;
      });
      const found = run.diverged &&
        noise === 0 && {
          fatal: fatalSamples(model, data.images, data.labels, meanLoss),
          batch: samplesOfStep(run.diverged.step, { ...recipe, samples: count, seed }),
        };
      model.dispose();
      rows.push(...longRunEpochs(run, { loss, noise, seed, ...found }));
      results.writeRun(out, { settings, rows: [...kept, ...rows].sort(byRun) });
    }
    tf.dispose(data);
    console.log(`${runs.length} training runs in ${out}`);
  });
}

function commandOf({ name, about, recipe, most, epochs, network = {}, noisy = false }) {
  const ofNetwork = Object.entries(network).map(([option, value]) => [
    option,
    ['X', `of the network; default ${value}`],
  ]);
  return {
    name,
    about: `${about}\n${HOW}`,
    options: {
      loss: ['NAMES', `of ${LOSS_NAMES.join(', ')}; default original`],
      ...(noisy && { noise: ['NUMBERS', 'amplitudes of the noise on the images; default 0'] }),
      seed: ['NUMBERS', 'of the weights and the order of the images; default 1'],
      epochs: ['X', `default ${epochs}`],
      images: ['X', `the first of ${most.toLocaleString('en')}; default ${most}`],
      'learning-rate': ['X', `default ${recipe.learningRate}, the paper's`],
      ...Object.fromEntries(ofNetwork),
      out: ['FILE', `default data/cache/${name}/runs.csv`],
    },
  };
}

function checked(experiment, values) {
  const { name, most, network = {} } = experiment;
  const defaults = {
    loss: 'original',
    noise: '0',
    seed: '1',
    images: String(most),
    out: `data/cache/${name}/runs.csv`,
  };
  const given = { ...defaults, epochs: String(experiment.epochs), ...values };
  const losses = distinct('loss', given.loss, (item) => {
    if (LOSS_NAMES.includes(item)) return item;
    throw new UsageError(`--loss: '${item}'; expected some of ${LOSS_NAMES.join(', ')}`);
  });
  const noises = distinct('noise', given.noise, (item) => {
    if (item.trim() !== '' && Number(item) >= 0 && Number(item) < Infinity) return Number(item);
    throw new UsageError(`--noise: '${item}' is not a number >= 0`);
  });
  const images = positiveInteger('images', given.images);
  if (images > most) throw new UsageError(`--images: ${images}; there are ${most.toLocaleString('en')}`);
  const rate = given['learning-rate'] ?? experiment.recipe.learningRate;
  const learningRate = Number(rate);
  if (!(learningRate > 0 && learningRate < Infinity))
    throw new UsageError(`--learning-rate: '${rate}' is not a number > 0`);
  const shape = Object.entries(network).map(([option, value]) => [
    option,
    positiveInteger(option, given[option] ?? String(value)),
  ]);
  return {
    ...{ losses, noises, images, learningRate, shape: Object.fromEntries(shape) },
    seeds: distinct('seed', given.seed, (item) => wholeNumber('seed', item)),
    epochs: positiveInteger('epochs', given.epochs),
    out: csvFile('out', given.out),
  };
}

/** The rows of the file that are of other runs. */
function otherRuns(out, settings, isAsked) {
  if (!existsSync(out)) return [];
  const difference = firstDifference({ ...readRun(out).settings }, settings);
  if (difference !== undefined)
    throw new Failure(`${out} is of other settings: ${difference}; choose another name`);
  return readLongRuns(out).filter((row) => !isAsked(row));
}

function byRun(a, b) {
  const byLoss = LOSS_NAMES.indexOf(a.loss) - LOSS_NAMES.indexOf(b.loss);
  return byLoss || a.noise - b.noise || a.seed - b.seed || a.epoch - b.epoch;
}
