import { tf, versions } from '../tf';
import { checksumOfSamples, type Json } from '../training/fingerprint';
import { asArray, asRows, type SafetensorsFile, type SourceArray } from '../training/safetensors';
import type { Sampler } from '../training/sampler';
import { StateFile } from '../training/stateFile';
import { RECORD_COLUMNS, restored, stored, type StoredDivergence } from '../training/run';
import { LenetBatch } from './lenetBatch';
import { perParameter, SHAPES, type ParameterName, type PerParameter } from './parameters';
import type { GridOptions } from './options';
import { isAlive, type FatalImages, type GridModel, type GridState } from './run';

interface StoredProgress {
  epoch: number;
  steps: number;
  seconds: number;
  generator: ReturnType<Sampler['generator']>;
  /** `run` is the place among the runs. */
  divergences: (StoredDivergence & { run: number; fatal?: FatalImages })[];
}

/** `run` is the place among the runs. */
const RECORD = ['run', ...RECORD_COLUMNS] as const;

/** A training of many models in a file. */
export class GridCheckpoint {
  private readonly stateFile: StateFile;

  constructor(
    file: string,
    private readonly options: GridOptions,
  ) {
    this.stateFile = new StateFile(file, {
      caller: 'trainGrid',
      format: 'focal-loss-lab grid 3',
      fingerprint: fingerprint(options),
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
   * Brings the state to what is in the file. If there is none, it is written, so that a file that cannot be is found out now.
   *
   * @throws Error naming the file, before anything is changed, if it is damaged, belongs to another training, or is farther
   *   than the epochs of the options
   */
  async restore(state: GridState): Promise<void> {
    const found = await this.stateFile.restore<StoredProgress, true>(async (progress, stored) => {
      const { epochs } = this.options;
      if (progress.epoch > epochs)
        throw this.stateFile.refusal(`it has ${progress.epoch} epochs already, epochs is ${epochs} here`);
      await this.restoreState(state, progress, stored);
      return true;
    });
    if (!found) await this.save(state);
  }

  /** Writes the state, as StateFile.save does. */
  async save({ epochs, steps, seconds, runs, batch, sampler }: GridState): Promise<void> {
    const divergences = runs.flatMap(({ diverged, fatal }, run) =>
      diverged ? [{ run, fatal, ...stored(diverged) }] : [],
    );
    const progress: StoredProgress = {
      ...{ epoch: epochs, steps, seconds, divergences },
      generator: sampler.generator(),
    };
    const { order } = sampler;
    const records = runs.flatMap(({ records }, run) => records.map((record) => ({ run, ...record })));
    const parts: Record<string, PerParameter<tf.Tensor>> = runs.some(isAlive) ? { ...batch.state() } : {};
    try {
      await this.stateFile.save(progress, [
        { name: 'order', dtype: 'I32', shape: [order.length], values: () => order },
        asArray('records', RECORD, records),
        ...Object.entries(parts).flatMap(([part, tensors]) => parameterArrays(part, tensors)),
      ]);
    } finally {
      tf.dispose(parts);
    }
  }

  private async restoreState(state: GridState, progress: StoredProgress, file: SafetensorsFile) {
    const { runs } = state;
    for (const run of runs) [run.records, run.diverged] = [[], null];
    for (const { run, ...record } of asRows(RECORD, await file.read('records')))
      runs[run].records.push(record);
    for (const { run, fatal, ...diverged } of progress.divergences)
      Object.assign(runs[run], { diverged: restored(diverged), fatal });
    const alive = runs.filter(isAlive);
    if (alive.length > 0) {
      const weights = await readParameters(file, 'weights', alive.length);
      const velocities = await readParameters(file, 'velocities', alive.length);
      state.batch.dispose();
      state.batch = new LenetBatch(alive, { weights, velocities }, this.options);
      tf.dispose({ weights, velocities });
    }
    state.sampler.restore({ order: await file.read('order'), generator: progress.generator });
    state.epochs = progress.epoch;
    state.steps = progress.steps;
    state.seconds = progress.seconds;
  }
}

/** What makes a training this one and no other; the number of epochs does not. */
function fingerprint({ images, digits, models, ...options }: GridOptions) {
  const { noise, seed, orderSeed = seed, batchSize, learningRate, momentum } = options;
  const perModel = ({ loss, gamma, alpha, epsilon, threshold }: GridModel) =>
    ({ loss, gamma, alpha, epsilon, threshold }) satisfies Json;
  return {
    'version of focal-loss-lab': versions()['focal-loss-lab'],
    'number of images': images.shape[0],
    ...{ noise, seed, orderSeed, batchSize, learningRate, momentum },
    'SHA-256 of some images': checksumOfSamples(images),
    'SHA-256 of their digits': checksumOfSamples(digits),
    model: models.map(perModel),
  };
}

function parameterArrays(part: string, tensors: PerParameter<tf.Tensor>): SourceArray[] {
  return Object.entries(tensors).map(([name, tensor]) => ({
    name: `${part}/${name}`,
    dtype: 'F32',
    shape: tensor.shape,
    values: () => tensor.data<'float32'>(),
  }));
}

async function readParameters(
  stored: SafetensorsFile,
  part: string,
  models: number,
): Promise<PerParameter<tf.Tensor>> {
  const values = new Map<ParameterName, tf.Tensor>();
  for (const name of Object.keys(SHAPES) as ParameterName[])
    values.set(name, tf.tensor(await stored.read(`${part}/${name}`), [models, ...SHAPES[name]]));
  return perParameter((name) => values.get(name)!);
}
