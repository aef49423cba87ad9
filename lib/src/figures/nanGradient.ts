// The sweeps of notebooks/02-nan-gradient.ipynb.
import type { VegaLiteSpec } from '../display';
import { csv, layerOf, nanLane, seriesMark } from './style';

/** One facet of `gradientSizes`. */
export interface GradientSweep {
  /** 'original', 'stabilized' or 'exact' */
  loss: string;
  /** What is computed in, 'float32' for example. */
  arithmetic: string;
  logits: readonly number[];
  /** One for each logit. */
  gradients: readonly number[];
}

/** The ratio is drawn from 1e-3 to 1e3 times the true value. */
const RATIO_DOMAIN = [1e-3, 1e3] as const;
const TRUE_STYLE = { color: '#BBBBBB', strokeWidth: 5 };

interface Size {
  logit: number;
  /** |dFL/dx| as computed */
  size: number;
  /** the true one */
  expected: number;
  ratio: number;
}

/**
 * The size of computed gradients against the logit, a facet per sweep, on a logarithmic scale, over the true one in gray. Crosses
 * in a lane above: NaN. Triangles on the floor: exactly 0. Below: computed divided by true.
 *
 * @param truth  the true gradient at a logit, not 0
 */
export function gradientSizes(
  sweeps: readonly GradientSweep[],
  { truth, setting }: { truth: (logit: number) => number; setting: string },
): VegaLiteSpec {
  const facets = sweeps.map(({ loss, arithmetic, logits, gradients }) => ({
    ...{ loss, arithmetic },
    sizes: logits.map((logit, i): Size => {
      const [size, expected] = [Math.abs(gradients[i]), Math.abs(truth(logit))];
      return { logit, size, expected, ratio: gradients[i] / truth(logit) };
    }),
  }));
  const expected = facets.flatMap(({ sizes }) => sizes.map((row) => row.expected));
  const domain = [
    10 ** Math.floor(Math.log10(Math.min(...expected))),
    10 ** Math.ceil(Math.log10(Math.max(...expected))),
  ] as const;
  const width = Math.floor(820 / sweeps.length - 70);
  const sameLoss = new Set(sweeps.map(({ loss }) => loss)).size === 1;
  const nameOf = ({ loss, arithmetic }: GradientSweep) => (sameLoss ? arithmetic : loss);
  return {
    title: {
      text: sweeps.map((sweep) => `${nameOf(sweep)}: ${ending(sweep)}`).join('; '),
      subtitle: `${setting}. Gray: the true gradient. Crosses: NaN. Triangles: a gradient of exactly 0.`,
    },
    hconcat: facets.map(({ loss, arithmetic, sizes }, column) => {
      const shape = { width, style: seriesMark(loss), titled: column === 0 };
      const nan = sizes.some(({ size }) => Number.isNaN(size));
      const offset = nan ? 4 : 23; // the lane of NaN counts as part of the plot
      return {
        title: { text: `${loss}, ${arithmetic}`, fontSize: 12, fontWeight: 'normal', offset },
        data: tableOf(sizes),
        vconcat: [sizePanel(sizes, { ...shape, domain }), ratioPanel(sizes, shape)],
      };
    }),
    spacing: 16,
  };
}

interface Shape {
  width: number;
  style: ReturnType<typeof seriesMark>;
  /** Whether the y axis has a title. */
  titled: boolean;
}

const logitAxis = (sizes: readonly Size[]) => ({
  field: 'logit',
  type: 'quantitative',
  title: 'logit x (label 1)',
  scale: { domain: [sizes[0].logit, sizes.at(-1)!.logit], nice: false },
});

function sizePanel(
  sizes: readonly Size[],
  { width, style, titled, domain }: Shape & { domain: readonly [number, number] },
): object {
  const x = logitAxis(sizes);
  const sizeAxis = (field: string) => ({
    field,
    type: 'quantitative',
    title: titled ? '|dFL/dx|' : null,
    scale: { type: 'log', domain },
    axis: { format: '.0e', tickCount: 6 },
  });
  const zeros = sizes.filter(({ size }) => size === 0).map(({ logit }) => ({ logit, size: domain[0] }));
  const nan = sizes.filter(({ size }) => Number.isNaN(size)).map(({ logit }) => ({ logit, gradient: 'NaN' }));
  const triangle = { type: 'point', shape: 'triangle-down', size: 25, filled: true, opacity: 1 };
  return {
    width,
    height: 190,
    layer: [
      {
        mark: { type: 'line', ...TRUE_STYLE },
        encoding: { x, y: sizeAxis('expected') },
      },
      {
        transform: [POSITIVE],
        mark: { type: 'line', clip: true, tooltip: true, ...style },
        encoding: { x, y: sizeAxis('size') },
      },
      ...layerOf(zeros, {
        mark: { ...triangle, color: style.color },
        encoding: { x, y: sizeAxis('size'), tooltip: [{ field: 'logit' }] },
      }),
      ...nanLane(nan, { x, tooltip: [{ field: 'logit', format: '.4f' }, { field: 'gradient' }] }),
    ],
  };
}

function ratioPanel(sizes: readonly Size[], { width, style, titled }: Shape): object {
  const y = {
    type: 'quantitative',
    title: titled ? 'computed / true' : null,
    scale: { type: 'log', domain: RATIO_DOMAIN },
    axis: { format: '~g', values: [1e-3, 1, 1e3] },
  };
  return {
    width,
    height: 100,
    layer: [
      { data: { values: [{}] }, mark: { type: 'rule', ...TRUE_STYLE }, encoding: { y: { ...y, datum: 1 } } },
      {
        transform: [POSITIVE],
        mark: { type: 'line', clip: true, tooltip: true, ...style },
        encoding: { x: logitAxis(sizes), y: { ...y, field: 'ratio' } },
      },
    ],
  };
}

/** On a logarithmic axis a 0 has no place, and a NaN has none on any. */
const POSITIVE = { filter: 'datum.size > 0' };

function tableOf(sizes: readonly Size[]): object {
  const names = ['logit', 'size', 'expected', 'ratio'] as const;
  const rows = sizes.map((row) => names.map((name) => Number(row[name].toPrecision(5))));
  return {
    values: csv(names, rows),
    format: { type: 'csv', parse: Object.fromEntries(names.map((name) => [name, 'number'])) },
  };
}

/** 'NaN from logit 16.64 on', '0 from …', '2 of 100 NaN', 'finite to the end' */
function ending({ logits, gradients }: GradientSweep): string {
  const from = (is: (gradient: number) => boolean) => {
    const first = gradients.findIndex(is);
    return first >= 0 && gradients.slice(first).every(is) ? logits[first] : null;
  };
  const nan = gradients.filter(Number.isNaN).length;
  const nanFrom = from(Number.isNaN);
  if (nanFrom !== null) return `NaN from ${shortly(nanFrom)} on`;
  if (nan > 0) return `${nan} of ${gradients.length} NaN`;
  const zeroFrom = from((gradient) => gradient === 0);
  return zeroFrom === null ? 'finite to the end' : `0 from ${shortly(zeroFrom)} on`;
}

const shortly = (logit: number) => String(Number(logit.toFixed(2)));
