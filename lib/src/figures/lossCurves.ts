// Losses per epoch, published and ours, in notebooks 03, 04, 05 and 11.
import type { VegaLiteSpec } from '../display';
import { nanLane, seriesEncoding } from './style';

/** The mean loss of each epoch of a run, null in that of its first NaN: as `published` and `results.epochResults` give it. */
export type LossCurve = readonly { epoch: number; meanLoss: number | null }[];

/** By the name of the series: 'original', 'published original', 'noise 0.5', ... */
type LossCurves = Readonly<Record<string, LossCurve>>;

const EPOCH_TICKS = [0, 1, 2, 3, 5, 10, 20, 30, 50, 100, 200, 300, 500, 1000];

/** The x axis of what is drawn per epoch: logarithmic, and yet with an epoch 0. */
export const EPOCH_AXIS = {
  field: 'epoch',
  type: 'quantitative',
  title: 'epoch (counted from 0)',
  scale: { type: 'symlog' },
  axis: { values: EPOCH_TICKS, format: 'd', labelOverlap: 'greedy' },
};

/** A curve of a thousand epochs, thinned out as `EPOCH_AXIS` squeezes them; the first, the last and the NaN are kept. */
function thinned(curve: LossCurve, density: number): LossCurve {
  const place = (epoch: number) => Math.floor(density * Math.log1p(epoch));
  const end = curve.findIndex(({ meanLoss }) => meanLoss === null);
  const last = (end === -1 ? curve.length : end) - 1;
  return curve.filter(({ epoch }, i) => i === 0 || i >= last || place(epoch) > place(curve[i - 1].epoch));
}

/**
 * One row per point; `loss` is null at a first NaN.
 *
 * @param density  points from an epoch to the e-fold one
 */
export const lossRows = (curves: LossCurves, density = 20) =>
  Object.entries(curves).flatMap(([name, curve]) =>
    thinned(curve, density).map(({ epoch, meanLoss }) => ({ name, epoch, loss: meanLoss })),
  );
type LossRows = ReturnType<typeof lossRows>;

/** Curves of the mean loss, and a cross in the lane above for each first NaN. */
function lossLayers(
  rows: LossRows,
  { styles, mark = {}, scale = {} }: { styles: Record<string, object>; mark?: object; scale?: object },
): object[] {
  return [
    {
      data: { values: rows.filter((row) => row.loss !== null) },
      mark: { type: 'line', tooltip: true, ...mark },
      encoding: {
        x: EPOCH_AXIS,
        y: { field: 'loss', type: 'quantitative', title: 'mean loss', scale: { type: 'log', ...scale } },
        ...styles,
      },
    },
    ...nanLane(deathsIn(rows), {
      x: EPOCH_AXIS,
      tooltip: [{ field: 'name' }, { field: 'epoch', title: 'first NaN in epoch' }],
      label: 'epoch',
    }),
  ];
}

/** What is drawn, and whether some epochs are left out. */
function legendOf(rows: LossRows, curves: readonly LossCurves[]): string {
  const epochs = curves.flatMap((each) => Object.values(each)).reduce((sum, { length }) => sum + length, 0);
  const drawn =
    rows.length < epochs ? 'Mean loss per epoch (of later epochs not all)' : 'Mean loss of each epoch';
  return `${drawn}; a cross, with its epoch: the first NaN of a run.`;
}

const deathsIn = (rows: LossRows) =>
  rows.filter((row) => row.loss === null).map(({ name, epoch }) => ({ name, epoch }));

const deathsInWords = (rows: LossRows) =>
  deathsIn(rows)
    .map(({ name, epoch }) => `${name} in epoch ${epoch}`)
    .join(', ');

/**
 * Mean loss per epoch of published runs and ours at the same settings, as far as ours go, and to the NaN of a published run whose
 * namesake of ours met one too; a cross in the lane above is the epoch of a first NaN.
 */
export function lossPerEpoch({ published, ours }: { published: LossCurves; ours: LossCurves }): VegaLiteSpec {
  const ended = new Set(deathsIn(lossRows(ours)).map(({ name }) => name));
  const ends = [
    ...Object.values(ours).map((curve) => curve.at(-1)!.epoch),
    ...deathsIn(lossRows(published)).flatMap(({ name, epoch }) => (ended.has(name) ? [epoch] : [])),
  ];
  const end = Math.max(...ends);
  const theirs = Object.entries(published).map(([name, curve]) => [
    `published ${name}`,
    curve.filter(({ epoch }) => epoch <= end),
  ]);
  const curves = { ...(Object.fromEntries(theirs) as LossCurves), ...ours };
  const rows = lossRows(curves);
  const died = deathsInWords(rows);
  return {
    title: {
      text: died ? `First NaN: ${died}` : 'No run meets a NaN',
      subtitle: legendOf(rows, [curves]),
    },
    width: 560,
    height: 260,
    layer: lossLayers(rows, {
      styles: seriesEncoding('name', Object.keys(curves)),
      mark: { point: { size: 25 } },
    }),
  };
}

/** The curves of one panel of `lossBesidePublished`. */
export interface LossPanel {
  /** With which settings. */
  setting: string;
  curves: LossCurves;
}

/**
 * Mean loss per epoch, the published runs to the left and ours to the right, each with its own epochs: for runs with
 * other settings, whose epochs are not the same. A cross in the lane above is the epoch of a first NaN.
 */
export function lossBesidePublished(published: LossPanel, ours: LossPanel): VegaLiteSpec {
  const [left, right] = [lossRows(published.curves), lossRows(ours.curves)];
  const styles = seriesEncoding('name', Object.keys({ ...published.curves, ...ours.curves }));
  const losses = [...left, ...right].flatMap(({ loss }) => (loss === null ? [] : [loss]));
  const domain = [Math.min(...losses), Math.max(...losses)];
  const panel = (rows: LossRows, title: string, setting: string) => ({
    width: 290,
    height: 240,
    title: { text: [title, setting], fontSize: 12, fontWeight: 'normal', offset: 20 },
    layer: lossLayers(rows, { styles, scale: { domain } }),
  });
  const died = (rows: LossRows) => deathsInWords(rows) || 'none';
  return {
    title: {
      text: `First NaN, published: ${died(left)}; ours: ${died(right)}`,
      subtitle: legendOf([...left, ...right], [published.curves, ours.curves]),
    },
    hconcat: [panel(left, 'published', published.setting), panel(right, 'ours', ours.setting)],
  };
}
