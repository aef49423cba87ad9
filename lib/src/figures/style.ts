import { NAN_COLOR } from '../display/nanColor';

const CROSS = 'M-.5,-.5L.5,.5M.5,-.5L-.5,.5';
const LANE = -14; // pixels: above the plot

/**
 * NaN has no value, so along an axis it is a cross in a lane above the axes, one for each; no layer where there is none.
 *
 * @param rows  a row per NaN, with the field of `x` and those of the tooltip
 * @param label  a field that is written next to each cross, to the left of it where another one follows
 */
export function nanLane(
  rows: readonly object[],
  { x, tooltip, label }: { x: { field: string }; tooltip: readonly object[]; label?: string },
): object[] {
  const y = { value: LANE };
  const cross = { type: 'point', shape: CROSS, size: 70, color: NAN_COLOR, strokeWidth: 1.8, opacity: 1 };
  const text = { type: 'text', color: NAN_COLOR, fontSize: 11 };
  const placeOf = (row: object) => (row as Record<string, number>)[x.field];
  const last = Math.max(...rows.map(placeOf));
  return [
    ...layerOf(rows, { mark: cross, encoding: { x, y, tooltip } }),
    ...layerOf(rows.slice(0, 1), {
      mark: { ...text, align: 'right', dx: -8, fontWeight: 'bold' },
      encoding: { x: { value: 0 }, y, text: { value: 'NaN' } },
    }),
    ...(label === undefined ? [] : [true, false]).flatMap((isLast) =>
      layerOf(
        rows.filter((row) => (placeOf(row) === last) === isLast),
        {
          mark: { ...text, ...(isLast ? { align: 'left', dx: 8 } : { align: 'right', dx: -8 }) },
          encoding: { x, y, text: { field: label } },
        },
      ),
    ),
  ];
}

/** Amplitudes of noise, from none to the largest; no loss has one of these colors. */
export const NOISE_COLORS = ['#222222', '#56B4E9', '#E69F00'];

/** In maps: no NaN. */
export const SAFE_COLOR = '#DDEBE6';

/**
 * In maps: how soon the NaN comes, from crimson (at once) to pale (late), on a logarithmic scale; and ink that is legible on it.
 *
 * @param domain  the soonest and the latest value of `field`
 */
export function soonToLate(field: string, [soonest, latest]: readonly [number, number]) {
  const color = {
    field,
    type: 'quantitative',
    legend: null, // the number stands in the cell
    scale: { type: 'log', domain: [soonest, latest], range: [NAN_COLOR, '#FBE4DD'], clamp: true },
  };
  const dark = soonest * (latest / soonest) ** 0.32;
  const test = `isValid(datum['${field}']) && datum['${field}'] < ${dark}`;
  const ink = { condition: { test, value: 'white' }, value: '#222222' };
  return { color, ink };
}

/** In maps gamma grows upwards, as on an axis. */
export const GAMMA_UPWARDS = { field: 'gamma', type: 'ordinal', title: 'gamma', sort: 'descending' };

/** Sizes of errors, on a logarithmic scale: the larger, the darker. */
export const errorScale = (domain: readonly [number, number]) => ({
  type: 'log',
  domain,
  clamp: true,
  scheme: 'viridis',
  reverse: true,
});

/**
 * One color, dash and width per series in every figure. The colors are from the Okabe-Ito palette, which color-blind
 * readers can tell apart; the original is widest, so that it shows under a curve that coincides with it.
 */
const SERIES: Record<string, { color: string; dash: number[]; width: number }> = {
  original: { color: '#D55E00', dash: [1, 0], width: 4 },
  stabilized: { color: '#0072B2', dash: [7, 3], width: 2.5 },
  exact: { color: '#009E73', dash: [2, 2], width: 1.5 },
  'control (gamma 2)': { color: '#CC79A7', dash: [10, 2], width: 1.5 },
  'published original': { color: '#444444', dash: [7, 2, 2, 2], width: 1.5 },
  'published stabilized': { color: '#999999', dash: [2, 3], width: 1.5 },
  'noise 0': { color: NOISE_COLORS[0], dash: [1, 0], width: 2 },
  'noise 0.5': { color: NOISE_COLORS[1], dash: [7, 3], width: 2 },
  'noise 0.75': { color: NOISE_COLORS[2], dash: [2, 2], width: 2 },
};

function styleOf(name: string) {
  if (!(name in SERIES))
    throw new RangeError(`no series is called '${name}'; expected one of: ${Object.keys(SERIES).join(', ')}`);
  return SERIES[name];
}

/** The same as properties of a mark, where a chart has one series only. */
export function seriesMark(name: string): { color: string; strokeDash: number[]; strokeWidth: number } {
  const { color, dash, width } = styleOf(name);
  return { color, strokeDash: dash, strokeWidth: width };
}

/** Color, dash and width of the series named in a field; a legend in the order given if there is more than one. */
export function seriesEncoding(field: string, names: readonly string[]): Record<string, object> {
  const styles = names.map(styleOf);
  const channel = (range: unknown[]) => ({
    field,
    type: 'nominal',
    title: null,
    scale: { domain: names, range },
    legend: names.length > 1 ? { symbolType: 'stroke', symbolSize: 400, labelLimit: 0 } : null,
  });
  return {
    color: channel(styles.map((style) => style.color)),
    strokeDash: channel(styles.map((style) => style.dash)),
    strokeWidth: { ...channel(styles.map((style) => style.width)), type: 'ordinal' },
  };
}

/** Color of a curve by its gamma: dark for small, light for large; dashed outside (0, 1). A click on the legend singles curves out. */
export function gammaEncoding(): Record<string, unknown> {
  return {
    color: {
      field: 'gamma',
      type: 'ordinal',
      title: 'gamma',
      scale: { scheme: { name: 'plasma', extent: [0, 0.9] } },
    },
    strokeDash: { condition: { test: 'datum.gamma > 0 && datum.gamma < 1', value: [1, 0] }, value: [5, 3] },
    opacity: { condition: { param: 'picked', value: 1 }, value: 0.12 },
  };
}

/** The legend selection that `gammaEncoding` refers to. */
export const GAMMA_PICKED = { name: 'picked', select: { type: 'point', fields: ['gamma'] }, bind: 'legend' };

/** A layer with data of its own, or no layer where there is nothing to draw: Vega-Lite objects to scales without data. */
export function layerOf(values: readonly object[], layer: object): object[] {
  return values.length > 0 ? [{ data: { values }, ...layer }] : [];
}

/** Five digits are more than a page can show, and a third of the bytes. */
export function shortened<Row extends object>(rows: readonly Row[]): Row[] {
  const shorten = (value: unknown) => (typeof value === 'number' ? Number(value.toPrecision(5)) : value);
  return rows.map(
    (row) => Object.fromEntries(Object.entries(row).map(([key, value]) => [key, shorten(value)])) as Row,
  );
}

/** A table as text, a tenth of the size of its rows as objects in a notebook. No cell has a comma in it. */
export const csv = (names: readonly string[], rows: readonly (readonly unknown[])[]) =>
  [names, ...rows].map((cells) => cells.join(',')).join('\n');
