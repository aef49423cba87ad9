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
  /** In the epoch of the first NaN: the surest image of the fatal batch whose own gradient is not finite; null: not looked for. */
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
