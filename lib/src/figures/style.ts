/** What is not a number is drawn in this color, as a cross. */
export const NAN_COLOR = '#B00020';
export const CROSS = 'M-.5,-.5L.5,.5M.5,-.5L-.5,.5';

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
  'noise 0': { color: '#D55E00', dash: [1, 0], width: 2 },
  'noise 0.5': { color: '#0072B2', dash: [7, 3], width: 2 },
  'noise 0.75': { color: '#009E73', dash: [2, 2], width: 2 },
};

/** Color, dash and width of the series named in a field; a legend in the order given if there is more than one. */
export function seriesEncoding(field: string, names: readonly string[]): Record<string, object> {
  const styles = names.map((name) => {
    if (!(name in SERIES))
      throw new RangeError(
        `no series is called '${name}'; expected one of: ${Object.keys(SERIES).join(', ')}`,
      );
    return SERIES[name];
  });
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

/** Color of a curve by its gamma: dark for small, light for large. A click on the legend singles curves out. */
export function gammaEncoding(): Record<string, unknown> {
  return {
    color: {
      field: 'gamma',
      type: 'ordinal',
      title: 'gamma',
      scale: { scheme: { name: 'plasma', extent: [0, 0.9] } },
    },
    opacity: { condition: { param: 'picked', value: 1 }, value: 0.12 },
  };
}

/** The legend selection that `gammaEncoding` refers to. */
export const GAMMA_PICKED = { name: 'picked', select: { type: 'point', fields: ['gamma'] }, bind: 'legend' };

/** A layer with data of its own, or no layer where there is nothing to draw: Vega-Lite objects to scales without data. */
export function layerOf(values: readonly object[], layer: object): object[] {
  return values.length > 0 ? [{ data: { values }, ...layer }] : [];
}
