// The figures of notebooks/11-the-grid.ipynb and 12-which-image.ipynb.
import type { VegaLiteSpec } from '../display';
import type { CellDeath, DeathComparison } from '../results';
import { EPOCH_AXIS, lossRows, type LossCurve } from './lossCurves';
import { GAMMA_UPWARDS, layerOf, SAFE_COLOR, seriesEncoding, shortened, soonToLate } from './style';
import { wallLayers } from './training';

const CELL = 26;
const THRESHOLD = { field: 'threshold', type: 'ordinal', title: 'threshold', axis: { labelAngle: 0 } };
/** Of a cell: what it is of, and the text in it. */
const tooltip = (title: string) => [
  { field: 'gamma' },
  { field: 'threshold' },
  { field: 'text', type: 'nominal', title },
];
const FIRST_NAN = tooltip('first NaN in epoch');

/** '57'; '–' if the run was trained to the end without a NaN; '> 40' if it has got no farther than that. */
function inCell({ firstNanEpoch, epochs }: CellDeath, end: number): string {
  if (firstNanEpoch !== null) return `${firstNanEpoch}`;
  return epochs >= end ? '–' : `>${epochs}`;
}

/**
 * Gamma against threshold: the epoch of the first NaN in two grids, and by what factor the second was later.
 *
 * @param end  epochs of a complete run
 */
export function deathMaps(
  { pairs, both, onlyFirst, onlySecond, neither, undecided, rankCorrelation }: DeathComparison,
  { first, second, end, setting }: { first: string; second: string; end: number; setting: string },
): VegaLiteSpec {
  const map = (side: 'first' | 'second', name: string) => {
    const cells = pairs.map(({ gamma, threshold, ...pair }) => ({
      gamma,
      threshold,
      ...inMap(pair[side], end),
    }));
    return panel(name, epochLayers(cells, end));
  };
  const factors = pairs.flatMap(({ gamma, threshold, first, second }) => {
    if (first.firstNanEpoch === null || second.firstNanEpoch === null) return [];
    const factor = (second.firstNanEpoch + 1) / (first.firstNanEpoch + 1);
    return [{ gamma, threshold, factor, log: Math.log2(factor), text: factor.toPrecision(2) }];
  });
  const others = pairs
    .filter(({ first, second }) => first.firstNanEpoch === null || second.firstNanEpoch === null)
    .map(({ gamma, threshold }) => ({ gamma, threshold, text: '' }));
  const factorScale = { domain: [-2, 0, 2], range: ['#D55E00', '#f7f7f7', '#0072B2'], clamp: true };
  const difference = panel(`${second} / ${first}`, [
    ...layerOf(factors, {
      mark: 'rect',
      encoding: {
        color: { field: 'log', type: 'quantitative', scale: factorScale, legend: null },
        tooltip: tooltip(`${second} / ${first}`),
      },
    }),
    textLayer([...factors, ...others], {
      condition: { test: 'abs(datum.log) > 1.2', value: 'white' },
      value: '#222222',
    }),
  ]);

  const openCells = undecided > 0 ? '; >n: none in n epochs, not trained farther' : '';
  const correlation = rankCorrelation === null ? '' : `; rank correlation ${rankCorrelation.toFixed(2)}`;
  const stillOpen = undecided > 0 ? `, open: ${undecided}` : '';
  return {
    title: {
      text: `NaN in both grids: ${both} of ${pairs.length} runs, in one only: ${onlyFirst + onlySecond}, in neither: ${neither}${stillOpen}${correlation}`,
      subtitle: [
        `${setting}. Epoch of the first NaN, counted from 0; a dash: none in ${end} epochs${openCells}.`,
        `${second} / ${first}: by what factor it came later (blue) or sooner (orange).`,
      ],
    },
    hconcat: [map('first', first), map('second', second), difference],
    resolve: { scale: { color: 'independent' } },
    spacing: 18,
  };

  function panel(title: string, layer: object[]): object {
    return {
      title: { text: title, fontWeight: 'normal', fontSize: 12, offset: 4 },
      width: { step: CELL },
      height: { step: CELL - 3 },
      encoding: { x: THRESHOLD, y: GAMMA_UPWARDS },
      layer,
    };
  }
}

/** Of a cell: its text, and the epoch counted from 1 if there was a NaN; whether it is known that there was none. */
function inMap(death: CellDeath, end: number) {
  const { firstNanEpoch: epoch, epochs } = death;
  return { text: inCell(death, end), count: epoch === null ? null : epoch + 1, safe: epoch === null && epochs >= end };
} // prettier-ignore

/** Cells with the epoch of the first NaN: the sooner, the more crimson. */
function epochLayers(
  cells: readonly (ReturnType<typeof inMap> & { gamma: number; threshold: number })[],
  end: number,
): object[] {
  const { color, ink } = soonToLate('count', [1, end]);
  return [
    ...layerOf(
      cells.filter(({ count }) => count !== null),
      { mark: 'rect', encoding: { color, tooltip: FIRST_NAN } },
    ),
    ...layerOf(
      cells.filter(({ safe }) => safe),
      { mark: { type: 'rect', color: SAFE_COLOR }, encoding: { tooltip: FIRST_NAN } },
    ),
    textLayer(cells, ink),
  ];
}

function textLayer(values: readonly object[], ink: object): object {
  return {
    data: { values },
    mark: { type: 'text', fontSize: 10 },
    encoding: { text: { field: 'text', type: 'nominal' }, color: ink },
  };
}

/** Epoch of the first NaN of each run in two grids against each other, next to what two seeds of one grid differ by. */
export function deathScatter(
  comparisons: readonly { name: string; comparison: DeathComparison }[],
  { x, y }: { x: string; y: string },
): VegaLiteSpec {
  const points = comparisons.flatMap(({ name, comparison }) =>
    comparison.pairs.flatMap(({ gamma, threshold, first, second }) =>
      first.firstNanEpoch === null || second.firstNanEpoch === null
        ? []
        : [{ name, gamma, threshold, x: first.firstNanEpoch + 1, y: second.firstNanEpoch + 1 }],
    ),
  );
  const factors = comparisons
    .filter(({ comparison }) => comparison.medianFactor !== null)
    .map(({ name, comparison }) => `${comparison.medianFactor!.toFixed(2)} (${name})`);
  const end = Math.max(...points.map((point) => Math.max(point.x, point.y)));
  const scale = { type: 'log', domain: [1, 1.1 * end], nice: false };
  const axis = (field: string, title: string) => ({ field, type: 'quantitative', title, scale, axis: { values: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000], format: 'd' } }); // prettier-ignore
  const encoding = { x: axis('x', x), y: axis('y', y) };
  return {
    title: {
      text: `Two grids differ by a median factor of ${factors.join(' and ')}`,
      subtitle:
        'Epoch of the first NaN, counted from 1, of every run that met it in both. Line: the same epoch.',
    },
    width: 330,
    height: 330,
    layer: [
      {
        data: { values: [{ x: 1, y: 1 }, { x: end, y: end }] }, // prettier-ignore
        mark: { type: 'line', color: '#888888', strokeDash: [4, 3] },
        encoding,
      },
      {
        data: { values: points },
        mark: { type: 'point', filled: true, size: 55, opacity: 0.75, tooltip: true },
        encoding: {
          ...encoding,
          color: { field: 'name', type: 'nominal', title: null, scale: { range: ['#0072B2', '#D55E00'] } },
          shape: { field: 'name', type: 'nominal', title: null, scale: { range: ['circle', 'diamond'] } },
        },
      },
    ],
  };
}

/** The map of one grid; a click on a cell shows the curves of that run, ours and the published. */
export function gridExplorer(
  deaths: readonly CellDeath[],
  curvesOf: (cell: CellDeath) => Readonly<Record<string, LossCurve>>,
  { end, setting }: { end: number; setting: string },
): VegaLiteSpec {
  const losses = deaths.flatMap((cell) => {
    const { gamma, threshold } = cell;
    const rows = lossRows(curvesOf(cell), 3).filter(({ loss }) => loss !== null); // 81 runs: a notebook has 1 MB
    return shortened(rows).map((row) => ({ gamma, threshold, ...row }));
  });
  const names = [...new Set(losses.map(({ name }) => name))];
  const cells = deaths.map((death) => {
    const { gamma, threshold } = death;
    return { gamma, threshold, ...inMap(death, end) };
  });
  const dead = deaths.filter(({ firstNanEpoch }) => firstNanEpoch !== null);
  const { gamma, threshold } = dead.reduce(
    (last, cell) => (cell.epochs > last.epochs ? cell : last),
    deaths[0],
  );
  const picked = {
    name: 'cell',
    select: { type: 'point', fields: ['gamma', 'threshold'], toggle: false },
    value: [{ gamma, threshold }],
  };
  return {
    title: {
      text: `${dead.length} of ${deaths.length} runs go NaN; click a cell for its curves`,
      subtitle: `${setting}. Epoch of the first NaN, counted from 0. Framed: the run whose curves are shown.`,
    },
    hconcat: [
      {
        width: { step: CELL },
        height: { step: CELL - 3 },
        encoding: { x: THRESHOLD, y: GAMMA_UPWARDS },
        layer: [
          {
            data: { values: cells },
            params: [picked],
            mark: { type: 'rect', cursor: 'pointer', color: '#f4f4f4' },
            encoding: { tooltip: FIRST_NAN },
          },
          ...epochLayers(cells, end),
          {
            data: { values: cells },
            transform: [{ filter: { param: 'cell' } }],
            mark: { type: 'rect', fill: null, stroke: '#222222', strokeWidth: 3 },
          },
        ],
      },
      {
        width: 330,
        height: 9 * (CELL - 3),
        data: { values: losses },
        transform: [{ filter: { param: 'cell' } }],
        mark: { type: 'line', tooltip: true },
        encoding: {
          x: EPOCH_AXIS,
          y: { field: 'loss', type: 'quantitative', title: 'mean loss', scale: { type: 'log' } },
          ...seriesEncoding('name', names),
        },
      },
    ],
    resolve: { scale: { color: 'independent', strokeDash: 'independent', strokeWidth: 'independent' } },
    spacing: 24,
  };
}

/** Of one epoch of the run at a threshold; the epochs of a run in their order. */
export interface LogitGrowth {
  threshold: number;
  /** Fraction of the images in class 1. */
  share: number;
  epoch: number;
  maxAbsLogit: number;
}

/** Shades of the thresholds with more images of class 0, and of those with more of class 1; the first for the largest share. */
const SHADES = {
  class0: ['#08306B', '#08519C', '#2171B5', '#4292C6', '#6BAED6'],
  class1: ['#7F2704', '#A63603', '#D94801', '#F16913', '#FD8D3C'],
};

/**
 * Largest |logit| of each epoch, one curve per threshold: blue where class 0 has more images, orange where class 1 has, darker the
 * larger its share.
 */
export function logitGrowth(rows: readonly LogitGrowth[], setting: string): VegaLiteSpec {
  const thresholds = [...new Set(rows.map((row) => row.threshold))].sort((a, b) => a - b);
  const ofThreshold = (threshold: number) => rows.filter((row) => row.threshold === threshold);
  const largest = (own: readonly LogitGrowth[]) => Math.max(...own.map((row) => row.maxAbsLogit));
  const level = Math.floor(Math.min(...thresholds.map((threshold) => largest(ofThreshold(threshold))))); // reached by all
  const arrival = (threshold: number) =>
    ofThreshold(threshold).find(({ maxAbsLogit }) => maxAbsLogit >= level)!.epoch;
  const inOrder = [...thresholds].sort((a, b) => arrival(a) - arrival(b));
  const shareOf = (threshold: number) => ofThreshold(threshold)[0].share;
  const alike = (share: number) => thresholds.map(shareOf).filter((other) => other > 0.5 === share > 0.5);
  const series = thresholds.map((threshold) => {
    const share = shareOf(threshold);
    const shades = share > 0.5 ? SHADES.class1 : SHADES.class0;
    const rank = alike(share).filter((other) => Math.abs(other - 0.5) > Math.abs(share - 0.5)).length;
    const name = `${threshold}: ${Math.round(100 * share)} % class 1`;
    return { threshold, name, color: shades[Math.min(rank, shades.length - 1)] };
  });
  const nameOf = new Map(series.map(({ threshold, name }) => [threshold, name]));
  const values = rows.map(({ threshold, epoch, maxAbsLogit }) => ({ name: nameOf.get(threshold), epoch, maxAbsLogit }));
  const ends = thresholds.map((threshold) => {
    const { epoch, maxAbsLogit } = ofThreshold(threshold).at(-1)!;
    return { name: nameOf.get(threshold), epoch, maxAbsLogit };
  });
  const y = { field: 'maxAbsLogit', type: 'quantitative', title: 'largest |logit|' };
  const color = {
    field: 'name',
    type: 'nominal',
    title: 'threshold',
    sort: series.map(({ name }) => name),
    scale: { domain: series.map(({ name }) => name), range: series.map((each) => each.color) },
    legend: { symbolType: 'stroke', symbolSize: 400, symbolStrokeWidth: 3, labelLimit: 0 },
  };
  return {
    title: {
      text: `Threshold ${inOrder[0]} is the first to reach |logit| ${level}, threshold ${inOrder.at(-1)} the last`,
      subtitle: [
        `${setting}. Largest |logit| of each epoch. Blue: class 0 is larger; orange: class 1.`,
        'A dot ends a curve: before the NaN, or where the training run was stopped.',
      ],
    },
    width: 560,
    height: 300,
    layer: [
      {
        data: { values },
        mark: { type: 'line', strokeWidth: 2, tooltip: true },
        encoding: { x: EPOCH_AXIS, y, color },
      },
      {
        data: { values: ends },
        mark: { type: 'point', filled: true, size: 50, opacity: 1, tooltip: true },
        encoding: { x: EPOCH_AXIS, y, color },
      },
      ...wallLayers(),
    ],
  };
} // prettier-ignore
