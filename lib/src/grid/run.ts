import type { TrainingRun } from '../training/run';
import type { Sampler } from '../training/sampler';
import type { LenetBatch } from './lenetBatch';
import type { LossSettings } from './losses';

/** One of the models that learn side by side: its loss and its task. */
export interface GridModel extends LossSettings {
  /** Digits up to this one are class 1, the rest class 0: 0..8. */
  threshold: number;
}

/** The images that ended a run, by its last finite weights: those by whose logit the derivative of their own loss is not finite. */
export interface FatalImages {
  /** The surest of them in the fatal batch; null if there is none, as rounding may have it with several threads or on a GPU. */
  fatalImage: number | null;
  /** How many of them are in that batch; null if the weights could not be found again. */
  batchBeyond: number | null;
  /** Of all images: how many would have ended the run with the next batch they are in. With noise, under a draw of its own. */
  imagesBeyond: number | null;
}

/** `seconds` of its records run from the start of all models together. */
export interface GridRun extends GridModel, TrainingRun {
  /** There if it diverged. */
  fatal?: FatalImages;
  /** Of the trained model, without noise, one for each of the test images; not there without such images, or if it diverged. */
  testLogits?: Float32Array;
}

/** Where a training of many models is, between two epochs. */
export interface GridState {
  /** Complete epochs. */
  epochs: number;
  steps: number;
  seconds: number;
  runs: GridRun[];
  /** Those of the runs that have not diverged, in their order. */
  batch: LenetBatch;
  sampler: Sampler;
}

export const isAlive = ({ diverged }: GridRun): boolean => diverged === null;
