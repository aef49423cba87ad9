/** What happened in the steps since the previous record. */
export interface TrainingRecord {
  /** The last of these steps; the first of the run is 1. */
  step: number;
  /** Epoch of that step; the first is 0. */
  epoch: number;
  /** Mean over the steps. */
  loss: number;
  /** Fraction of the samples with logit > 0 where the label is 1, and logit <= 0 where it is 0. */
  accuracy: number;
  /** Largest |logit| of all. */
  maxAbsLogit: number;
  /**
   * Wall-clock time from the start of the run to the end of that step, in seconds: the only field that differs from run
   * to run. In a resumed run, time between the checkpoint and its reading does not count.
   */
  seconds: number;
}

/** The fields of a record, all of them numbers, as columns of a checkpoint. */
export const RECORD_COLUMNS = ['step', 'epoch', 'loss', 'accuracy', 'maxAbsLogit', 'seconds'] as const satisfies readonly (keyof TrainingRecord)[]; // prettier-ignore

/** The first step that met a value which is not finite; its update was not made. */
export interface Divergence {
  epoch: number;
  step: number;
  /** Which values: 'loss', 'gradient of conv1/kernel, conv1/bias', 'gradient of all 10 weights', 'gradient of 44 of 46 weights', ... */
  what: string;
  /** Largest |logit| of that step's batch; Infinity or NaN if the logits themselves are not finite. */
  maxAbsLogit: number;
}

/** What `train` and `trainGrid` say of a model. */
export interface TrainingRun {
  records: TrainingRecord[];
  diverged: Divergence | null;
}

/** JSON has no NaN, which the logit may be. */
export type StoredDivergence = Omit<Divergence, 'maxAbsLogit'> & { maxAbsLogit: string };

export const stored = (diverged: Divergence): StoredDivergence => {
  return { ...diverged, maxAbsLogit: String(diverged.maxAbsLogit) };
};

export const restored = (diverged: StoredDivergence): Divergence => {
  return { ...diverged, maxAbsLogit: Number(diverged.maxAbsLogit) };
};
