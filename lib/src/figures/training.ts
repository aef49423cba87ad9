// The figures of notebooks/03-mnist-classification.ipynb.
import type { VegaLiteSpec } from '../display';
import { CROSS, layerOf, NAN_COLOR, seriesEncoding } from './style';

/** From this |logit| on a float32 gradient of the original loss is NaN: 24 ln 2 for label 1, 25 ln 2 for label 0. */
export const FIRST_NAN_LOGITS = [
  { value: 24 * Math.LN2, text: 'NaN from here for label 1' },
  { value: 25 * Math.LN2, text: 'and for label 0' },
];

export interface Curve {
  /** 'original', 'stabilized', 'exact' or 'control (gamma 2)' */
  name: string;
  records: readonly { step: number; loss: number; accuracy: number; maxAbsLogit: number }[];
  /** where the first non-finite gradient appeared, if it did */
  diverged: { step: number } | null;
}

/** Loss, accuracy and largest |logit| against the training step, the death of a run marked in each panel. */
export function trainingCurves(curves: readonly Curve[], setting: string): VegaLiteSpec {
  const rows = curves.flatMap(({ name, records }) =>
    records.map(({ step, loss, accuracy, maxAbsLogit }) => ({ name, step, loss, accuracy, maxAbsLogit })),
  );
  const deaths = curves.flatMap(({ name, diverged }) => (diverged ? [{ name, step: diverged.step }] : []));
  const styles = seriesEncoding(
    'name',
    curves.map((curve) => curve.name),
  );
  const x = { field: 'step', type: 'quantitative', title: 'training step' };

  const panel = (
    field: 'loss' | 'accuracy' | 'maxAbsLogit',
    title: string,
    scale: object,
    extra: object[] = [],
  ) => ({
    width: 560,
    height: 150,
    layer: [
      {
        data: { values: rows },
        mark: { type: 'line', tooltip: true },
        encoding: { x, y: { field, type: 'quantitative', title, scale }, ...styles },
      },
      ...layerOf(deaths, {
        mark: { type: 'rule', color: NAN_COLOR },
        encoding: { x, tooltip: [{ field: 'name' }, { field: 'step', title: 'first NaN gradient in step' }] },
      }),
      ...layerOf(deaths, {
        mark: { type: 'point', shape: CROSS, size: 130, color: NAN_COLOR, strokeWidth: 2 },
        encoding: { x, y: { value: 6 } },
      }),
      ...extra,
    ],
  });
  const walls = FIRST_NAN_LOGITS.map(({ value, text }, i) => ({
    data: { values: [{ value, text }] },
    layer: [
      {
        mark: { type: 'rule', color: '#888888', strokeDash: [2, 2] },
        encoding: { y: { field: 'value', type: 'quantitative' } },
      },
      {
        mark: {
          type: 'text',
          align: 'left',
          dx: 4,
          baseline: i ? 'bottom' : 'top',
          dy: i ? -2 : 3,
          color: '#555555',
          fontSize: 10,
        },
        encoding: { x: { value: 0 }, y: { field: 'value', type: 'quantitative' }, text: { field: 'text' } },
      },
    ],
  }));

  const died = deaths
    .map(({ name, step }) => `the ${name} loss dies in step ${step.toLocaleString('en')}`)
    .join(', ');
  const rest =
    curves.length > deaths.length
      ? `; ${curves.length - deaths.length > 1 ? 'the others go on' : 'the other goes on'}`
      : '';
  return {
    title: {
      text: died ? `${died[0].toUpperCase()}${died.slice(1)}${rest}` : 'No run has met a NaN',
      subtitle: `${setting}. Red line and cross: first NaN gradient.`,
    },
    vconcat: [
      panel('loss', 'mean loss', { type: 'log' }),
      panel('accuracy', 'accuracy', { zero: false }),
      panel('maxAbsLogit', 'largest |logit|', {}, walls),
    ],
  };
}

export interface EpochLoss {
  /** 'original', 'published original', ... */
  name: string;
  epoch: number;
  /** null in the epoch in which the run met its first NaN */
  loss: number | null;
}

/** The x axis of what is drawn per epoch. */
export const EPOCH_AXIS = {
  field: 'epoch',
  type: 'quantitative',
  title: 'epoch (counted from 0)',
  axis: { tickMinStep: 1, format: 'd' },
};

/** Curves of the mean loss, and a cross on the axis, at the foot of a panel of this height, for each first NaN. */
function lossLayers(
  rows: readonly EpochLoss[],
  { height, styles, mark = {}, scale = {} }: { height: number; styles: Record<string, object>; mark?: object; scale?: object }, // prettier-ignore
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
    ...layerOf(deathsIn(rows), {
      mark: { type: 'point', shape: CROSS, size: 110, strokeWidth: 2 },
      encoding: {
        x: EPOCH_AXIS,
        y: { value: height - 5 },
        color: styles.color,
        tooltip: [{ field: 'name' }, { field: 'epoch', title: 'first NaN in epoch' }],
      },
    }),
  ];
}

function deathsIn(rows: readonly EpochLoss[]): { name: string; epoch: number }[] {
  return rows.filter((row) => row.loss === null).map(({ name, epoch }) => ({ name, epoch }));
}

const deathsInWords = (rows: readonly EpochLoss[]) =>
  deathsIn(rows)
    .map(({ name, epoch }) => `${name} in epoch ${epoch}`)
    .join(', ');

/** Mean loss per epoch, the published runs beside ours; a cross on the axis is the epoch of the first NaN. */
export function lossPerEpoch(rows: readonly EpochLoss[]): VegaLiteSpec {
  const names = [...new Set(rows.map((row) => row.name))];
  const died = deathsInWords(rows);
  return {
    title: {
      text: died ? `First NaN: ${died}` : 'No run has met a NaN',
      subtitle: 'Mean loss of each epoch; a cross on the axis marks the epoch of the first NaN.',
    },
    width: 560,
    height: 260,
    layer: lossLayers(rows, {
      height: 260,
      styles: seriesEncoding('name', names),
      mark: { point: { size: 25 } },
    }),
  };
}

/** The curves of one panel of `lossBesidePublished`. */
export interface LossPanel {
  /** With which settings. */
  setting: string;
  rows: readonly EpochLoss[];
}

/**
 * Mean loss per epoch, the published runs to the left and ours to the right, each with its own epochs: for runs with
 * other settings, whose epochs are not the same. A cross on the axis is the epoch of the first NaN.
 */
export function lossBesidePublished(published: LossPanel, ours: LossPanel): VegaLiteSpec {
  const names = [...new Set([...published.rows, ...ours.rows].map((row) => row.name))];
  const styles = seriesEncoding('name', names);
  const losses = [...published.rows, ...ours.rows].flatMap(({ loss }) => (loss === null ? [] : [loss]));
  const domain = [Math.min(...losses), Math.max(...losses)];
  const panel = (shown: LossPanel, title: string) => ({
    width: 290,
    height: 240,
    title: { text: [title, shown.setting], fontSize: 12, fontWeight: 'normal' },
    layer: lossLayers(shown.rows, { height: 240, styles, scale: { domain } }),
  });
  const died = ({ rows }: LossPanel) => deathsInWords(rows) || 'none';
  return {
    title: {
      text: `First NaN, published: ${died(published)}; ours: ${died(ours)}`,
      subtitle: 'Mean loss of each epoch; a cross on the axis marks the epoch of the first NaN.',
    },
    hconcat: [panel(published, 'published'), panel(ours, 'ours')],
  };
}

export interface Death {
  gamma: number;
  threshold: number;
  /** step of the first NaN gradient; null if there was none */
  step: number | null;
}

/** Gamma against threshold: the step of the first NaN gradient, or a dash where there was none. */
export function deathMap(rows: readonly Death[], setting: string): VegaLiteSpec {
  const dead = rows.filter((row) => row.step !== null);
  const cells = rows.map((row) => ({
    ...row,
    label: row.step === null ? '–' : row.step.toLocaleString('en'),
  }));
  const within = dead.filter((row) => row.gamma > 0 && row.gamma < 1).length;
  const x = {
    field: 'threshold',
    type: 'ordinal',
    title: 'threshold: digits up to this one are class 1',
    axis: { labelAngle: 0 },
  };
  const y = { field: 'gamma', type: 'ordinal', title: 'gamma' };
  return {
    title: {
      text: `${dead.length} of ${rows.length} runs die, ${within} of them with 0 < gamma < 1`,
      subtitle: `${setting}. Number and color: step of the first NaN gradient; a dash: none.`,
    },
    width: { step: 90 },
    height: { step: 34 },
    encoding: { x, y },
    layer: [
      ...layerOf(
        cells.filter((cell) => cell.step !== null),
        {
          mark: { type: 'rect', tooltip: true },
          encoding: {
            color: {
              field: 'step',
              type: 'quantitative',
              legend: null, // the number stands in the cell
              scale: { scheme: { name: 'viridis', extent: [0.35, 1] }, type: 'log' },
            },
          },
        },
      ),
      {
        data: { values: cells },
        mark: { type: 'text', fontSize: 12 },
        encoding: { text: { field: 'label', type: 'nominal' } },
      },
    ],
  };
}
