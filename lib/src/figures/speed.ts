// The figures on speed of notebooks/appendix-many-models.ipynb.
import type { VegaLiteSpec } from '../display';
import type { Bench, BenchRow } from '../results';

/** What the contestants of `npm run bench -- grid` are called in a figure, and their colors (Okabe-Ito). */
const CONTESTANTS: Record<string, { label: string; color: string }> = {
  ours: { label: 'ours, side by side', color: '#0072B2' },
  train: { label: 'ours, one by one', color: '#56B4E9' },
  PyTorch: { label: 'PyTorch', color: '#D55E00' },
  'PyTorch vmap': { label: 'PyTorch vmap', color: '#E69F00' },
  tfjs: { label: 'plain TensorFlow.js', color: '#999999' },
};

/**
 * Bars of the median time of a model's step, by contestant, quickest first; a tick is the quickest step.
 *
 * @param bench  of the suite grid
 * @throws RangeError if ours, PyTorch or tfjs is missing, or a contestant is unknown
 */
export function stepTimes({ machine, date, rows }: Bench): VegaLiteSpec {
  const unknown = rows.find(({ contestant }) => !(contestant in CONTESTANTS));
  if (unknown !== undefined)
    throw new RangeError(
      `stepTimes: there is a contestant '${unknown.contestant}'; expected ${Object.keys(CONTESTANTS).join(', ')}`,
    );
  const ours = quickest(rows, 'ours', ({ contestant }) => contestant === 'ours');
  const pyTorch = quickest(rows, 'PyTorch', ({ contestant }) => contestant.startsWith('PyTorch'));
  const plain = quickest(rows, 'tfjs', ({ contestant }) => contestant === 'tfjs');
  const times = (other: BenchRow) => (other.msMedian / ours.msMedian).toFixed(1);

  const bars = rows.map((row) => ({
    ...row,
    program: CONTESTANTS[row.contestant].label,
    means: inWords(row),
  }));
  const order = [...bars].sort((a, b) => a.msMedian - b.msMedian).map(({ means }) => means);
  const programs = Object.values(CONTESTANTS).filter(({ label }) =>
    bars.some((bar) => bar.program === label),
  );
  const y = { field: 'means', type: 'nominal', sort: order, title: null, axis: { labelLimit: 400 } };
  const x = { type: 'quantitative', title: 'ms per step of one model, whole machine' };
  return {
    title: {
      text: `Side by side: ${times(pyTorch)} times as fast as PyTorch, ${times(plain)} times plain TensorFlow.js`,
      subtitle: [
        `Bar: median; tick: quickest step. ${machine}, ${date}.`,
        'The title compares the quickest arrangement of each, by the median.',
      ],
    },
    width: 400,
    height: { step: 20 },
    data: { values: bars },
    layer: [
      {
        mark: { type: 'bar', tooltip: true },
        encoding: {
          y,
          x: { ...x, field: 'msMedian' },
          color: {
            field: 'program',
            type: 'nominal',
            title: null,
            scale: { domain: programs.map(({ label }) => label), range: programs.map(({ color }) => color) },
          },
        },
      },
      { mark: { type: 'tick', color: 'black', thickness: 2 }, encoding: { y, x: { ...x, field: 'msMin' } } },
      {
        mark: { type: 'text', align: 'left', dx: 4, fontSize: 10 },
        encoding: { y, x: { ...x, field: 'msMedian' }, text: { field: 'msMedian', format: '.1f' } },
      },
    ],
  };
}

/**
 * Time and memory against the number of models side by side in one process.
 *
 * @param bench  of the suite grid-size
 * @throws RangeError if there are fewer than two numbers of models
 */
export function costByModels({ machine, date, rows }: Bench): VegaLiteSpec {
  const sorted = [...rows].sort((a, b) => a.models - b.models);
  const [fewest, most] = [sorted[0], sorted[sorted.length - 1]];
  if (sorted.length === 0 || fewest.models === most.models)
    throw new RangeError('costByModels: expected two numbers of models or more');
  const best = quickest(sorted, 'ours', () => true);
  const perModel = Math.round((most.rssMB - fewest.rssMB) / (most.models - fewest.models));
  const x = {
    field: 'models',
    type: 'quantitative',
    title: 'models side by side',
    scale: { type: 'log', nice: false },
    axis: { values: sorted.map(({ models }) => models) },
  };
  const panel = (field: 'msMedian' | 'rssMB', title: string, extra: object[] = []) => ({
    width: 260,
    height: 200,
    data: { values: sorted },
    layer: [
      {
        mark: { type: 'line', point: true, tooltip: true, color: CONTESTANTS.ours.color },
        encoding: { x, y: { field, type: 'quantitative', title, scale: { zero: true } } },
      },
      ...extra,
    ],
  });
  const quickestSteps = {
    mark: { type: 'point', shape: 'stroke', color: 'black' },
    encoding: { x, y: { field: 'msMin', type: 'quantitative' } },
  };
  return {
    title: {
      text: `${best.models} models side by side: ${(fewest.msMedian / best.msMedian).toFixed(1)} times as fast as ${inModels(fewest.models)}; ${perModel} MB for each`,
      subtitle: `One process, one thread. Line: median; tick: quickest step. ${machine}, ${date}.`,
    },
    hconcat: [panel('msMedian', 'ms per step of one model', [quickestSteps]), panel('rssMB', 'memory, MB')],
  };
}

const inModels = (count: number) => (count === 1 ? 'one' : `${count}`);

/** 'PyTorch vmap: 2 processes of 1 thread, 9 models each' */
function inWords({ contestant, processes, threads, models }: BenchRow): string {
  const counted = (count: number, noun: string, plural = `${noun}s`) =>
    `${count} ${count === 1 ? noun : plural}`;
  const means = `${counted(processes, 'process', 'processes')} of ${counted(threads, 'thread')}`;
  return `${CONTESTANTS[contestant].label}: ${means}${models > 1 ? `, ${models} models each` : ''}`;
}

/** The row with the smallest median. */
function quickest(rows: readonly BenchRow[], name: string, among: (row: BenchRow) => boolean): BenchRow {
  const found = rows.filter(among);
  if (found.length === 0) throw new RangeError(`there is no row of ${name}`);
  return found.reduce((best, row) => (row.msMedian < best.msMedian ? row : best));
}
