import { evaluateLogits } from '../evaluation';
import type { ComparedRun, MarginCount } from '../results/lossComparison';
import type { LossSettings } from '../grid/losses';
import { outcomeOf } from './outcome';
import type { GridOptions } from '../grid/options';
import type { GridRun } from '../grid/run';
import { trainGrid } from '../grid/trainGrid';

/** 24 bits of float32 cannot tell the last of these epsilons from 0 next to 1, and need not. */
const EPSILONS = [1e-3, 1e-5, 1e-30];

/**
 * The losses that are compared: exact and stabilized at four gammas, and at two small ones, for which the authors suggest a
 * larger epsilon, the original and stabilized ones with three epsilons next to the exact one.
 *
 * @see notebooks/08-does-it-matter.ipynb
 */
export const COMPARED: readonly Pick<LossSettings, 'loss' | 'gamma' | 'epsilon'>[] = [
  ...[0.1, 0.5, 0.9, 2].flatMap((gamma) => [
    { loss: 'exact' as const, gamma, epsilon: 1e-3 },
    { loss: 'stabilized' as const, gamma, epsilon: 1e-3 },
  ]),
  ...[0.01, 0.05].flatMap((gamma) => [
    { loss: 'original' as const, gamma, epsilon: 1e-3 },
    { loss: 'exact' as const, gamma, epsilon: 1e-3 },
    ...EPSILONS.map((epsilon) => ({ loss: 'stabilized' as const, gamma, epsilon })),
  ]),
];

export interface ComparisonOptions extends Omit<GridOptions, 'models' | 'testImages'> {
  testImages: NonNullable<GridOptions['testImages']>;
  /** int32 [m], 0..9 */
  testDigits: GridOptions['digits'];
  /** Digits up to this one are class 1. */
  threshold: number;
  alpha: number;
}

/**
 * Trains the losses of COMPARED side by side from one seed, and tries the networks on test images.
 *
 * @returns a row for each of them, and the distribution of their margins on the test images
 * @throws as trainGrid
 */
export async function compareLosses({
  testDigits,
  threshold,
  alpha,
  ...options
}: ComparisonOptions): Promise<{ runs: ComparedRun[]; margins: MarginCount[] }> {
  const models = COMPARED.map((loss) => ({ ...loss, threshold, alpha }));
  const trained = await trainGrid({ ...options, models });
  const labels = Array.from(await testDigits.data(), (digit) => Number(digit <= threshold));
  return {
    runs: trained.map((run) => ({ seed: options.seed, ...rowOf(run, labels) })),
    margins: trained.flatMap((run) =>
      countMargins(run, labels).map((row) => ({ seed: options.seed, ...row })),
    ),
  };
}

const keyOf = ({ loss, gamma, epsilon }: GridRun) => ({
  loss,
  gamma,
  epsilon: loss === 'stabilized' ? epsilon : null,
});

function rowOf(run: GridRun, labels: readonly number[]): Omit<ComparedRun, 'seed'> {
  const { testLogits } = run;
  const { complete, last, ...death } = outcomeOf(run);
  const tested = testLogits === undefined ? undefined : evaluateLogits(testLogits, labels);
  return {
    ...keyOf(run),
    ...death,
    epochs: complete.length,
    trainingLoss: last?.loss ?? null,
    trainingAccuracy: last?.accuracy ?? null,
    accuracy: tested?.accuracy ?? null,
    crossEntropy: tested?.crossEntropy ?? null,
    brier: tested?.brier ?? null,
    calibrationError: tested?.calibrationError ?? null,
  };
}

function countMargins(run: GridRun, labels: readonly number[]): Omit<MarginCount, 'seed'>[] {
  const counts = new Map<number, number>();
  run.testLogits?.forEach((logit, i) => {
    const margin = Math.floor(labels[i] === 1 ? logit : -logit);
    counts.set(margin, (counts.get(margin) ?? 0) + 1);
  });
  const inOrder = [...counts].sort(([a], [b]) => a - b);
  return inOrder.map(([margin, count]) => ({ ...keyOf(run), margin, count }));
}
