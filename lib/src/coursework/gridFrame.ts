// Exercise 9: the paper's grid as a data frame.
import type { DataFrame } from 'danfojs-node';
import { median } from '../evaluation/median';
import { toDataFrame } from '../results/dataFrame';
import { mnistRuns, type PublishedRun } from '../results/published';
import { compare, type Sample } from './compare';
import { judge } from './verdict';

/** A frame, with the runs that it was made of. */
interface Grid {
  frame: DataFrame;
  runs: readonly PublishedRun[];
}

let grids: Grid[] | undefined;

/**
 * The published grid, and another one with the same columns in which other runs met a NaN, in another order: an answer that has
 * learnt the published numbers by heart is wrong there.
 */
function bothGrids(): Grid[] {
  if (grids === undefined) {
    const runs = mnistRuns();
    const others = runs.map((run): PublishedRun => ({ ...run, firstNanEpoch: otherEpoch(run) })).reverse();
    grids = [runs, others].map((each) => ({ frame: toDataFrame(each), runs: each }));
  }
  return grids;
}

/** None beyond epoch 20; and the stabilized loss meets a NaN, too, at two thresholds. */
function otherEpoch({ loss, firstNanEpoch, threshold }: PublishedRun): number | null {
  if (loss === 'stabilized') return threshold < 2 ? 5 + threshold : null;
  return firstNanEpoch !== null && firstNanEpoch <= 20 ? firstNanEpoch + (threshold % 3) : null;
}

const runsOf = (frame: DataFrame) => bothGrids().find((grid) => grid.frame === frame)!.runs;

type Args = [frame: DataFrame, value: number];

function samples(values: readonly number[], truth: (...args: Args) => number): Sample<Args>[] {
  return bothGrids().flatMap(({ frame }) =>
    values.map((value) => ({ args: [frame, value] as Args, truth: truth(frame, value) })),
  );
}

const NOISES = [0, 0.5, 0.75];
const isOriginal = ({ loss }: PublishedRun) => loss === 'original';
const met = ({ firstNanEpoch }: PublishedRun) => firstNanEpoch !== null;

/**
 * Checks 9.1: how many runs of the original loss met a NaN at an amplitude of noise.
 *
 * @param answer  (frame, noise) => number
 */
export function nanCount(answer: unknown): Promise<void> {
  const count = (frame: DataFrame, noise: number, isCounted: (run: PublishedRun) => boolean) =>
    runsOf(frame).filter((run) => run.noise === noise && isCounted(run)).length;
  return judge({
    '9.1 counting the NaN': () =>
      compare<Args>(answer, {
        name: 'nanCount',
        ordinary: samples(NOISES, (frame, noise) =>
          count(frame, noise, (run) => isOriginal(run) && met(run)),
        ),
        extreme: [],
        misconceptions: [
          {
            says: 'this counts all runs of the original loss, also those without a NaN',
            value: (frame, noise) => count(frame, noise, isOriginal),
          },
          {
            says: 'these are the runs that met none: a NaN in the column firstNanEpoch means that there was no NaN',
            value: (frame, noise) => count(frame, noise, (run) => isOriginal(run) && !met(run)),
          },
          {
            says: 'the runs of both losses are counted; in another grid the stabilized loss may meet a NaN, too',
            value: (frame, noise) => count(frame, noise, met),
          },
          {
            says: 'the amplitude of the noise makes no difference',
            value: (frame) => runsOf(frame).filter((run) => isOriginal(run) && met(run)).length,
          },
        ],
        tolerance: 1e-9,
        advice: 'The published grid has 78, 72 and 64 of them. (The check tries another grid, too.)',
      }),
  });
}

/** The epochs of the nine thresholds at a gamma, without noise: Infinity for a run that met no NaN. */
const epochsAt = (frame: DataFrame, gamma: number) =>
  runsOf(frame)
    .filter((run) => isOriginal(run) && run.noise === 0 && run.gamma === gamma)
    .map(({ firstNanEpoch }) => firstNanEpoch ?? Infinity);

const mean = (values: readonly number[]) => values.reduce((a, b) => a + b, 0) / values.length;

/**
 * Checks 9.2: the median epoch of the first NaN over the thresholds, of the original loss without noise. A run that met none is
 * later than all others.
 *
 * @param answer  (frame, gamma) => number, Infinity if the run in the middle met none
 */
export function medianEpoch(answer: unknown): Promise<void> {
  const ended = (frame: DataFrame, gamma: number) => epochsAt(frame, gamma).filter(Number.isFinite);
  const others = (frame: DataFrame, gamma: number, isMeant: (run: PublishedRun) => boolean) =>
    median(
      runsOf(frame)
        .filter((run) => run.gamma === gamma && isMeant(run))
        .map(({ firstNanEpoch }) => firstNanEpoch ?? Infinity),
    );
  return judge({
    '9.2 the median epoch': () =>
      compare<Args>(answer, {
        name: 'medianEpoch',
        ordinary: samples([0.1, 0.3, 0.5, 0.7, 0.9, 2], (frame, gamma) => median(epochsAt(frame, gamma))),
        extreme: [],
        misconceptions: [
          {
            says: 'the runs without a NaN are left out; they are later than all others, and push the middle up',
            value: (frame, gamma) => median(ended(frame, gamma)),
          },
          {
            says: 'this is a mean, and the runs without a NaN are left out of it',
            value: (frame, gamma) => mean(ended(frame, gamma)),
          },
          {
            says: 'the runs without a NaN are counted as epoch 0: null, or NaN, is not 0',
            value: (frame, gamma) =>
              median(epochsAt(frame, gamma).map((epoch) => (epoch < Infinity ? epoch : 0))),
          },
          {
            says: 'epochs are counted from 0 in the frame, and here from 1',
            value: (frame, gamma) => median(epochsAt(frame, gamma)) + 1,
          },
          {
            says: 'the runs with noise are in it, too',
            value: (frame, gamma) => others(frame, gamma, isOriginal),
          },
          {
            says: 'the runs of the stabilized loss are in it, too',
            value: (frame, gamma) => others(frame, gamma, ({ noise }) => noise === 0),
          },
        ],
        tolerance: 1e-9,
        advice: 'Print the nine epochs, sorted, and look at the one in the middle.',
      }),
  });
}

/**
 * Checks 9.3: at how many settings the original loss with noise met its NaN in a later epoch than without. A run that met none
 * is later than any that did.
 *
 * @param answer  (frame, noise) => number
 */
export function later(answer: unknown): Promise<void> {
  const count = (frame: DataFrame, noise: number, isCounted: (noisy: number, clean: number) => boolean) => {
    const runs = runsOf(frame).filter(isOriginal);
    const epochOf = (run: PublishedRun, of: number) =>
      runs.find(
        ({ noise, gamma, threshold }) => noise === of && gamma === run.gamma && threshold === run.threshold,
      )!.firstNanEpoch ?? Infinity;
    const settings = runs.filter((run) => run.noise === 0);
    return settings.filter((run) => isCounted(epochOf(run, noise), epochOf(run, 0))).length;
  };
  return judge({
    '9.3 noise and clean, setting by setting': () =>
      compare<Args>(answer, {
        name: 'later',
        ordinary: samples([0.5, 0.75], (frame, noise) =>
          count(frame, noise, (noisy, clean) => noisy > clean),
        ),
        extreme: [],
        misconceptions: [
          {
            says: 'settings whose noisy run met no NaN are left out; it is later than any',
            value: (frame, noise) =>
              count(frame, noise, (noisy, clean) => noisy > clean && Number.isFinite(noisy)),
          },
          {
            says: 'settings with the same epoch, or without a NaN in both, are counted: later is more than that',
            value: (frame, noise) => count(frame, noise, (noisy, clean) => noisy >= clean),
          },
          {
            says: 'these are the settings at which the noisy run was sooner',
            value: (frame, noise) => count(frame, noise, (noisy, clean) => noisy < clean),
          },
        ],
        tolerance: 1e-9,
        advice:
          'For each run without noise, find the one with the same gamma and threshold, and compare the two epochs.',
      }),
  });
}
