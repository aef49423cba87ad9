import type { GridRun } from '../grid/run';
import type { TrainingRecord } from '../training/run';

/** What the tables tell of a run. */
export interface Outcome {
  /** The epochs before the one that met a NaN. */
  complete: TrainingRecord[];
  last: TrainingRecord | undefined;
  firstNanEpoch: number | null;
  firstNanStep: number | null;
  /** Of the batch that met the NaN, or of the last epoch; null before the first. */
  maxAbsLogit: number | null;
}

export function outcomeOf({ records, diverged }: Pick<GridRun, 'records' | 'diverged'>): Outcome {
  const complete = records.filter(({ epoch }) => diverged === null || epoch < diverged.epoch);
  const last = complete.at(-1);
  return {
    complete,
    last,
    firstNanEpoch: diverged?.epoch ?? null,
    firstNanStep: diverged?.step ?? null,
    maxAbsLogit: diverged?.maxAbsLogit ?? last?.maxAbsLogit ?? null,
  };
}
