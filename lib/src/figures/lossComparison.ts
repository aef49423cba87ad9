// Exact against stabilized in training, for notebooks/08-does-it-matter.ipynb.
import type { VegaLiteSpec } from '../display';
import type { MarginCount, PairedDifference } from '../results';
import { seriesEncoding } from './style';

const MEASURES: Record<string, string> = {
  trainingLoss: 'training loss',
  accuracy: 'test accuracy',
  crossEntropy: 'test cross-entropy (nats)',
  brier: 'test Brier score',
  calibrationError: 'test calibration error',
  maxAbsLogit: 'largest training |logit|',
};

/** Stabilized minus exact: mean and 95 % interval over the seeds, a panel per measure. */
export function differenceIntervals(rows: readonly PairedDifference[], setting: string): VegaLiteSpec {
  const values = rows.map((row) => ({
    ...row,
    name: `gamma ${row.gamma}, epsilon ${row.epsilon.toExponential()}`,
  }));
  const names = [...new Set(values.map(({ name }) => name))];
  const measures = [...new Set(rows.map(({ measure }) => measure))];
  const apart = rows.filter(({ includesZero }) => !includesZero).length;
  const expected = 0.05 * rows.length;
  const seeds = Math.max(...rows.map(({ pairs }) => pairs));
  return {
    title: {
      text: `${seeds} seeds ${apart <= Math.ceil(expected) ? 'cannot tell them apart' : 'tell them apart'}: ${rows.length - apart} of ${rows.length} intervals include 0 (by chance ${(rows.length - expected).toFixed(0)} would)`,
      subtitle: `${setting}. Stabilized minus exact, pairs of one seed: mean and 95 % interval.`,
    },
    hconcat: measures.map((measure, i) => ({
      title: { text: MEASURES[measure], fontSize: 11, fontWeight: 'normal', offset: 4 },
      width: 124,
      height: { step: 22 },
      data: { values: values.filter((row) => row.measure === measure) },
      encoding: {
        y: {
          field: 'name',
          type: 'nominal',
          sort: names,
          title: null,
          axis: i === 0 ? { labelLimit: 0 } : { labels: false, ticks: false },
        },
        color: {
          field: 'includesZero',
          type: 'nominal',
          legend: null,
          scale: { domain: [true, false], range: ['#0072B2', '#D55E00'] },
        },
      },
      layer: [
        { mark: { type: 'rule', strokeWidth: 2 }, encoding: { x: { field: 'low', type: 'quantitative', title: null, axis: { tickCount: 3, format: '~g' } }, x2: { field: 'high' } } }, // prettier-ignore
        {
          mark: { type: 'point', filled: true, size: 45, opacity: 1, tooltip: true },
          encoding: { x: { field: 'mean', type: 'quantitative' } },
        },
        { mark: { type: 'rule', color: '#888888', strokeDash: [2, 2] }, encoding: { x: { datum: 0 }, y: null, color: null } }, // prettier-ignore
      ],
    })),
    spacing: 14,
  };
}

/** Distribution of the margins on the test images, exact and stabilized with one epsilon, a panel per gamma, the seeds together. */
export function marginDistribution(
  rows: readonly MarginCount[],
  { epsilon, setting }: { epsilon: number; setting: string },
): VegaLiteSpec {
  const own = rows.filter((row) => row.loss === 'exact' || row.epsilon === epsilon);
  const gammas = [...new Set(own.map(({ gamma }) => gamma))].sort((a, b) => a - b);
  const counts = (gamma: number, loss: string) => {
    const byMargin = new Map<number, number>();
    for (const row of own)
      if (row.gamma === gamma && row.loss === loss)
        byMargin.set(row.margin, (byMargin.get(row.margin) ?? 0) + row.count);
    return [...byMargin].sort(([a], [b]) => a - b);
  };
  const total = (of: [number, number][]) => of.reduce((sum, [, count]) => sum + count, 0);
  /** As if the counts of a bin, which begins at its margin, were spread evenly over its width of 1. */
  const median = (of: [number, number][]) => {
    let left = total(of) / 2;
    const [margin, count] = of.find(([, count]) => (left -= count) <= 0)!;
    return margin + 1 + left / count;
  };
  const domain = [
    Math.min(...own.map(({ margin }) => margin)),
    Math.max(...own.map(({ margin }) => margin)) + 1,
  ];
  const losses = ['exact', 'stabilized'].filter((loss) => own.some((row) => row.loss === loss));
  const medians = gammas.map(
    (gamma) =>
      `${losses.map((loss) => median(counts(gamma, loss)).toFixed(1)).join(' and ')} at gamma ${gamma}`,
  );
  const columns = gammas.length > 4 ? 3 : 4; // as many as fit a page
  return {
    title: {
      text: `Median margin, ${losses.join(' and ')}: ${medians[0]}, ${medians.at(-1)}`,
      subtitle: `${setting}, epsilon ${epsilon}. Share of the test images in bins of width 1, logarithmic, all seeds together.`,
    },
    columns,
    concat: gammas.map((gamma, i) => ({
      title: { text: `gamma ${gamma}`, fontSize: 12, fontWeight: 'normal', offset: 4 },
      width: 136,
      height: 190,
      data: {
        values: losses.flatMap((loss) => {
          const of = counts(gamma, loss);
          return of.map(([margin, count]) => ({ loss, margin: margin + 0.5, share: count / total(of) }));
        }),
      },
      mark: { type: 'line', interpolate: 'step', tooltip: true },
      encoding: {
        x: {
          field: 'margin',
          type: 'quantitative',
          title: 'margin z',
          scale: { domain },
          axis: { tickCount: 3 },
        },
        y: {
          field: 'share',
          type: 'quantitative',
          title: i % columns === 0 ? 'share of the test images' : null,
          scale: { type: 'log', domain: [1e-5, 1] },
          axis: { format: '.0e', tickCount: 5 },
        },
        ...seriesEncoding('loss', losses),
      },
    })),
    spacing: 14,
  };
}
