// npm run compare: exact against stabilized focal loss on MNIST, several seeds, for notebook 8. --help tells the rest.
import { fork } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { WORKER_ENVIRONMENT } from '../lib/dist/sweep/workerProcess.js';
import { writeLossComparison } from '../lib/dist/results/lossComparison.js';
import { Failure, runCommand, UsageError } from './command.mjs';

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
0.05 with the original loss and three epsilons too: 18 trainings for each seed, side by side in one process of one thread.
Writes FILE (a row per training, with its numbers on the 10,000 test images) and next to it FILE with .margins.csv. Ctrl-C or
a crash loses at most an epoch of each process: the same command goes on, also with more epochs.`;

if (process.send === undefined) {
  const options = Object.entries(DEFAULTS).map(([name, value]) => [name, ['X', `default ${value}`]]);
  const command = { name: 'compare', about: ABOUT, options: Object.fromEntries(options) };
  await runCommand(command, (values) => main(checked(values)));
} else
  try {
    await work(JSON.parse(process.argv[2]));
  } catch (error) {
    console.error(error.message);
    process.exitCode = 1;
  } finally {
    if (process.connected) process.disconnect(); // or it would wait for messages
  }

async function main({ seeds, workers, out, ...settings }) {
  mkdirSync(CACHE, { recursive: true });
  const queue = [...seeds];
  const found = new Map();
  const children = new Set();
  const next = async () => {
    for (let seed = queue.shift(); seed !== undefined; seed = queue.shift())
      found.set(seed, await inProcess({ ...settings, seed }, children));
  };
  try {
    await Promise.all(Array.from({ length: Math.min(workers, seeds.length) }, next));
  } finally {
    for (const child of children) child.kill();
  }
  const inOrder = seeds.map((seed) => found.get(seed));
  const { versions, device } = inOrder[0];
  const seconds = inOrder.reduce((sum, each) => sum + each.seconds, 0);
  writeLossComparison(out, {
    settings: {
      ...{ ...settings, ...RECIPE, seeds, device, secondsOfSeeds: Math.round(seconds) },
      date: new Date().toISOString().slice(0, 10),
    },
    versions,
    runs: inOrder.flatMap(({ runs }) => runs),
    margins: inOrder.flatMap(({ margins }) => margins),
  });
  console.log(`${inOrder.flatMap(({ runs }) => runs).length} trainings in ${out}`);
}

/** Trains one seed in a process of its own with one thread, and tells of its epochs. */
function inProcess(task, children) {
  return new Promise((resolve, reject) => {
    const child = fork(fileURLToPath(import.meta.url), [JSON.stringify(task)], {
      env: { ...process.env, ...WORKER_ENVIRONMENT },
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    });
    children.add(child);
    let result;
    let lastWords = '';
    child.stderr.on('data', (chunk) => (lastWords = (lastWords + chunk).slice(-4000)));
    child.on('message', (message) => {
      if (message.result) result = message.result;
      else console.log(`seed ${task.seed}: ${message.epoch}`);
    });
    child.on('close', (code, signal) => {
      children.delete(child);
      if (result !== undefined) resolve(result);
      else
        reject(
          new Failure(
            `seed ${task.seed} ended with ${signal ?? `exit code ${code}`}: ${lastWords.trimEnd()}`,
          ),
        );
    });
  });
}

async function work({ seed, images: count, ...settings }) {
  const { learningRate, batchSize, threshold } = settings;
  const { deviceName, loadMnist, tf, versions } = await import('focal-loss-lab');
  const { compareLosses } = await import('../lib/dist/sweep/compareLosses.js');
  process.on('disconnect', () => process.exit()); // the command has ended
  const all = await loadMnist('train');
  const [images, digits] = tf.tidy(() => [all.images.slice(0, count), all.labels.slice(0, count)]);
  tf.dispose([all.images, all.labels]);
  const test = await loadMnist('test');
  let seconds = 0;
  const { runs, margins } = await compareLosses({
    ...{ ...settings, ...RECIPE, seed, images, digits, testImages: test.images, testDigits: test.labels },
    checkpoint: `${CACHE}/${[count, learningRate, batchSize, threshold, seed].join('-')}.safetensors`,
    afterEpoch: ({ epochs, alive, runs: soFar }) => {
      seconds = Math.max(...soFar.map(({ records }) => records.at(-1)?.seconds ?? 0));
      process.send({
        epoch: `${epochs} of ${settings.epochs} epochs in ${seconds.toFixed(0)} s, ${alive} of ${soFar.length} alive`,
      });
    },
  });
  process.send({ result: { runs, margins, seconds, device: deviceName().name, versions: versions() } });
}

function checked(values) {
  const text = (name) => values[name] ?? DEFAULTS[name];
  const whole = (name, item = text(name)) => {
    if (!/^\d{1,9}$/.test(item)) throw new UsageError(`--${name}: '${item}' is not a whole number`);
    return Number(item);
  };
  const positive = (name) => {
    const value = whole(name);
    if (value < 1) throw new UsageError(`--${name}: ${value}; expected an integer >= 1`);
    return value;
  };
  const out = text('out');
  if (!out.endsWith('.csv')) throw new UsageError(`--out: '${out}' does not end with .csv`);
  const learningRate = Number(text('learning-rate'));
  if (!(learningRate > 0)) throw new UsageError('--learning-rate: expected a number > 0');
  const seeds = text('seeds')
    .split(',')
    .map((item) => whole('seeds', item));
  if (new Set(seeds).size < seeds.length) throw new UsageError('--seeds: one of them is there twice');
  return {
    ...{ out, seeds, learningRate, workers: positive('workers'), epochs: positive('epochs') },
    ...{ images: positive('images'), batchSize: positive('batch-size'), threshold: whole('threshold') },
  };
}
