import { existsSync } from 'node:fs';
import { LOSS_NAMES } from '../grid/lossNames';
import { readRun, writeRunOf, type Json } from '../results/runFile';
import type { Row } from '../results/columns';
import { checkedRows, number, oneOf, orNone, type RowIn } from '../results/table';
import { removeLeftovers } from '../writeWhole';
import { firstDifference, SweepError } from './sweepError';
import { outcomeOf } from './outcome';
import type { Shard } from './plan';
import { storedSettings, type SweepSettings } from './settings';
import type { FatalImages, GridRun } from '../grid/run';

const LOSS = oneOf(...LOSS_NAMES);

const RUN_COLUMNS = {
  loss: LOSS,
  /** Amplitude of the noise. */
  noise: number,
  gamma: number,
  /** 0..8: digits <= threshold are class 1. */
  threshold: number,
  /** Of the weights, and of the order of the images unless the settings have an `orderSeed`. */
  seed: number,
  /** Complete epochs so far, all with finite losses; fewer than asked for and no NaN: the run goes on. */
  epochs: number,
  /** The first is 0; null: none. */
  firstNanEpoch: orNone(number),
  /** The step that met the NaN, counted from 1 over the whole run; null: none. */
  firstNanStep: orNone(number),
  /** Mean loss of the last complete epoch; null before the first. */
  lastFiniteLoss: orNone(number),
  /** In that epoch: fraction of the images on the right side. */
  accuracy: orNone(number),
  /** Largest |logit| of that epoch, or of the batch that met the NaN. */
  maxAbsLogit: orNone(number),
  /** The surest image of the fatal batch whose own gradient is not finite, counted from 0; null: none, or not looked for. */
  fatalImage: orNone(number),
  /** How many such images are in that batch. */
  batchBeyond: orNone(number),
  /** How many there are among all images: each would have ended the run with the next batch it is in. */
  imagesBeyond: orNone(number),
  /** From the beginning of its shard to the end of that epoch; the runs of a shard share this time. */
  seconds: orNone(number),
};

/** A row of the result: one run. The columns that the published table has too have the same names. */
export type SweepRun = RowIn<typeof RUN_COLUMNS>;

/** Tables of 28 November 2026 and before are without these columns. */
const NOT_LOOKED_FOR: FatalImages = { fatalImage: null, batchBeyond: null, imagesBeyond: null };

function checkedRuns(rows: readonly Row[], place: string): SweepRun[] {
  const names = Object.keys(RUN_COLUMNS);
  const complete = rows.map((row) => {
    const all: Row = { ...NOT_LOOKED_FOR, ...row };
    return Object.fromEntries(names.map((name) => [name, all[name]]));
  });
  return checkedRows(complete, RUN_COLUMNS, place);
}

const EPOCH_COLUMNS = {
  loss: LOSS,
  noise: number,
  gamma: number,
  threshold: number,
  seed: number,
  epoch: number,
  meanLoss: number,
  accuracy: number,
  maxAbsLogit: number,
};

/** A row of the file next to it: one epoch of one run. */
export type SweepEpoch = RowIn<typeof EPOCH_COLUMNS>;

/** A shard and what is known of it so far. */
export interface ShardState {
  shard: Shard;
  runs: readonly GridRun[];
  /** What it was trained on; null before it has begun. */
  device: string | null;
}

/** `sweep.csv` has a row per run, `sweep.epochs.csv` next to it a row per epoch. */
export const epochsFile = (out: string) => out.replace(/\.csv$/, '.epochs.csv');

/** As many as the float32 of which they were made can tell. */
const DIGITS = 7;
const rounded = (value: number) => Number(value.toPrecision(DIGITS));

/**
 * Writes both files with all there is so far. A run that has not begun is there with 0 epochs.
 *
 * @returns the rows of the first
 */
export function writeResult(
  out: string,
  settings: SweepSettings,
  versions: Record<string, string>,
  states: readonly ShardState[],
): SweepRun[] {
  const runs: SweepRun[] = [];
  const epochs: SweepEpoch[] = [];
  for (const { key, ...run } of inOrder(settings, states)) {
    const { complete, last, firstNanEpoch, firstNanStep, maxAbsLogit: largest } = outcomeOf(run);
    runs.push({
      ...key,
      epochs: complete.length,
      firstNanEpoch,
      firstNanStep,
      lastFiniteLoss: last ? rounded(last.loss) : null,
      accuracy: last ? rounded(last.accuracy) : null,
      maxAbsLogit: largest === null ? null : rounded(largest),
      ...(run.fatal ?? NOT_LOOKED_FOR),
      seconds: last ? Math.round(last.seconds) : null,
    });
    for (const { epoch, loss: meanLoss, accuracy, maxAbsLogit } of complete)
      epochs.push({
        ...key,
        epoch,
        meanLoss: rounded(meanLoss),
        accuracy: rounded(accuracy),
        maxAbsLogit: rounded(maxAbsLogit),
      });
  }
  const devices = [...new Set(states.flatMap(({ device }) => device ?? []))].sort();
  const seconds = Math.round(states.reduce((sum, { runs: some }) => sum + secondsOf(some), 0));
  const described = { ...(settings as unknown as Record<string, Json>), devices, secondsOfShards: seconds };
  writeRunOf(epochsFile(out), { settings: described, versions, rows: epochs });
  writeRunOf(out, { settings: described, versions, rows: runs });
  return runs;
}

/** A sweep as it is in its two files. */
export interface SweepResult {
  settings: SweepSettings & {
    /** What it was trained on. */
    devices: string[];
    /** Added up over the shards, each trained by one process. */
    secondsOfShards: number;
  };
  versions: Readonly<Record<string, string>>;
  runs: SweepRun[];
  epochs: SweepEpoch[];
}

/**
 * Reads what `runSweep` has written, be it complete or not.
 *
 * @param out  the table of the runs; that of the epochs lies next to it
 * @throws Error naming the file if one of the two cannot be read, is damaged, or is something else
 */
export function readSweep(out: string): SweepResult {
  const { settings, versions, rows } = readRun(out);
  if (settings.losses === undefined || rows.some((row) => row.epochs === undefined))
    throw new Error(`readSweep: ${out} is not the table of a sweep's runs (the one without .epochs)`);
  return {
    settings: storedSettings(settings) as unknown as SweepResult['settings'],
    versions,
    runs: checkedRuns(rows, `readSweep: ${out}`),
    epochs: checkedRows(readRun(epochsFile(out)).rows, EPOCH_COLUMNS, `readSweep: ${epochsFile(out)}`),
  };
}

/** Whether there is nothing left to do. */
export const isComplete = (
  { epochs }: SweepSettings,
  runs: readonly Pick<SweepRun, 'epochs' | 'firstNanEpoch'>[],
) => runs.every((run) => run.firstNanEpoch !== null || run.epochs === epochs);

/**
 * What an earlier sweep has left in the file; undefined if there is none.
 *
 * @throws SweepError if it is of other settings, or something else
 */
export function readResult(out: string, settings: SweepSettings): SweepRun[] | undefined {
  for (const file of [out, epochsFile(out)]) removeLeftovers(file);
  if (!existsSync(out)) return undefined;
  let found: ReturnType<typeof readRun>;
  try {
    found = readRun(out);
  } catch (error) {
    throw new SweepError(`${(error as Error).message}; delete it, or choose another name`);
  }
  if (found.settings.losses === undefined)
    throw new SweepError(`${out} is not the result of a sweep; choose another name`);
  const stored: Record<string, unknown> = storedSettings(found.settings);
  const there = Object.fromEntries(Object.keys(settings).map((name) => [name, stored[name]]));
  const difference = firstDifference(there, { ...settings });
  if (difference !== undefined)
    throw new SweepError(`${out} belongs to another sweep: ${difference}; delete it, or choose another name`);
  return checkedRuns(found.rows, out);
}

/** What tells runs apart: a setting of the sweep, and the column with its value. */
export const AXES = {
  losses: 'loss',
  noises: 'noise',
  gammas: 'gamma',
  thresholds: 'threshold',
  seeds: 'seed',
} as const satisfies Partial<Record<keyof SweepSettings, keyof SweepRun>>;

type Axes = Record<keyof typeof AXES, readonly unknown[]>;
export type RunKey = Pick<SweepRun, (typeof AXES)[keyof typeof AXES]>;

/** The place of a run, or of its epochs, in the order of the settings. */
export function placeIn(axes: Axes, row: RunKey): number {
  return Object.entries(AXES).reduce((sum, [name, column]) => {
    const values = axes[name as keyof Axes];
    return sum * values.length + values.indexOf(row[column]);
  }, 0);
}

interface PlacedRun extends Pick<GridRun, 'records' | 'diverged' | 'fatal'> {
  key: RunKey;
}

/** The runs in the order of the settings, however they were sharded. */
function inOrder(settings: SweepSettings, states: readonly ShardState[]): PlacedRun[] {
  const runs = states.flatMap(({ shard: { noise, seed, models }, runs: found }) =>
    models.map(({ loss, gamma, threshold }, i) => {
      const { records, diverged, fatal } = found[i] ?? { records: [], diverged: null };
      return { key: { loss, noise, gamma, threshold, seed }, records, diverged, fatal };
    }),
  );
  return runs.sort((a, b) => placeIn(settings, a.key) - placeIn(settings, b.key));
}

const secondsOf = (runs: readonly GridRun[]) =>
  Math.max(0, ...runs.map(({ records }) => records.at(-1)?.seconds ?? 0));
