import { meanInterval, type Interval } from '../evaluation/interval';
import { LOSS_NAMES } from '../grid/lossNames';
import { readRun, writeRunOf, type Json } from './runFile';
import { checkedRows, number, oneOf, orNone, type RowIn } from './table';

const LOSS = oneOf(...LOSS_NAMES);

const RUN_COLUMNS = {
  seed: number,
  loss: LOSS,
  gamma: number,
  /** Of the stabilized loss; null for the others. */
  epsilon: orNone(number),
  /** Complete epochs. */
  epochs: number,
  /** null: no NaN. */
  firstNanEpoch: orNone(number),
  firstNanStep: orNone(number),
  /** Mean of the last complete epoch; null before the first. */
  trainingLoss: orNone(number),
  trainingAccuracy: orNone(number),
  /** Largest |logit| of the last complete epoch, or of the batch that met the NaN. */
  maxAbsLogit: orNone(number),
  /** On the test images; null for a run that met a NaN. */
  accuracy: orNone(number),
  crossEntropy: orNone(number),
  brier: orNone(number),
  calibrationError: orNone(number),
};

/** One training run of a comparison of losses: a row of its file. Epochs count from 0. */
export type ComparedRun = RowIn<typeof RUN_COLUMNS>;

const MARGIN_COLUMNS = {
  seed: number,
  loss: LOSS,
  gamma: number,
  epsilon: orNone(number),
  /** An integer. */
  margin: number,
  count: number,
};

/** How many test images of a run have a margin (the logit, positive where it is right) in [margin, margin + 1). */
export type MarginCount = RowIn<typeof MARGIN_COLUMNS>;

export interface LossComparison {
  settings: Readonly<Record<string, Json>>;
  versions: Readonly<Record<string, string>>;
  runs: ComparedRun[];
  margins: MarginCount[];
}

/** `comparison.csv` has a row per run, `comparison.margins.csv` next to it a row per run and margin. */
const marginsFile = (file: string) => file.replace(/\.csv$/, '.margins.csv');

/** Writes both files. Does not load TensorFlow. */
export function writeLossComparison(
  file: string,
  { settings, versions, runs, margins }: LossComparison,
): void {
  writeRunOf(marginsFile(file), { settings, versions, rows: margins });
  writeRunOf(file, { settings, versions, rows: runs });
}

/**
 * Reads what `npm run compare` has written.
 *
 * @throws Error naming the file if one of the two cannot be read, is damaged, or is something else
 */
export function readLossComparison(file: string): LossComparison {
  const { settings, versions, rows } = readRun(file);
  const runs = checkedRows(rows, RUN_COLUMNS, `readLossComparison: ${file}`);
  const { rows: margins } = readRun(marginsFile(file));
  return {
    settings,
    versions,
    runs,
    margins: checkedRows(margins, MARGIN_COLUMNS, `readLossComparison: ${marginsFile(file)}`),
  };
}

/** What can be compared between two runs. */
export type Measure =
  'trainingLoss' | 'maxAbsLogit' | 'accuracy' | 'crossEntropy' | 'brier' | 'calibrationError';

/** Stabilized minus exact over the seeds, with a 95 % confidence interval. */
export interface PairedDifference extends Interval {
  gamma: number;
  epsilon: number;
  measure: Measure;
  /** Mean of the exact loss over the same seeds. */
  exact: number;
  /** Pairs with the same seed in which both runs have come to the end. */
  pairs: number;
  /** The interval does: the seeds do not tell the two losses apart. */
  includesZero: boolean;
}

/**
 * Compares the stabilized loss with the exact one, seed by seed: the two runs of a pair start from the same weights and see
 * the same batches.
 *
 * @returns a row for each gamma, epsilon and measure with at least two pairs
 */
export function pairedDifferences(
  runs: readonly ComparedRun[],
  measures: readonly Measure[],
): PairedDifference[] {
  const stabilized = runs.filter(({ loss }) => loss === 'stabilized');
  const settings = new Map(
    stabilized.map(({ gamma, epsilon }) => [`${gamma} ${epsilon}`, { gamma, epsilon }]),
  );
  return [...settings.values()].flatMap(({ gamma, epsilon }) =>
    measures.flatMap((measure) => {
      const pairs = stabilized
        .filter((run) => run.gamma === gamma && run.epsilon === epsilon)
        .flatMap((run) => {
          const other = runs.find(
            ({ loss, seed, gamma: of }) => loss === 'exact' && seed === run.seed && of === gamma,
          );
          const [a, b] = [run[measure], other?.[measure] ?? null];
          const finished = run.firstNanStep === null && other?.firstNanStep === null;
          return finished && a !== null && b !== null ? [{ difference: a - b, exact: b }] : [];
        });
      if (pairs.length < 2) return [];
      const interval = meanInterval(pairs.map(({ difference }) => difference));
      const exact = pairs.reduce((sum, pair) => sum + pair.exact, 0) / pairs.length;
      const includesZero = interval.low <= 0 && interval.high >= 0;
      return [{ gamma, epsilon: epsilon!, measure, exact, pairs: pairs.length, includesZero, ...interval }];
    }),
  );
}
