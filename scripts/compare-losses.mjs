// npm run compare: exact against stabilized focal loss on MNIST, several seeds, for notebook 8. --help tells the rest.
import { mkdirSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { writeLossComparison } from '../lib/dist/results/lossComparison.js';
import { runComparison } from '../lib/dist/sweep/runComparison.js';
import { SweepError } from '../lib/dist/sweep/sweepError.js';
import {
  csvFile,
  distinct,
  Failure,
  positiveInteger,
  positiveNumber,
  runCommand,
  wholeNumber,
} from './command.mjs';

const CACHE = 'data/cache/compare-losses';
const RECIPE = { noise: 0, alpha: 0.5, momentum: 0.9 };
const DEFAULTS = {
  epochs: '30',
  seeds: '1,2,3,4,5',
  images: '60000',
  'learning-rate': '0.001',
  'batch-size': '64',
  threshold: '4',
  workers: String(availableParallelism()),
  out: 'data/cache/compare-losses.csv', // not the file of notebook 8, which has other settings
};
const ABOUT = `
Trains LeNet on MNIST with the exact focal loss and the stabilized one at gamma 0.1, 0.5, 0.9 and 2, and at gamma 0.01 and
0.05 with the original loss and three epsilons too: 18 training runs for each seed, side by side in one process of one thread.
Writes FILE (a row per run, with its numbers on the 10,000 test images) and next to it FILE with .margins.csv. Ctrl-C or
a crash loses at most an epoch of each process: the same command goes on, also with more epochs.`;

const options = Object.entries(DEFAULTS).map(([name, value]) => [name, ['X', `default ${value}`]]);
const command = { name: 'compare', about: ABOUT, options: Object.fromEntries(options) };
await runCommand(command, async (values) => {
  try {
    await main(checked(values));
  } catch (error) {
    throw error instanceof SweepError ? new Failure(error.message) : error;
  }
});

async function main({ seeds, workers, out, ...given }) {
  const settings = { ...given, ...RECIPE };
  mkdirSync(CACHE, { recursive: true });
  const compared = await runComparison(settings, {
    ...{ seeds, workers, checkpoints: CACHE },
    afterEpoch: (seed, { epochs, alive, models }) =>
      console.log(`seed ${seed}: ${epochs} of ${settings.epochs} epochs, ${alive} of ${models} alive`),
  });
  const runs = compared.seeds.flatMap((seed) => seed.runs);
  const seconds = compared.seeds.reduce((sum, seed) => sum + seed.seconds, 0);
  writeLossComparison(out, {
    settings: {
      ...{ ...settings, seeds, device: compared.device.name, secondsOfSeeds: Math.round(seconds) },
      date: new Date().toISOString().slice(0, 10),
    },
    versions: compared.versions,
    runs,
    margins: compared.seeds.flatMap((seed) => seed.margins),
  });
  console.log(`${runs.length} training runs in ${out}`);
}

function checked(values) {
  const text = (name) => values[name] ?? DEFAULTS[name];
  const positive = (name) => positiveInteger(name, text(name));
  const out = csvFile('out', text('out'));
  const learningRate = positiveNumber('learning-rate', text('learning-rate'));
  const seeds = distinct('seeds', text('seeds'), (item) => wholeNumber('seeds', item));
  const threshold = wholeNumber('threshold', text('threshold'));
  return {
    ...{ out, seeds, learningRate, workers: positive('workers'), epochs: positive('epochs') },
    ...{ images: positive('images'), batchSize: positive('batch-size'), threshold },
  };
}
