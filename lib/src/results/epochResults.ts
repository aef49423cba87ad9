import type { TrainingRun } from '../training';
import { number, orNone, text, type RowIn } from './table';

export const EPOCH_COLUMNS = {
  /** 'original', 'stabilized' or 'exact' */
  loss: text,
  /** amplitude */
  noise: number,
  /** The first is 0. */
  epoch: number,
  /** The last of the epoch, or that of the first NaN. */
  step: number,
  /** null in the epoch of the first NaN */
  meanLoss: orNone(number),
};

/** One epoch of one training run. */
export type EpochResult = RowIn<typeof EPOCH_COLUMNS>;

/**
 * Mean loss of every epoch that a training completed, and, if it met a NaN, a last row with null for the epoch of that.
 *
 * @param run  what `train` returned; `recordEvery` must have divided the steps of an epoch into equal parts
 */
export function epochResults(
  { records, diverged }: TrainingRun,
  { loss, noise }: Pick<EpochResult, 'loss' | 'noise'>,
): EpochResult[] {
  const complete = records.filter((record) => record.epoch !== diverged?.epoch);
  const rows: EpochResult[] = [...new Set(complete.map((record) => record.epoch))].map((epoch) => {
    const own = complete.filter((record) => record.epoch === epoch);
    const meanLoss = own.reduce((sum, record) => sum + record.loss, 0) / own.length;
    return { loss, noise, epoch, step: own[own.length - 1].step, meanLoss };
  });
  if (diverged !== null)
    rows.push({ loss, noise, epoch: diverged.epoch, step: diverged.step, meanLoss: null });
  return rows;
}
