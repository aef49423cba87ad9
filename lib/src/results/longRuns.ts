import type { FatalSample, TrainingRun } from '../training';
import { readRun } from './runFile';
import { checkedRows, number, orNone, text, type RowIn } from './table';

const COLUMNS = {
  /** 'original', 'stabilized' or 'exact' */
  loss: text,
  /** Amplitude of the noise. */
  noise: number,
  seed: number,
  /** The first is 0. */
  epoch: number,
  /** The last of the epoch, or that of the first NaN. */
  step: number,
  /** null in the epoch of the first NaN, like the accuracy */
  meanLoss: orNone(number),
  accuracy: orNone(number),
  /** The largest of the epoch, or of the batch of the first NaN. */
  maxAbsLogit: number,
  /** In the epoch of the first NaN: the surest image of the fatal batch whose own gradient is not finite; null: none, or not looked for. */
  fatalImage: orNone(number),
  /** In that epoch: how many images of all would have ended the run, by the last finite weights; null: not looked for. */
  imagesBeyond: orNone(number),
};

/** One epoch of one training run of `npm run cifar` or `npm run segmentation`. */
export type LongRunEpoch = RowIn<typeof COLUMNS>;

const NO_IMAGE = { fatalImage: null, imagesBeyond: null };

interface LongRun {
  loss: string;
  noise: number;
  seed: number;
  fatal?: readonly FatalSample[];
  batch?: readonly number[];
}

/**
 * Every epoch that a training completed, and, if it met a NaN, a last row for the epoch of that.
 *
 * @param run  what `train` returned, with a record per epoch
 * @param fatal  what `fatalSamples` found after a NaN; without, it was not asked
 * @param batch  the images of that step (`samplesOfStep`)
 */
export function longRunEpochs(
  { records, diverged }: TrainingRun,
  { loss, noise, seed, fatal, batch = [] }: LongRun,
): LongRunEpoch[] {
  const rows: LongRunEpoch[] = records
    .filter(({ epoch }) => epoch !== diverged?.epoch)
    .map(({ epoch, step, loss: meanLoss, accuracy, maxAbsLogit }) => {
      return { loss, noise, seed, epoch, step, meanLoss, accuracy, maxAbsLogit, ...NO_IMAGE };
    });
  if (diverged !== null) {
    const { epoch, step, maxAbsLogit } = diverged;
    const fatalImage = fatal?.find(({ sample }) => batch.includes(sample))?.sample ?? null;
    const found = { maxAbsLogit, fatalImage, imagesBeyond: fatal?.length ?? null };
    rows.push({ loss, noise, seed, epoch, step, meanLoss: null, accuracy: null, ...found });
  }
  return rows;
}

/**
 * Reads what `npm run cifar` and `npm run segmentation` write.
 *
 * @throws Error naming the file if it cannot be read, is damaged, or is something else
 */
export function readLongRuns(file: string): LongRunEpoch[] {
  return checkedRows(readRun(file).rows, COLUMNS, `readLongRuns: ${file}`);
}

/** How a run ended, or how far it has got. */
export interface LongRunEnd extends Pick<
  LongRunEpoch,
  'loss' | 'noise' | 'seed' | 'fatalImage' | 'imagesBeyond'
> {
  /** Complete ones. */
  epochs: number;
  firstNanEpoch: number | null;
  firstNanStep: number | null;
  /** Of the last complete epoch. */
  accuracy: number | null;
  /** The largest of the fatal batch, or, without a NaN, of the whole run. */
  maxAbsLogit: number;
}

/**
 * A row for each run, in the order of their first rows.
 *
 * @param rows  of `readLongRuns`: those of a run together, by epoch
 */
export function longRunEnds(rows: readonly LongRunEpoch[]): LongRunEnd[] {
  const runs = new Map<string, LongRunEpoch[]>();
  for (const row of rows) {
    const key = `${row.loss} ${row.noise} ${row.seed}`;
    const own = runs.get(key);
    if (own === undefined) runs.set(key, [row]);
    else own.push(row);
  }
  return [...runs.values()].map((own) => {
    const { loss, noise, seed, fatalImage, imagesBeyond, ...last } = own.at(-1)!;
    const died = last.meanLoss === null;
    const complete = died ? own.slice(0, -1) : own;
    return {
      ...{ loss, noise, seed, epochs: complete.length },
      firstNanEpoch: died ? last.epoch : null,
      firstNanStep: died ? last.step : null,
      accuracy: complete.at(-1)?.accuracy ?? null,
      maxAbsLogit: died ? last.maxAbsLogit : Math.max(...own.map(({ maxAbsLogit }) => maxAbsLogit)),
      ...{ fatalImage, imagesBeyond },
    };
  });
}
