import { availableParallelism } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
// Not from the folder's index, which loads TensorFlow: the workers need the memory, a GPU's above all.
import { breathe } from '../display/breathe';
import { notice } from '../display/notice';
import { Progress } from '../display/progress';
import { isFromFileSystem } from '../writeWhole';
import {
  alone,
  claimParts,
  partsFolder,
  readIdentity,
  readShard,
  removeParts,
  type SweepIdentity,
} from './partFiles';
import { plan, type Shard } from './plan';
import { isComplete, readResult, writeResult, type ShardState, type SweepRun } from './resultFiles';
import { checkSettings, type SweepSettings } from './settings';
import { SweepError } from './sweepError';
import type { GridRun } from '../grid/run';
import { WorkerDied, WorkerProcess, type Ready } from './workerProcess';

export interface SweepOptions {
  /** Name of the result, which ends with .csv. */
  out: string;
  /** Processes that train; default one per core on a CPU, and one on a GPU. 0: only collect the shards that are there. */
  workers?: number;
  /** Trained side by side by one process; default 9 on a CPU, and all of a noise level and seed on a GPU. */
  modelsPerShard?: number;
  /** Ends the sweep as Stop does in a notebook: with the signal's reason. */
  signal?: AbortSignal;
}

/** Past 9 a CPU gains nothing, and the end of the sweep is the better divided the more shards there are. */
const MODELS_PER_SHARD_ON_CPU = 9;
/** A worker that dies so often in a row without completing an epoch would die again. */
const MOST_DEATHS = 3;
const HEARTBEAT_MS = 100;
const WRITE_EVERY_MS = 5000;

/**
 * Trains every combination of the settings, many at a time and in several processes, and writes two tables: `out` with a row
 * per run, and `.epochs.csv` next to it with a row per epoch. Both are rewritten every few seconds with all there is so far.
 *
 * The state is in the folder `out`.parts until the sweep is complete. After a crash, Stop or Ctrl-C the same call goes on;
 * it loses at most the epoch in progress, and ends with the numbers (but for the seconds) of an undisturbed sweep.
 *
 * @returns a row per run, in the order of the settings
 * @throws RangeError for settings or options out of range; SweepError if the files belong to a sweep of other settings or
 *   another version of the code, another process writes them, they cannot be written, or workers keep dying
 * @see notebooks/11-the-grid.ipynb; CONTRIBUTING.md
 */
export async function runSweep(settings: SweepSettings, options: SweepOptions): Promise<SweepRun[]> {
  checkSettings(settings);
  checkOptions('runSweep', options);
  const { out } = options;
  return orSweepError(out, () =>
    alone(out, async () => {
      const found = readResult(out, settings);
      if (found !== undefined && isComplete(settings, found)) {
        removeParts(out); // left by a sweep that was killed when it had just been completed
        return found;
      }
      if (found !== undefined && readIdentity(out) === undefined)
        throw new SweepError(
          `${out} is of a sweep that was stopped in the middle, and ${partsFolder(out)}, from which it would go on, ` +
            'is missing; delete it to start over, or choose another name',
        );
      const sweep = new Sweep(settings, options);
      await sweep.train();
      const runs = sweep.write();
      const missing = sweep.incomplete();
      if (missing.length > 0)
        throw new SweepError(
          `shards ${missing.map(({ shard }) => shard.index).join(', ')} are not complete; ${out} has what there is`,
        );
      removeParts(out);
      return runs;
    }),
  );
}

/**
 * Trains a single shard of a sweep and leaves it in the parts of `out`, for a cluster, where each shard is a job of its own.
 * When all are there, `runSweep` with 0 workers collects them.
 *
 * @param index  0 to the number of shards - 1; see `countShards`
 * @throws as runSweep
 */
export async function runShard(
  settings: SweepSettings,
  index: number,
  options: Omit<SweepOptions, 'workers'>,
): Promise<void> {
  const { modelsPerShard = MODELS_PER_SHARD_ON_CPU } = options; // jobs on different devices divide the sweep alike
  const shards = countShards(settings, options);
  if (!(Number.isInteger(index) && index >= 0 && index < shards))
    throw new RangeError(`runShard: index: ${index}; expected an integer in 0..${shards - 1}`);
  const sweep = new Sweep(settings, { ...options, modelsPerShard, workers: 1 }, index);
  await orSweepError(options.out, () => sweep.train());
}

/**
 * Into how many shards `runShard` divides a sweep.
 *
 * @throws as runSweep, if what is there already belongs to another sweep
 */
export function countShards(settings: SweepSettings, options: Omit<SweepOptions, 'workers'>): number {
  checkSettings(settings);
  checkOptions('countShards', options);
  const { out, modelsPerShard = MODELS_PER_SHARD_ON_CPU } = options;
  readResult(out, settings);
  const stored = readIdentity(out);
  if (stored !== undefined) claimParts(out, { settings, versions: stored.versions, modelsPerShard });
  return plan(settings, modelsPerShard).length;
}

type State = ShardState & { complete: boolean };

class Sweep {
  private identity: SweepIdentity | undefined;
  private states: State[] = [];
  private progress: Progress | undefined;
  private readonly workers = new Set<WorkerProcess>();
  private stopped = false;
  private unshown = false;
  private unwritten = false;
  private lastWritten = performance.now();

  /** @param only  the index of the one shard to be trained; without, all are, and the result is written now and then */
  constructor(
    private readonly settings: SweepSettings,
    private readonly options: SweepOptions,
    private readonly only?: number,
  ) {}

  /** Trains what is not complete yet. However that ends, no worker outlives it, and the result has what there is. */
  async train(): Promise<void> {
    try {
      await this.whileBeating(this.trainAll());
      this.progress?.done(`sweep: ${this.summary()}`);
    } catch (error) {
      this.stopped = true;
      this.progress?.done(
        `sweep: stopped after ${this.summary()}; the same call goes on from ${partsFolder(this.options.out)}`,
      );
      this.writeIfPossible();
      throw error;
    } finally {
      await Promise.all([...this.workers].map((worker) => worker.stop()));
    }
  }

  /** Writes both tables, and returns the rows of the first. */
  write(): SweepRun[] {
    this.unwritten = false;
    this.lastWritten = performance.now();
    return writeResult(this.options.out, this.settings, this.identity!.versions, this.states);
  }

  /** After an error, which would be hidden by another one; the parts have it all. */
  private writeIfPossible(): void {
    if (this.only !== undefined || this.identity === undefined) return;
    try {
      this.write();
    } catch (error) {
      if (!isFromFileSystem(error)) throw error;
    }
  }

  incomplete(): State[] {
    return this.states.filter(
      ({ complete, shard }) => !complete && (this.only ?? shard.index) === shard.index,
    );
  }

  private async trainAll(): Promise<void> {
    const { out, workers: asked } = this.options;
    const stored = readIdentity(out);
    const { modelsPerShard = stored?.modelsPerShard } = this.options;
    if (asked === 0) {
      if (stored === undefined) throw new SweepError(`there are no shards in ${partsFolder(out)}`);
      return this.begin(stored.versions, modelsPerShard ?? MODELS_PER_SHARD_ON_CPU);
    }
    if (stored !== undefined && modelsPerShard !== undefined)
      claimParts(out, { settings: this.settings, versions: stored.versions, modelsPerShard }); // refused at once
    const first = this.startWorker();
    const { versions, device } = await this.readyOrFailed(first);
    if (device.warning !== null) notice(device.warning);
    const onGpu = device.kind === 'GPU';
    this.begin(versions, modelsPerShard ?? (onGpu ? this.modelsPerNoise() : MODELS_PER_SHARD_ON_CPU));

    const queue = this.incomplete();
    const workers = Math.min(asked ?? (onGpu ? 1 : availableParallelism()), queue.length);
    const spare = [first];
    await Promise.all(
      Array.from({ length: workers }, async () => {
        let worker = spare.pop();
        for (let state = queue.shift(); state !== undefined; state = queue.shift())
          worker = await this.trainShard(state, worker);
        await worker?.stop();
      }),
    );
  }

  /** Reads what is there of this very sweep. */
  private begin(versions: Record<string, string>, modelsPerShard: number): void {
    const { settings } = this;
    const { out } = this.options;
    claimParts(out, { settings, versions, modelsPerShard });
    this.identity = { settings, versions, modelsPerShard };
    this.states = plan(settings, modelsPerShard).map((shard) => readShard(out, shard));
    this.progress = new Progress(this.epochsOfAll().needed, 'sweep');
    this.unshown = this.unwritten = true;
  }

  /** @returns the worker that is now free */
  private async trainShard(state: State, idle: WorkerProcess | undefined): Promise<WorkerProcess> {
    const { out } = this.options;
    const { settings } = this;
    const { shard } = state;
    let deaths = 0;
    for (let worker = idle ?? this.startWorker(); ; worker = this.startWorker()) {
      try {
        const { device, versions } = await worker.ready;
        claimParts(out, { ...this.identity!, versions }); // it may have been compiled again meanwhile
        const receive = (runs: readonly GridRun[]) => {
          deaths = 0;
          state.runs = runs;
          state.device = device.name;
          this.unshown = this.unwritten = true;
        };
        receive(await worker.train({ kind: 'shard', out, settings, shard }, receive));
        state.complete = true;
        return worker;
      } catch (error) {
        if (!(error instanceof WorkerDied) || this.stopped) throw error;
        this.workers.delete(worker);
        const what = `The worker of shard ${shard.index} (${describe(shard)}) has died: ${error.message}`;
        if (++deaths === MOST_DEATHS)
          throw new SweepError(`${what}; ${MOST_DEATHS} times in a row without completing an epoch`);
        notice(`${what}. Another one goes on.`);
      }
    }
  }

  private startWorker(): WorkerProcess {
    const worker = new WorkerProcess();
    this.workers.add(worker);
    return worker;
  }

  private async readyOrFailed(worker: WorkerProcess): Promise<Ready> {
    try {
      return await worker.ready;
    } catch (error) {
      throw new SweepError(`a worker cannot begin: ${(error as Error).message}`);
    }
  }

  /** The work's end, unless Stop or the signal comes first. Meanwhile shows and writes what has changed. */
  private async whileBeating(work: Promise<void>): Promise<void> {
    const settled = work.then(
      () => true,
      () => true,
    );
    while (!(await Promise.race([settled, sleep(HEARTBEAT_MS, false)]))) {
      this.options.signal?.throwIfAborted();
      await breathe();
      this.beat();
    }
    await work;
  }

  private beat(): void {
    if (this.unshown && this.progress !== undefined) {
      const { trained, needed } = this.epochsOfAll();
      this.progress.setTotal(needed);
      this.progress.update(trained, this.summary());
    }
    this.unshown = false;
    const due = this.unwritten && performance.now() - this.lastWritten > WRITE_EVERY_MS;
    if (due && this.only === undefined) this.write();
  }

  /** Epochs of the single runs. One that has gone NaN needs no more; others will, so that the time left is an upper limit. */
  private epochsOfAll(): { trained: number; needed: number } {
    const { epochs } = this.settings;
    const ours = this.ours();
    const runs = ours.flatMap(({ runs }) => runs);
    const saved = runs.reduce((sum, { diverged }) => sum + (diverged ? epochs - diverged.epoch - 1 : 0), 0);
    const models = ours.reduce((sum, { shard }) => sum + shard.models.length, 0);
    const trained = runs.reduce((sum, { records, diverged }) => sum + (diverged ? diverged.epoch + 1 : records.length), 0); // prettier-ignore
    return { trained, needed: models * epochs - saved };
  }

  private summary(): string {
    const ours = this.ours();
    const complete = ours.filter((state) => state.complete).length;
    const nan = ours.flatMap(({ runs }) => runs).filter(({ diverged }) => diverged !== null).length;
    return `${complete} of ${ours.length} shards, ${nan} runs went NaN`;
  }

  private ours(): State[] {
    return this.only === undefined ? this.states : [this.states[this.only]];
  }

  private modelsPerNoise(): number {
    const { losses, gammas, thresholds } = this.settings;
    return losses.length * gammas.length * thresholds.length;
  }
}

const describe = ({ noise, seed, models }: Shard) =>
  `noise ${noise}, seed ${seed}, ${models.length} models from ${models[0].loss} loss, gamma ${models[0].gamma}, threshold ${models[0].threshold}`;

function checkOptions(caller: string, { out, workers = 1, modelsPerShard = 1 }: SweepOptions): void {
  const expect = (valid: boolean, name: string, value: unknown, expected: string) => {
    if (!valid) throw new RangeError(`${caller}: ${name}: ${value}; expected ${expected}`);
  };
  expect(out.length > 4 && out.endsWith('.csv'), 'out', out, 'the name of a file that ends with .csv');
  expect(Number.isInteger(workers) && workers >= 0, 'workers', workers, 'an integer >= 0');
  expect(
    Number.isInteger(modelsPerShard) && modelsPerShard >= 1,
    'modelsPerShard',
    modelsPerShard,
    'an integer >= 1',
  );
}

async function orSweepError<T>(out: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (isFromFileSystem(error))
      throw new SweepError(`${out} or its parts cannot be written: ${error.message}`);
    throw error;
  }
}
