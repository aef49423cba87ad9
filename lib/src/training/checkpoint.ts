import { readdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { notice } from '../display';
import { isRunning } from '../isRunning';
import { tf } from '../tf';
import { firstDifference, type Fingerprint } from './fingerprint';
import type { Recorder } from './records';
import { SafetensorsFile, writeSafetensors, type SourceArray } from './safetensors';
import type { Sampler } from './sampler';
import type { Trainer } from './step';
import type { Divergence } from './train';

const FORMAT = 'focal-loss-lab checkpoint 1';
const ADVICE = 'delete it to start over, or choose another name';
const DTYPES = { float32: 'F32', int32: 'I32' } as const;

/** Between two epochs, or at the end. */
export interface Position {
  /** Complete epochs. */
  epoch: number;
  /** Steps made, the one that diverged included. */
  step: number;
  diverged: Divergence | null;
}

export const START: Position = { epoch: 0, step: 0, diverged: null };

/** What a run consists of, besides its position. */
export interface Parts {
  trainer: Trainer;
  sampler: Sampler;
  recorder: Recorder;
}

/** JSON has no NaN, which the logit may be. */
type StoredDivergence = Omit<Divergence, 'maxAbsLogit'> & { maxAbsLogit: string };

interface StoredProgress {
  epoch: number;
  step: number;
  diverged: StoredDivergence | null;
  generator: ReturnType<Sampler['generator']>;
  openRecord: ReturnType<Recorder['state']>['open'];
}

/**
 * A run in a file: all that is needed to go on as if nothing had happened. One file, so that weights, records and
 * generator are always of the same moment; in the safetensors format.
 */
export class Checkpoint {
  /** Epoch of the last successful save; undefined before. */
  private savedEpoch: number | undefined;
  private failed = false;

  constructor(
    readonly file: string,
    private readonly fingerprint: Fingerprint,
    private readonly parts: Parts,
  ) {}

  /** The epoch at which a later call would go on. */
  get epoch(): number | undefined {
    return this.savedEpoch;
  }

  /**
   * Brings the parts to the state in the file.
   *
   * @returns undefined, and leaves the parts alone, if there is no file
   * @throws Error naming the file, before anything is changed, if it is damaged, belongs to another run, or is farther
   *   than `epochs`
   */
  async restore(epochs: number): Promise<Position | undefined> {
    const { trainer, sampler, recorder } = this.parts;
    await this.removeLeftovers();
    const stored = await this.open();
    if (stored === undefined) return undefined;
    try {
      const { epoch, step, diverged, generator, openRecord } = this.progressIn(stored, epochs);
      sampler.restore({ order: await stored.read('order'), generator });
      recorder.restore({ rows: await stored.read('records'), open: openRecord });
      const [, , ...names] = stored.names; // their order counts: a layer without a name of its own has another every time
      for (const [i, { variable }] of trainer.variables().entries()) {
        const values = await stored.read(names[i]);
        tf.tidy(() => variable.assign(tf.tensor(values, variable.shape, variable.dtype)));
      }
      this.savedEpoch = epoch;
      return {
        epoch,
        step,
        diverged: diverged && { ...diverged, maxAbsLogit: Number(diverged.maxAbsLogit) },
      };
    } finally {
      await stored.close();
    }
  }

  /**
   * Writes the state of the parts; the file is the old or the new one at every moment. The first save must succeed. Later
   * a full disk is no reason to lose the run: there is a notice, the file stays as it was, and the next save may succeed.
   *
   * @throws Error naming the file if nothing has been saved or restored yet and it cannot be written
   */
  async save(position: Position): Promise<void> {
    try {
      const { metadata, arrays } = this.content(position);
      await writeSafetensors(this.file, metadata, arrays);
    } catch (error) {
      if (!isFromFileSystem(error)) throw error;
      const { message } = error;
      if (this.savedEpoch === undefined)
        throw new Error(`train: checkpoint ${this.file} cannot be written: ${message}`);
      if (!this.failed)
        notice(
          `The checkpoint ${this.file} stays at epoch ${this.savedEpoch}: it could not be written (${message}). ` +
            'The training goes on, and tries again after every epoch.',
        );
      this.failed = true;
      return;
    }
    this.savedEpoch = position.epoch;
    this.failed = false;
  }

  private async open(): Promise<SafetensorsFile | undefined> {
    try {
      return await SafetensorsFile.open(this.file);
    } catch (error) {
      const reason = (error as Error).message;
      throw new Error(
        isFromFileSystem(error)
          ? `train: checkpoint ${this.file} cannot be read: ${reason}`
          : `train: checkpoint ${this.file} is damaged: ${reason}; ${ADVICE}`,
      );
    }
  }

  private progressIn({ metadata }: SafetensorsFile, epochs: number): StoredProgress {
    const refuse = (reason: string) =>
      new Error(`train: checkpoint ${this.file} belongs to another run: ${reason}; ${ADVICE}`);
    if (metadata.format !== FORMAT) throw refuse(`its format is ${metadata.format}, expected ${FORMAT}`);
    const difference = firstDifference(JSON.parse(metadata.fingerprint) as Fingerprint, this.fingerprint);
    if (difference !== undefined)
      throw refuse(`${difference.name} is ${difference.there} there, ${difference.here} here`);
    const progress = JSON.parse(metadata.progress) as StoredProgress;
    const begun = progress.diverged === null ? progress.epoch : progress.epoch + 1;
    if (begun > epochs) throw refuse(`it has ${begun} epochs already, epochs is ${epochs} here`);
    return progress;
  }

  private content({ epoch, step, diverged }: Position): {
    metadata: Record<string, string>;
    arrays: SourceArray[];
  } {
    const { trainer, sampler, recorder } = this.parts;
    const { rows, columns, open } = recorder.state();
    const { order } = sampler;
    const progress: StoredProgress = {
      epoch,
      step,
      diverged: diverged && { ...diverged, maxAbsLogit: String(diverged.maxAbsLogit) },
      generator: sampler.generator(),
      openRecord: open,
    };
    const variables = trainer.variables().map(({ name, variable }) => ({
      name,
      dtype: DTYPES[variable.dtype as keyof typeof DTYPES],
      shape: variable.shape,
      values: () => variable.data<'float32' | 'int32'>(),
    }));
    return {
      metadata: {
        format: FORMAT,
        fingerprint: JSON.stringify(this.fingerprint),
        progress: JSON.stringify(progress),
      },
      arrays: [
        { name: 'records', dtype: 'F64', shape: [rows.length / columns, columns], values: () => rows },
        { name: 'order', dtype: 'I32', shape: [order.length], values: () => order },
        ...variables,
      ],
    };
  }

  /** Half-written files of processes that were killed; those of living ones are left alone. */
  private async removeLeftovers(): Promise<void> {
    const folder = path.dirname(this.file);
    const names = await readdir(folder).catch(() => []); // no such folder, no leftovers
    const prefix = `${path.basename(this.file)}.`;
    for (const name of names) {
      if (!name.startsWith(prefix)) continue;
      const pid = /^(\d+)\.tmp$/.exec(name.slice(prefix.length))?.[1];
      if (pid !== undefined && !isRunning(Number(pid))) await rm(path.join(folder, name), { force: true });
    }
  }
}

function isFromFileSystem(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && 'errno' in error;
}
