import { tf } from '../tf';
import type { Fingerprint } from './fingerprint';
import type { Recorder } from './records';
import { RECORD_COLUMNS, restored, stored, type Divergence, type StoredDivergence } from './run';
import { asArray, asRows, type SafetensorsFile, type SourceArray } from './safetensors';
import type { Sampler } from './sampler';
import { StateFile } from './stateFile';
import type { Trainer } from './step';

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

interface StoredProgress {
  epoch: number;
  step: number;
  diverged: StoredDivergence | null;
  generator: ReturnType<Sampler['generator']>;
  openRecord: ReturnType<Recorder['state']>['open'];
}

/** A run of `train` in a file. */
export class Checkpoint {
  private readonly stateFile: StateFile;

  constructor(
    file: string,
    fingerprint: Fingerprint,
    private readonly parts: Parts,
  ) {
    this.stateFile = new StateFile(file, {
      caller: 'train',
      format: 'focal-loss-lab checkpoint 1',
      fingerprint,
    });
  }

  get file(): string {
    return this.stateFile.file;
  }

  /** The epoch at which a later call would go on. */
  get epoch(): number | undefined {
    return this.stateFile.epoch;
  }

  /**
   * Brings the parts to the state in the file.
   *
   * @returns undefined, and leaves the parts alone, if there is no file
   * @throws Error naming the file, before anything is changed, if it is damaged, belongs to another run, or is farther
   *   than `epochs`
   */
  restore(epochs: number): Promise<Position | undefined> {
    return this.stateFile.restore<StoredProgress, Position>(async (progress, stored) => {
      const { epoch, step, diverged } = progress;
      const begun = diverged === null ? epoch : epoch + 1;
      if (begun > epochs)
        throw this.stateFile.refusal(`it has ${begun} epochs already, epochs is ${epochs} here`);
      await this.restoreParts(progress, stored);
      return {
        epoch,
        step,
        diverged: diverged && restored(diverged),
      };
    });
  }

  /** Writes the state of the parts, as StateFile.save does. */
  save({ epoch, step, diverged }: Position): Promise<void> {
    const { sampler, recorder } = this.parts;
    const progress: StoredProgress = {
      epoch,
      step,
      diverged: diverged && stored(diverged),
      generator: sampler.generator(),
      openRecord: recorder.state().open,
    };
    return this.stateFile.save(progress, this.arrays());
  }

  private async restoreParts(
    { generator, openRecord }: StoredProgress,
    stored: SafetensorsFile,
  ): Promise<void> {
    const { trainer, sampler, recorder } = this.parts;
    sampler.restore({ order: await stored.read('order'), generator });
    recorder.restore({
      records: asRows(RECORD_COLUMNS, await stored.read('records')),
      open: openRecord,
    });
    const [, , ...names] = stored.names; // their order counts: a layer without a name of its own has another every time
    for (const [i, { variable }] of trainer.variables().entries()) {
      const values = await stored.read(names[i]);
      tf.tidy(() => variable.assign(tf.tensor(values, variable.shape, variable.dtype)));
    }
  }

  private arrays(): SourceArray[] {
    const { trainer, sampler, recorder } = this.parts;
    const { order } = sampler;
    const variables = trainer.variables().map(({ name, variable }) => ({
      name,
      dtype: DTYPES[variable.dtype as keyof typeof DTYPES],
      shape: variable.shape,
      values: () => variable.data<'float32' | 'int32'>(),
    }));
    return [
      asArray('records', RECORD_COLUMNS, recorder.records),
      { name: 'order', dtype: 'I32', shape: [order.length], values: () => order },
      ...variables,
    ];
  }
}
