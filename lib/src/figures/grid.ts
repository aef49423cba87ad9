// The figures of notebooks/07-the-whole-grid.ipynb.
import type { VegaLiteSpec } from '../display';
import type { CellDeath, DeathComparison } from '../results';
import { layerOf, NAN_COLOR, seriesEncoding } from './style';
import { EPOCH_AXIS, FIRST_NAN_LOGITS } from './training';

const CELL = 27;
const GAMMA = { field: 'gamma', type: 'ordinal', title: 'gamma' };
const THRESHOLD = { field: 'threshold', type: 'ordinal', title: 'threshold', axis: { labelAngle: 0 } };
/** Of a cell: what it is of, and the text in it. */
const tooltip = (title: string) => [
  { field: 'gamma' },
  { field: 'threshold' },
  { field: 'text', type: 'nominal', title },
];
const FIRST_NAN = tooltip('first NaN in epoch');

/** One scale for all maps of first epochs, counted from 1. */
const epochScale = (end: number) => ({
  type: 'log',
  domain: [1, end],
  scheme: { name: 'viridis', extent: [0.35, 1] },
});

/** '57'; '–' if the run was trained to the end without a NaN; '> 40' if it has got no farther than that. */
function inCell({ epoch, epochs }: CellDeath, end: number): string {
  if (epoch !== null) return `${epoch}`;
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
      epoch: pair[side].epoch,
      text: inCell(pair[side], end),
    }));
    const dead = cells
      .filter((cell) => cell.epoch !== null)
      .map((cell) => ({ ...cell, count: cell.epoch! + 1 }));
    const layers = layerOf(dead, {
      mark: 'rect',
      encoding: {
        color: { field: 'count', type: 'quantitative', scale: epochScale(end), legend: null }, // the numbers stand in the cells
        tooltip: FIRST_NAN,
      },
    });
    return panel(name, [...layers, textLayer(cells)]);
  };
  const factors = pairs.flatMap(({ gamma, threshold, first, second }) => {
    if (first.epoch === null || second.epoch === null) return [];
    const factor = (second.epoch + 1) / (first.epoch + 1);
    return [{ gamma, threshold, factor, log: Math.log2(factor), text: factor.toPrecision(2) }];
  });
  const others = pairs
    .filter(({ first, second }) => first.epoch === null || second.epoch === null)
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
    textLayer([...factors, ...others]),
  ]);

  const openCells = undecided > 0 ? '; >n: none in n epochs, not trained farther' : '';
  const correlation = rankCorrelation === null ? '' : `; rank correlation ${rankCorrelation.toFixed(2)}`;
  return {
    title: {
      text: `${both} of ${pairs.length} runs die in both, ${onlyFirst + onlySecond} in one only, ${neither} in neither${
        undecided > 0 ? `, ${undecided} open` : ''
      }${correlation}`,
      subtitle: [
        `${setting}. Epoch of the first NaN, counted from 0; a dash: none in ${end} epochs${openCells}.`,
        'Right: by what factor it came later (blue) or sooner (orange).',
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
      encoding: { x: THRESHOLD, y: GAMMA },
      layer,
    };
  }
}

function textLayer(values: readonly object[]): object {
  return {
    data: { values },
    mark: { type: 'text', fontSize: 10 },
    encoding: { text: { field: 'text', type: 'nominal' } },
  };
}

/** Epoch of the first NaN of each run in two grids against each other, beside what two seeds of one grid differ by. */
export function deathScatter(
  comparisons: readonly { name: string; comparison: DeathComparison }[],
  { x, y }: { x: string; y: string },
): VegaLiteSpec {
  const points = comparisons.flatMap(({ name, comparison }) =>
    comparison.pairs.flatMap(({ gamma, threshold, first, second }) =>
      first.epoch === null || second.epoch === null
        ? []
        : [{ name, gamma, threshold, x: first.epoch + 1, y: second.epoch + 1 }],
    ),
  );
  const factors = comparisons
    .filter(({ comparison }) => comparison.medianFactor !== null)
    .map(({ name, comparison }) => `${comparison.medianFactor!.toFixed(2)} (${name})`);
  const end = Math.max(...points.map((point) => Math.max(point.x, point.y)));
  const scale = { type: 'log', domain: [1, 1.1 * end], nice: false };
  const axis = (field: string, title: string) => ({ field, type: 'quantitative', title, scale, axis: { tickCount: 5, format: 'd' } }); // prettier-ignore
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

export interface GridEpochLoss {
  gamma: number;
  threshold: number;
  /** 'original', 'published original', ... */
  name: string;
  epoch: number;
  loss: number;
}

/** The map of one grid; a click on a cell shows the curves of that run, ours and the published. */
export function gridExplorer(
  deaths: readonly CellDeath[],
  losses: readonly GridEpochLoss[],
  { end, setting }: { end: number; setting: string },
): VegaLiteSpec {
  const names = [...new Set(losses.map(({ name }) => name))];
  const cells = deaths.map((cell) => ({ ...cell, count: (cell.epoch ?? end) + 1, text: inCell(cell, end) }));
  const dead = deaths.filter(({ epoch }) => epoch !== null);
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
      text: `${dead.length} of ${deaths.length} runs meet a NaN; click a cell for its curves`,
      subtitle: `${setting}. Epoch of the first NaN, counted from 0. Framed: the run on the right.`,
    },
    hconcat: [
      {
        width: { step: CELL },
        height: { step: CELL - 3 },
        encoding: { x: THRESHOLD, y: GAMMA },
        layer: [
          {
            data: { values: cells },
            params: [picked],
            mark: { type: 'rect', cursor: 'pointer' },
            encoding: {
              tooltip: FIRST_NAN,
              color: {
                condition: { test: 'datum.epoch === null', value: '#f0f0f0' },
                field: 'count',
                type: 'quantitative',
                legend: null,
                scale: epochScale(end),
              },
            },
          },
          {
            data: { values: cells },
            transform: [{ filter: { param: 'cell' } }],
            mark: { type: 'rect', fill: null, stroke: NAN_COLOR, strokeWidth: 3 },
          },
          textLayer(cells),
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

/** Largest |logit| of each epoch, one curve per threshold, colored by the share of the smaller class. */
export function logitGrowth(rows: readonly LogitGrowth[], setting: string): VegaLiteSpec {
  const curves = rows.map((row) => ({ ...row, minority: Math.min(row.share, 1 - row.share) }));
  const wall = FIRST_NAN_LOGITS[0].value;
  const thresholds = [...new Set(rows.map((row) => row.threshold))];
  const ofThreshold = (threshold: number) => rows.filter((row) => row.threshold === threshold);
  const largest = (own: readonly LogitGrowth[]) => Math.max(...own.map((row) => row.maxAbsLogit));
  const level = Math.floor(Math.min(...thresholds.map((threshold) => largest(ofThreshold(threshold))))); // reached by all
  const arrival = (threshold: number) =>
    ofThreshold(threshold).find(({ maxAbsLogit }) => maxAbsLogit >= level)!.epoch;
  const inOrder = thresholds.sort((a, b) => arrival(a) - arrival(b));
  const ends = thresholds.map((threshold) => ofThreshold(threshold).at(-1)!);
  return {
    title: {
      text: `Threshold ${inOrder[0]} is the first to reach |logit| ${level}, threshold ${inOrder.at(-1)} the last`,
      subtitle: [
        `${setting}. Largest |logit| of each epoch.`,
        'A curve, with its threshold, ends before the NaN, or where the training was stopped.',
      ],
    },
    width: 520,
    height: 280,
    layer: [
      {
        data: { values: curves },
        mark: { type: 'line', point: { size: 14 }, tooltip: true },
        encoding: {
          x: { ...EPOCH_AXIS, scale: { type: 'symlog' } },
          y: { field: 'maxAbsLogit', type: 'quantitative', title: 'largest |logit|' },
          color: {
            field: 'minority',
            type: 'quantitative',
            title: 'share of the smaller class',
            scale: { scheme: { name: 'viridis', extent: [0, 0.9] } },
          },
          detail: { field: 'threshold', type: 'nominal' },
        },
      },
      {
        data: { values: ends },
        mark: { type: 'text', align: 'left', dx: 5, color: '#333333', fontSize: 11 },
        encoding: {
          x: { field: 'epoch', type: 'quantitative' },
          y: { field: 'maxAbsLogit', type: 'quantitative' },
          text: { field: 'threshold' },
        },
      },
      {
        data: { values: [{ wall, text: FIRST_NAN_LOGITS[0].text }] },
        layer: [
          {
            mark: { type: 'rule', color: '#888888', strokeDash: [2, 2] },
            encoding: { y: { field: 'wall', type: 'quantitative' } },
          },
          {
            mark: { type: 'text', align: 'left', dx: 4, dy: -6, color: '#555555', fontSize: 10 },
            encoding: {
              x: { value: 0 },
              y: { field: 'wall', type: 'quantitative' },
              text: { field: 'text' },
            },
          },
        ],
      },
    ],
  };
}
