// npm run sweep: the command line of runSweep (lib/src/sweep), for whole grids of training runs. --help tells the rest.
// One by one, not from the library's index, which loads TensorFlow: that is the workers' business.
import { Interrupted as Stopped } from '../lib/dist/display/breathe.js';
import { LOSS_NAMES } from '../lib/dist/grid/lossNames.js';
import { joinSweeps } from '../lib/dist/sweep/joinSweeps.js';
import { countShards, runShard, runSweep } from '../lib/dist/sweep/runSweep.js';
import { PAPER_SWEEP } from '../lib/dist/sweep/settings.js';
import { SweepError } from '../lib/dist/sweep/sweepError.js';
import { described, Failure, numberOf, runCommand, UsageError, wholeNumber } from './command.mjs';
import { Interrupted } from './setup/failure.mjs';

const DEFAULT_OUT = 'data/results/mnist-sweep.csv';

/** Options that are settings of the sweep: their names there, and what is said of them. */
const SETTINGS = {
  loss: { name: 'losses', list: String, help: LOSS_NAMES.join(', ') },
  noise: { name: 'noises', list: Number, help: 'amplitudes of the noise' },
  gamma: { name: 'gammas', list: Number, help: '' },
  threshold: { name: 'thresholds', list: Number, help: 'digits up to it are class 1' },
  seed: { name: 'seeds', list: Number, help: 'of weights, order and noise' },
  'order-seed': { name: 'orderSeed', help: 'of order and noise, for all; default the seed of each run' },
  images: { name: 'images', help: 'the first so many of the training images' },
  alpha: { name: 'alpha', help: '' },
  epsilon: { name: 'epsilon', help: 'of the stabilized loss' },
  epochs: { name: 'epochs', help: '' },
  'batch-size': { name: 'batchSize', help: '' },
  'learning-rate': { name: 'learningRate', help: '' },
  momentum: { name: 'momentum', help: '' },
};

const OTHERS = {
  out: ['FILE', `the result, a name that ends with .csv (default ${DEFAULT_OUT})`],
  workers: [
    'N',
    'processes (default: one per core, on a GPU one); 0 only collects the shards that are there',
  ],
  'models-per-shard': ['N', 'trained side by side (default 9, on a GPU all of a noise level)'],
  shard: ['K', 'trains only shard K, counted from 0, and leaves it in FILE.parts: a job on a cluster'],
  shards: ['', 'says how many shards there are'],
  join: ['FILES', 'puts these results, separated by commas, into one, that of --out'],
};

const ABOUT = `
Trains LeNet on MNIST for every combination of the settings, many models at a time, and writes FILE (a row per run)
and next to it FILE with .epochs.csv (a row per epoch). Ctrl-C or a crash loses at most an epoch: the same command goes on.
The settings are by default the paper's. A LIST is 0.1,0.2 or 0..8.`;

const stop = new AbortController();
let stopSignal;
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'])
  process.on(signal, () => {
    stopSignal ??= signal;
    stop.abort(new Stopped());
  });

await runCommand(
  { name: 'sweep', about: ABOUT, options: { ...settingOptions(), ...OTHERS } },
  async (options) => {
    try {
      await main(options);
    } catch (error) {
      throw explained(error);
    }
  },
);

async function main(options) {
  if (options.join !== undefined) return join(options);
  const settings = settingsOf(options);
  const { out = DEFAULT_OUT } = options;
  const [modelsPerShard, workers, shard] = ['models-per-shard', 'workers', 'shard'].map((option) =>
    options[option] === undefined ? undefined : wholeNumber(option, options[option]),
  );
  if (options.shards) return console.log(countShards(settings, { out, modelsPerShard }));
  if (shard !== undefined && workers !== undefined)
    throw new UsageError('--shard trains in this process alone: it takes no --workers');
  const { signal } = stop;
  if (shard !== undefined) return runShard(settings, shard, { out, modelsPerShard, signal });
  const runs = await runSweep(settings, { out, workers, modelsPerShard, signal });
  console.log(`${runs.length} runs in ${out}`);
}

function join({ out, join: files, ...others }) {
  const [option] = Object.keys(others);
  if (option !== undefined) throw new UsageError(`--join takes only files and --out, not --${option}`);
  if (out === undefined) throw new UsageError('--join: --out is missing; expected the name of the result');
  console.log(`${joinSweeps(files.split(','), out).length} runs in ${out}`);
}

function settingsOf(options) {
  const given = Object.entries(SETTINGS)
    .filter(([option]) => options[option] !== undefined)
    .map(([option, { name, list }]) => [
      name,
      list ? items(option, options[option], list) : numberOf(option, options[option]),
    ]);
  return { ...PAPER_SWEEP, ...Object.fromEntries(given) };
}

/** '0.1,0.2', '0..8', or both: '0,2..4'. Sorted, so that the same runs in another order are the same sweep. */
function items(option, text, type) {
  if (type === String) return inOrder(text.split(',').map((item) => item.trim()));
  const numbers = text.split(',').flatMap((item) => {
    const range = /^\s*(\d+)\.\.(\d+)\s*$/.exec(item);
    if (range === null) return [numberOf(option, item)];
    const [low, high] = [Number(range[1]), Number(range[2])];
    if (high < low || high - low > 1000)
      throw new UsageError(
        `--${option}: '${item}' is no range: expected LOW..HIGH with at most 1000 numbers`,
      );
    return Array.from({ length: high - low + 1 }, (_, i) => low + i);
  });
  return numbers.sort((a, b) => a - b);
}

/** As the help lists them; names that it does not list come first, and are refused later. */
function inOrder(losses) {
  return losses.sort((a, b) => LOSS_NAMES.indexOf(a) - LOSS_NAMES.indexOf(b));
}

/** In the words of the command line. */
function explained(error) {
  if (error instanceof Stopped) return new Interrupted(stopSignal, 'stopped; the same command goes on');
  if (error instanceof SweepError) return new Failure(error.message);
  if (error instanceof RangeError && /^(runSweep|runShard|joinSweeps): /.test(error.message))
    return new UsageError(inOptions(error.message));
  return error;
}

/** 'runSweep: batchSize: 0; expected ...' in the words of the command line: '--batch-size: 0; expected ...' */
function inOptions(message) {
  const names = new Map(Object.entries(SETTINGS).map(([option, { name }]) => [name, option]));
  names
    .set('index', 'shard')
    .set('modelsPerShard', 'models-per-shard')
    .set('workers', 'workers')
    .set('out', 'out');
  return message
    .replace(/^\w+: /, '')
    .replace(/^\w+/, (name) => (names.has(name) ? `--${names.get(name)}` : name));
}

function settingOptions() {
  const options = Object.entries(SETTINGS).map(([option, { name, list, help }]) => [
    option,
    [list ? 'LIST' : 'X', described(help, [PAPER_SWEEP[name]].flat().join(','))],
  ]);
  return Object.fromEntries(options);
}
