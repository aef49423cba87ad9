import { fork, type ChildProcess } from 'node:child_process';
import path from 'node:path';
import type { Shard } from './plan';
import type { ComparedSeed, ComparisonSettings } from './runComparison';
import type { SweepSettings } from './settings';
import { SweepError } from './sweepError';
import type { GridRun } from '../grid/run';

/** A shard of a sweep. */
export interface ShardTask {
  kind: 'shard';
  out: string;
  settings: SweepSettings;
  shard: Shard;
}

/** One seed of a comparison of losses. */
export interface ComparisonTask {
  kind: 'comparison';
  settings: ComparisonSettings;
  seed: number;
  checkpoint: string;
}

/** What a worker is told. */
export type Task = ShardTask | ComparisonTask;

/** What a worker tells first. */
export interface Ready {
  versions: Record<string, string>;
  device: { kind: 'CPU' | 'GPU'; name: string; warning: string | null };
}

export type Report =
  | ({ kind: 'ready' } & Ready)
  | { kind: 'epoch'; runs: readonly GridRun[] }
  | { kind: 'complete'; result: readonly GridRun[] | ComparedSeed }
  | { kind: 'failed'; reason: string };

/** A worker has ended that nobody had stopped. */
export class WorkerDied extends Error {}

/** One thread per process, since there is one process per core. */
export const WORKER_ENVIRONMENT = {
  TF_NUM_INTRAOP_THREADS: '1',
  TF_NUM_INTEROP_THREADS: '1',
  OMP_NUM_THREADS: '1',
  TF_CPP_MIN_LOG_LEVEL: '2',
  NODE_NO_WARNINGS: '1',
};
const STDERR_KEPT = 4000;

/** A process that trains, one task at a time. */
export class WorkerProcess {
  /** Resolves when the worker can be given a task; rejects if it dies before. */
  readonly ready: Promise<Ready>;
  private readonly child: ChildProcess;
  private readonly ended: Promise<void>;
  private receive: (report: Report) => void = () => {};
  private fail: (error: Error) => void = () => {};
  private lastWords = '';

  constructor() {
    this.child = fork(path.join(__dirname, 'worker.js'), {
      env: { ...process.env, ...WORKER_ENVIRONMENT },
      execArgv: [],
      serialization: 'advanced', // JSON has no NaN
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'], // what it would show is told by its reports
    });
    this.child.stderr?.on('data', (chunk: Buffer) => {
      this.lastWords = (this.lastWords + chunk.toString()).slice(-STDERR_KEPT);
    });
    this.child.on('message', (report: Report) => this.receive(report));
    this.ended = new Promise((resolve) => {
      const end = (how: string) => {
        this.fail(new WorkerDied(`${how}${this.lastLine()}`));
        resolve();
      };
      this.child.on('error', (error) => end(error.message));
      this.child.on('close', (code, signal) => end(signal ? `killed by ${signal}` : `exit code ${code}`));
    });
    this.ready = this.conversation((report, resolve) => {
      if (report.kind === 'ready') resolve({ versions: report.versions, device: report.device });
    });
    this.ready.catch(() => {}); // told to whoever asks
  }

  /**
   * Trains a shard, from its checkpoint if there is one.
   *
   * @param afterEpoch  receives its runs after every epoch that is in the files
   * @returns its runs
   * @throws WorkerDied, or SweepError if the training itself failed
   */
  train(task: ShardTask, afterEpoch: (runs: readonly GridRun[]) => void): Promise<readonly GridRun[]> {
    return this.work(task, afterEpoch) as Promise<readonly GridRun[]>;
  }

  /** Trains the models of a seed and tries them on the test images. @throws as train */
  compare(task: ComparisonTask, afterEpoch: (runs: readonly GridRun[]) => void): Promise<ComparedSeed> {
    return this.work(task, afterEpoch) as Promise<ComparedSeed>;
  }

  /** Ends the worker at once: whatever it has not saved, the next one does again. */
  async stop(): Promise<void> {
    this.child.kill('SIGKILL');
    await this.ended;
  }

  private async work(task: Task, afterEpoch: (runs: readonly GridRun[]) => void) {
    await this.ready;
    const result = this.conversation<readonly GridRun[] | ComparedSeed>((report, resolve, reject) => {
      if (report.kind === 'epoch') afterEpoch(report.runs);
      else if (report.kind === 'complete') resolve(report.result);
      else if (report.kind === 'failed') reject(new SweepError(report.reason));
    });
    this.child.send(task, () => {}); // a worker that has died is told by 'close'
    return result;
  }

  private conversation<T>(
    onReport: (report: Report, resolve: (value: T) => void, reject: (error: Error) => void) => void,
  ): Promise<T> {
    return new Promise((resolve, reject) => {
      if (this.child.exitCode !== null || this.child.signalCode !== null)
        reject(new WorkerDied(`it had ended${this.lastLine()}`));
      this.fail = reject;
      this.receive = (report) => onReport(report, resolve, reject);
    });
  }

  private lastLine(): string {
    const line = this.lastWords.trimEnd().split('\n').at(-1);
    return line ? ` (${line.trim()})` : '';
  }
}
