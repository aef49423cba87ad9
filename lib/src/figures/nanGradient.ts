// The sweeps of notebooks/02-nan-gradient.ipynb.
import type { VegaLiteSpec } from '../display';
import { layerOf, nanLane, seriesMark } from './style';

export interface GradientAtLogit {
  logit: number;
  gradient: number;
}

/** One facet of `gradientSizes`. */
export interface GradientSweep {
  /** 'original', 'stabilized' or 'exact' */
  loss: string;
  /** What is computed in, 'float32' for example. */
  arithmetic: string;
  rows: readonly GradientAtLogit[];
}

const HEIGHT = 190;
const RATIO_HEIGHT = 100;
/** The ratio is drawn from 1e-3 to 1e3 times the true value. */
const RATIO_DOMAIN = [1e-3, 1e3] as const;

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
  const trueSizes = sweeps.flatMap(({ rows }) => rows.map(({ logit }) => Math.abs(truth(logit))));
  const floor = 10 ** Math.floor(Math.log10(Math.min(...trueSizes)));
  const ceiling = 10 ** Math.ceil(Math.log10(Math.max(...trueSizes)));
  const width = Math.floor((820 - 70 * sweeps.length) / sweeps.length);
  const sameLoss = new Set(sweeps.map(({ loss }) => loss)).size === 1;
  const nameOf = ({ loss, arithmetic }: GradientSweep) => (sameLoss ? arithmetic : loss);

  const facet = (sweep: GradientSweep, column: number) => {
    const { loss, rows } = sweep;
    const style = seriesMark(loss);
    const x = {
      field: 'logit',
      type: 'quantitative',
      title: 'logit x (label 1)',
      scale: { domain: [rows[0].logit, rows.at(-1)!.logit], nice: false },
    };
    const computed = rows.map(({ logit, gradient }) => ({ loss, logit, size: Math.abs(gradient), ratio: gradient / truth(logit) })); // prettier-ignore
    const nan = computed.filter(({ size }) => Number.isNaN(size)).map(({ logit }) => ({ logit, gradient: 'NaN' })); // prettier-ignore
    const zeros = computed
      .filter(({ size }) => size === 0)
      .map(({ logit }) => ({ loss, logit, size: floor }));
    const positive = computed.filter(({ size }) => size > 0);
    const y = {
      field: 'size',
      type: 'quantitative',
      title: column === 0 ? '|dFL/dx|' : null,
      scale: { type: 'log', domain: [floor, ceiling] },
      axis: { format: '.0e', tickCount: 6 },
    };
    const inRatio = positive.filter(({ ratio }) => ratio >= RATIO_DOMAIN[0] && ratio <= RATIO_DOMAIN[1]);
    return {
      vconcat: [
        {
          title: {
            text: `${loss}, ${sweep.arithmetic}`,
            fontSize: 12,
            fontWeight: 'normal',
            offset: nan.length > 0 ? 4 : 20,
          },
          width,
          height: HEIGHT,
          layer: [
            {
              data: { values: rows.map(({ logit }) => ({ logit, size: Math.abs(truth(logit)) })) },
              mark: { type: 'line', color: '#BBBBBB', strokeWidth: 5 },
              encoding: { x, y },
            },
            {
              data: { values: positive },
              mark: { type: 'line', clip: true, tooltip: true, ...style },
              encoding: { x, y },
            },
            ...layerOf(zeros, {
              mark: {
                type: 'point',
                shape: 'triangle-down',
                size: 25,
                filled: true,
                opacity: 1,
                color: style.color,
              },
              encoding: { x, y, tooltip: [{ field: 'logit' }] },
            }),
            ...nanLane(nan, { x, tooltip: [{ field: 'logit', format: '.4f' }, { field: 'gradient' }] }),
          ],
        },
        {
          width,
          height: RATIO_HEIGHT,
          layer: [
            {
              data: { values: [{ one: 1 }] },
              mark: { type: 'rule', color: '#BBBBBB', strokeWidth: 5 },
              encoding: { y: { field: 'one', type: 'quantitative' } },
            },
            ...layerOf(inRatio, {
              mark: { type: 'line', tooltip: true, ...style },
              encoding: {
                x,
                y: {
                  field: 'ratio',
                  type: 'quantitative',
                  title: column === 0 ? 'computed / true' : null,
                  scale: { type: 'log', domain: RATIO_DOMAIN },
                  axis: { format: '~g', values: [1e-3, 1e-2, 0.1, 1, 10, 100, 1e3] },
                },
              },
            }),
          ],
        },
      ],
    };
  };
  return {
    title: {
      text: sweeps.map((sweep) => `${nameOf(sweep)}: ${ending(sweep.rows)}`).join('; '),
      subtitle: `${setting}. Gray: the true gradient. Crosses: NaN. Triangles: a gradient of exactly 0.`,
    },
    hconcat: sweeps.map(facet),
    spacing: 16,
  };
}

/** 'NaN from logit 16.64 on', '0 from …', '2 of 100 NaN', 'finite to the end' */
function ending(rows: readonly GradientAtLogit[]): string {
  const from = (is: (gradient: number) => boolean) => {
    const first = rows.findIndex(({ gradient }) => is(gradient));
    return first >= 0 && rows.slice(first).every(({ gradient }) => is(gradient)) ? rows[first].logit : null;
  };
  const nan = rows.filter(({ gradient }) => Number.isNaN(gradient)).length;
  const nanFrom = from(Number.isNaN);
  if (nanFrom !== null) return `NaN from ${shortly(nanFrom)} on`;
  if (nan > 0) return `${nan} of ${rows.length} NaN`;
  const zeroFrom = from((gradient) => gradient === 0);
  return zeroFrom === null ? 'finite to the end' : `0 from ${shortly(zeroFrom)} on`;
}

const shortly = (logit: number) => String(Number(logit.toFixed(2)));
