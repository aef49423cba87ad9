// Bound and precision of the exact loss, for notebooks/06-exact-focal-loss.ipynb.
import type { VegaLiteSpec } from '../display';
import { NAN_COLOR } from '../display/nanColor';
import { errorInUlps, FORMATS } from '../precision';
import { errorScale, GAMMA_UPWARDS, layerOf } from './style';

export interface BoundAtGamma {
  gamma: number;
  /** The largest |dFL/dz| found, at alpha_t = 1. */
  largest: number;
  /** By name: what it was proven not to exceed. */
  bounds: Readonly<Record<string, number>>;
}

const BOUND_STYLES = { color: ['#009E73', '#0072B2', '#CC79A7', '#999999'], dash: [[1, 0], [7, 3], [2, 2], [7, 2, 2, 2]] }; // prettier-ignore

/** The largest slope of the loss against gamma, with its bounds. */
export function gradientBound(rows: readonly BoundAtGamma[]): VegaLiteSpec {
  const names = ['largest found', ...Object.keys(rows[0].bounds)];
  const values = rows.flatMap(({ gamma, largest, bounds }) =>
    Object.entries({ 'largest found': largest, ...bounds }).map(([name, slope]) => ({
      gamma,
      name,
      excess: slope - 1,
    })),
  );
  const holds = rows.every(({ largest, bounds }) => Object.values(bounds).every((bound) => largest <= bound));
  const last = rows.reduce((a, b) => (b.gamma > a.gamma ? b : a));
  return {
    title: {
      text: `Even at gamma ${last.gamma} no slope exceeds ${(Math.ceil(100 * last.largest) / 100).toFixed(2)}${
        holds ? '; every bound holds' : '; A BOUND FAILS'
      }`,
      subtitle:
        'By how much the largest |dFL/dz| over all logits exceeds 1, without alpha, and what it is proven not to exceed.',
    },
    width: 560,
    height: 260,
    data: { values: values.filter(({ excess }) => excess > 0) },
    mark: { type: 'line', clip: true, tooltip: true },
    encoding: {
      x: {
        field: 'gamma',
        type: 'quantitative',
        scale: { type: 'log' },
        axis: { format: '~g', tickCount: 6 },
      },
      y: {
        field: 'excess',
        type: 'quantitative',
        title: 'slope or bound, minus 1',
        scale: { type: 'log' },
        axis: { format: '~e', tickCount: 6 },
      },
      color: { field: 'name', type: 'nominal', title: null, sort: names, scale: { domain: names, range: BOUND_STYLES.color }, legend: { symbolType: 'stroke', symbolSize: 400, labelLimit: 0 } }, // prettier-ignore
      strokeDash: { field: 'name', type: 'nominal', title: null, sort: names, scale: { domain: names, range: BOUND_STYLES.dash } }, // prettier-ignore
    },
  };
}

/** A float32 result next to the true value. */
export interface ComputedValue {
  /** 'textbook', 'log space', 'exact': a column of the figure each. */
  form: string;
  /** A row of the figure each. */
  quantity: 'loss' | 'gradient';
  gamma: number;
  logit: number;
  computed: number;
  expected: number;
}

const SMALLEST_NORMAL = 2 ** FORMATS.float32.minExponent;

/** With the error in ulp; null where the true value is below the normal numbers. */
interface MeasuredValue extends ComputedValue {
  ulps: number | null;
}

/** NaN if one of the two is. */
const larger = (a: number, b: number) => (Number.isNaN(a) || Number.isNaN(b) ? NaN : Math.max(a, b));

/**
 * Maps of the largest error, in units in the last place of float32, over logit (in bins) and gamma, a panel for each form and
 * quantity. Red: some result is not a number. Gray: all true values are below the normal numbers of float32.
 *
 * @param width  of a bin of logits
 */
export function ulpMaps(
  rows: readonly ComputedValue[],
  { width, setting }: { width: number; setting: string },
): VegaLiteSpec {
  const forms = [...new Set(rows.map(({ form }) => form))];
  const quantities = [...new Set(rows.map(({ quantity }) => quantity))];
  const measured = rows.map((row): MeasuredValue => {
    const isNormal = Math.abs(row.expected) >= SMALLEST_NORMAL;
    return { ...row, ulps: isNormal ? errorInUlps(row.computed, row.expected, 'float32') : null };
  });
  const worst = (form: string) =>
    measured.reduce((max, row) => (row.form === form && row.ulps !== null ? larger(max, row.ulps) : max), 0);
  const inWords = (form: string) => {
    const error = worst(form);
    return `${form}: ${Number.isNaN(error) ? 'NaN' : error < 1000 ? `${error.toFixed(0)} ulp` : `${error.toExponential(0)} ulp`}`;
  };
  return {
    title: {
      text: `Largest error by form. ${forms.map(inWords).join('; ')}`,
      subtitle: `${setting}. Red: NaN. Gray: the true value is below 1.2e-38, which float32 cannot hold in full.`,
    },
    vconcat: quantities.map((quantity, row) => ({
      hconcat: forms.map((form, column) =>
        ulpPanel(
          measured.filter((each) => each.form === form && each.quantity === quantity),
          { width, title: `${form}, ${quantity}`, bottom: row === quantities.length - 1, left: column === 0 },
        ),
      ),
      spacing: 12,
    })),
    spacing: 8,
  };
}

function ulpPanel(
  rows: readonly MeasuredValue[],
  { width, title, bottom, left }: { width: number; title: string; bottom: boolean; left: boolean },
): object {
  const bins = new Map<
    string,
    { gamma: number; logit: number; end: number; ulps: number; normal: boolean }
  >();
  for (const { gamma, logit, computed, ulps } of rows) {
    const start = Math.floor(logit / width) * width;
    const bin = bins.get(`${gamma} ${start}`) ?? {
      gamma,
      logit: start,
      end: start + width,
      ulps: 0,
      normal: false,
    };
    if (ulps !== null) {
      bin.ulps = larger(bin.ulps, ulps);
      bin.normal = true;
    } else if (Number.isNaN(computed)) bin.ulps = NaN;
    bins.set(`${gamma} ${start}`, bin);
  }
  const all = [...bins.values()];
  const nan = all.filter(({ ulps }) => Number.isNaN(ulps)).map((bin) => ({ ...bin, ulps: 'NaN' }));
  const lost = all.filter(({ ulps, normal }) => !normal && !Number.isNaN(ulps));
  const measured = all
    .filter(({ ulps, normal }) => normal && !Number.isNaN(ulps))
    .map((bin) => ({ ...bin, ulps: Number(bin.ulps.toPrecision(3)) }));
  const tooltip = [{ field: 'gamma' }, { field: 'logit', title: 'logit from' }, { field: 'ulps' }];
  return {
    title: { text: title, fontSize: 12, fontWeight: 'normal', offset: 4 },
    width: 190,
    height: 170,
    encoding: {
      x: {
        field: 'logit',
        type: 'quantitative',
        title: bottom ? 'logit x (label 1)' : null,
        axis: { tickCount: 6 },
      },
      x2: { field: 'end' },
      y: { ...GAMMA_UPWARDS, title: left ? 'gamma' : null, axis: left ? {} : { labels: false, ticks: false } }, // prettier-ignore
      tooltip,
    },
    layer: [
      ...layerOf(measured, {
        mark: { type: 'rect' },
        encoding: {
          color: {
            field: 'ulps',
            type: 'quantitative',
            title: 'ulp',
            scale: errorScale([0.5, 2 ** 24]),
            legend: { format: '.0e', tickCount: 5, values: [1, 10, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7] },
          },
        },
      }),
      ...layerOf(lost, { mark: { type: 'rect', color: '#dddddd' } }),
      ...layerOf(nan, { mark: { type: 'rect', color: NAN_COLOR } }),
    ],
  };
}
