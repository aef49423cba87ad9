// The figures of notebooks/02-nan-gradient.ipynb.
import type { VegaLiteSpec } from '../display';
import { CROSS, layerOf, NAN_COLOR, seriesEncoding } from './style';

export interface GradientAtLogit {
  /** 'original', 'stabilized' or 'exact' */
  loss: string;
  logit: number;
  gradient: number;
}

const unique = (names: readonly string[]) => [...new Set(names)];
const isNumber = (row: GradientAtLogit) => Number.isFinite(row.gradient);

/** A layer of crosses at height y (in the units of the figure), one for each gradient that is not a number. */
function nanCrosses(rows: readonly GradientAtLogit[], y: number): object[] {
  const nan = rows
    .filter((row) => !isNumber(row))
    .map(({ loss, logit }) => ({ loss, logit, gradient: 'NaN', y }));
  return layerOf(nan, {
    mark: { type: 'point', shape: CROSS, size: 60, color: NAN_COLOR, strokeWidth: 1.5 },
    encoding: {
      x: { field: 'logit', type: 'quantitative' },
      y: { field: 'y', type: 'quantitative' },
      tooltip: [{ field: 'loss' }, { field: 'logit', format: '.4f' }, { field: 'gradient' }],
    },
  });
}

/** Gradient against the logit; each gradient that is not a number is a cross on the zero line. */
export function gradientSweep(rows: readonly GradientAtLogit[], setting: string): VegaLiteSpec {
  const nan = rows.filter((row) => !isNumber(row));
  const from = Math.min(...nan.map((row) => row.logit));
  const dying = rows.filter((row) => nan.some(({ loss }) => loss === row.loss));
  const all = dying.every((row) => isNumber(row) === row.logit < from);
  const finding = nan.length
    ? `${nan.length} of ${rows.length} gradients are NaN${all ? `: all from logit ${from.toFixed(2)} on` : ''}`
    : `All ${rows.length} gradients are finite`;
  return {
    title: { text: finding, subtitle: `${setting}. A red cross is a NaN.` },
    width: 560,
    height: 240,
    layer: [
      {
        data: { values: rows.filter(isNumber) },
        mark: { type: 'line', point: { size: 12 }, tooltip: true },
        encoding: {
          x: { field: 'logit', type: 'quantitative', title: 'logit x (label 1)' },
          y: { field: 'gradient', type: 'quantitative', title: 'dFL/dx' },
          ...seriesEncoding('loss', unique(rows.map((row) => row.loss))),
        },
      },
      ...nanCrosses(rows, 0),
    ],
  };
}

/** Size of the gradient in the easy tail, logarithmic. Crosses above: NaN. Triangles on the floor: exactly 0. */
export function gradientTail(rows: readonly GradientAtLogit[], setting: string): VegaLiteSpec {
  const sizes = rows.filter(isNumber).map((row) => ({ ...row, gradient: Math.abs(row.gradient) }));
  const positive = sizes.filter((row) => row.gradient > 0);
  const floor = 10 ** Math.floor(Math.log10(Math.min(...positive.map((row) => row.gradient))));
  const fate = (loss: string) => {
    const own = rows.filter((row) => row.loss === loss);
    const end = own.find((row) => !(Math.abs(row.gradient) > 0)); // NaN or 0
    if (end === undefined) return `${loss}: alive to the end`;
    return `${loss}: ${Number.isNaN(end.gradient) ? 'NaN' : '0'} from ${end.logit}`;
  };
  const zeros = sizes.filter((row) => row.gradient === 0).map((row) => ({ ...row, y: floor }));
  const styles = seriesEncoding('loss', unique(rows.map((row) => row.loss)));
  const x = { field: 'logit', type: 'quantitative', title: 'logit x (label 1)' };
  return {
    title: {
      text: unique(rows.map((row) => row.loss))
        .map(fate)
        .join('; '),
      subtitle: `${setting}. Red crosses: NaN. Triangles on the floor: a gradient of exactly 0.`,
    },
    width: 560,
    height: 300,
    layer: [
      {
        data: { values: positive },
        mark: { type: 'line', tooltip: true },
        encoding: {
          x,
          y: {
            field: 'gradient',
            type: 'quantitative',
            title: '|dFL/dx|',
            scale: { type: 'log', domain: [floor, 1] },
            axis: { format: '.0e', tickCount: 8 },
          },
          ...styles,
        },
      },
      ...layerOf(zeros, {
        mark: { type: 'point', shape: 'triangle-down', size: 25, filled: true },
        encoding: {
          x,
          y: { field: 'y', type: 'quantitative' },
          color: styles.color,
          tooltip: [{ field: 'loss' }, { field: 'logit' }],
        },
      }),
      ...nanCrosses(rows, 1),
    ],
  };
}
