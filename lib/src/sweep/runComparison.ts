import path from 'node:path';
import type { ComparedRun, MarginCount } from '../results/lossComparison';
import { SweepError } from './sweepError';
import { WorkerProcess, type Ready } from './workerProcess';

/** What all training runs of a comparison of losses have in common. */
export interface ComparisonSettings {
  /** The first so many of MNIST's 60,000 training images. */
  images: number;
  epochs: number;
  batchSize: number;
  learningRate: number;
  momentum: number;
  noise: number;
  alpha: number;
  /** Digits up to this one are class 1. */
  threshold: number;
}

/** What a comparison says of one seed. */
export interface ComparedSeed {
  runs: ComparedRun[];
  margins: MarginCount[];
  seconds: number;
}

export interface ComparisonRunOptions {
  seeds: readonly number[];
  /** Processes of one thread; each trains a seed at a time. */
  workers: number;
  /** Folder of the checkpoints. They have the settings in their names, so that the same call goes on. */
  checkpoints: string;
  /** Receives, after each epoch of a seed, the complete epochs and how many of its models have met no NaN. */
  afterEpoch: (seed: number, progress: { epochs: number; alive: number; models: number }) => void;
}

/**
 * Trains the losses of COMPARED (compareLosses.ts) on MNIST for several seeds, in several processes.
 *
 * @returns what each seed gives, in the order of the seeds, and what computed it
 * @throws SweepError naming the seed if its training fails or its process dies; a later call goes on from the checkpoint
 */
export async function runComparison(
  settings: ComparisonSettings,
  { seeds, workers: most, checkpoints, afterEpoch }: ComparisonRunOptions,
): Promise<{ seeds: ComparedSeed[] } & Ready> {
  const { images, learningRate, batchSize, threshold } = settings;
  const workers = Array.from({ length: Math.min(most, seeds.length) }, () => new WorkerProcess());
  const found = new Map<number, ComparedSeed>();
  const queue = [...seeds];
  try {
    const trainNext = async (worker: WorkerProcess) => {
      for (let seed = queue.shift(); seed !== undefined; seed = queue.shift()) {
        const name = [images, learningRate, batchSize, threshold, seed].join('-');
        const checkpoint = path.join(checkpoints, `${name}.safetensors`);
        try {
          const task = { kind: 'comparison', settings, seed, checkpoint } as const;
          const compared = await worker.compare(task, (runs) => {
            const epochs = Math.max(...runs.map(({ records }) => records.length));
            const alive = runs.filter(({ diverged }) => diverged === null).length;
            afterEpoch(seed!, { epochs, alive, models: runs.length });
          });
          found.set(seed, compared);
        } catch (error) {
          throw new SweepError(`seed ${seed}: ${(error as Error).message}`);
        }
      }
    };
    await Promise.all(workers.map(trainNext));
    return { ...(await workers[0].ready), seeds: seeds.map((seed) => found.get(seed)!) };
  } finally {
    await Promise.all(workers.map((worker) => worker.stop()));
  }
}
