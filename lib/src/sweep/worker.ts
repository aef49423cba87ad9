// A process that trains shards of a sweep or seeds of a comparison, one after the other, as the process that has started it
// tells (workerProcess.ts). It ends with that process, however that ends.
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { loadMnist, type Dataset } from '../datasets';
import { compareLosses } from './compareLosses';
import { deviceName, deviceWarning, tf, versions } from '../tf';
import { isFromFileSystem } from '../writeWhole';
import { removeLeftoversOf, shardFiles, writeCompleteShard, writePartialShard } from './partFiles';
import { SweepError } from './sweepError';
import type { GridRun } from '../grid/run';
import { trainGrid } from '../grid/trainGrid';
import type { ComparedSeed } from './runComparison';
import type { ComparisonTask, Report, ShardTask, Task } from './workerProcess';

const { kind, name } = deviceName();
let data: Promise<Dataset> | undefined;
let testData: Promise<Dataset> | undefined;

process.on('SIGINT', () => {}); // Ctrl-C goes to the whole group; what becomes of the workers is the sweep's business
process.on('disconnect', () => process.exit());
process.on('message', (task: Task) => {
  const work = task.kind === 'shard' ? train(task) : compare(task);
  work.then(
    (result) => report({ kind: 'complete', result }),
    (error: unknown) => report({ kind: 'failed', reason: reasonOf(error) }),
  );
});
report({
  kind: 'ready',
  versions: { ...versions(), code: codeVersion() },
  device: { kind, name, warning: deviceWarning() },
});

async function train({ out, settings, shard }: ShardTask): Promise<GridRun[]> {
  const { images, labels } = await (data ??= load(settings.images));
  const { orderSeed, alpha, epsilon, epochs, batchSize, learningRate, momentum } = settings;
  const { checkpoint } = shardFiles(out, shard);
  removeLeftoversOf(out, shard);
  const runs = await trainGrid({
    images,
    digits: labels,
    models: shard.models.map((model) => ({ ...model, alpha, epsilon })),
    noise: shard.noise,
    seed: shard.seed,
    orderSeed: orderSeed ?? shard.seed,
    ...{ epochs, batchSize, learningRate, momentum },
    checkpoint,
    afterEpoch: ({ epochs: trained, savedEpochs, runs: soFar }) => {
      if (savedEpochs !== trained) throw new SweepError(`${checkpoint} cannot be written: is the disk full?`);
      writePartialShard(out, shard, { device: name, runs: soFar });
      report({ kind: 'epoch', runs: soFar });
    },
  });
  writeCompleteShard(out, shard, { device: name, runs });
  return runs;
}

async function compare({ settings, seed, checkpoint }: ComparisonTask): Promise<ComparedSeed> {
  const { images, labels } = await (data ??= load(settings.images));
  const test = await (testData ??= loadMnist('test'));
  let seconds = 0;
  const compared = await compareLosses({
    ...settings,
    ...{ images, digits: labels, testImages: test.images, testDigits: test.labels, seed, checkpoint },
    afterEpoch: ({ runs }) => {
      seconds = Math.max(...runs.map(({ records }) => records.at(-1)?.seconds ?? 0));
      report({ kind: 'epoch', runs });
    },
  });
  return { ...compared, seconds };
}

async function load(count: number): Promise<Dataset> {
  const all = await loadMnist('train');
  const some = tf.tidy(() => ({ images: all.images.slice(0, count), labels: all.labels.slice(0, count) }));
  tf.dispose([all.images, all.labels]);
  return some;
}

function report(message: Report): void {
  process.send?.(message, () => {}); // the sweep may have ended, which 'disconnect' tells
}

/** An error that a reader can do something about is one line; any other is told with its stack. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error instanceof SweepError ||
    isFromFileSystem(error) ||
    error.message.startsWith('trainGrid:') ||
    error.message.startsWith('loadMnist:')
    ? error.message
    : (error.stack ?? error.message);
}

/**
 * SHA-256 of the compiled files that take part in the training: results of different ones are not put into one file, though
 * they have the same version number. Display computes nothing.
 */
function codeVersion(): string {
  const dist = path.join(__dirname, '..');
  const files = new Set<string>();
  const visit = (file: string) => {
    const inside = path.relative(dist, file);
    if (files.has(file) || inside.startsWith('..') || inside.startsWith(`display${path.sep}`)) return;
    files.add(file);
    for (const child of require.cache[file]?.children ?? []) visit(child.filename);
  };
  for (const root of ['../grid/trainGrid', '../datasets']) visit(require.resolve(root));
  const hash = createHash('sha256');
  for (const file of [...files].sort()) hash.update(path.relative(dist, file)).update(readFileSync(file));
  return hash.digest('hex').slice(0, 16);
}
