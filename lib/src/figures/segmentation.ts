// The figures of notebooks/05-mnist-segmentation.ipynb.
import type { VegaLiteSpec } from '../display';
import { FIRST_NAN_LOGITS } from './training';

export interface LogitShare {
  /** amplitude of the noise in training */
  noise: number;
  /** middle of the bin */
  logit: number;
  /** of all pixels, in (0, 1] */
  share: number;
}

/** How the logits of all pixels are distributed, one curve per noise, beside the walls of float32, and the largest. */
export function logitDistribution(
  rows: readonly LogitShare[],
  largest: readonly { noise: number; maxAbsLogit: number }[],
): VegaLiteSpec {
  const walls = [FIRST_NAN_LOGITS[0].value, -FIRST_NAN_LOGITS[1].value];
  return {
    title: {
      text: `|logit| reaches ${largest.map((at) => `${at.maxAbsLogit.toFixed(1)} at noise ${at.noise}`).join(', ')}`,
      subtitle:
        'Share of the pixels per bin, logarithmic. Dotted: from here on a float32 gradient is NaN (left: label 0, right: label 1).',
    },
    width: 560,
    height: 260,
    layer: [
      {
        data: { values: rows },
        mark: { type: 'line', interpolate: 'step', tooltip: true },
        encoding: {
          x: { field: 'logit', type: 'quantitative', title: 'logit of a pixel' },
          y: {
            field: 'share',
            type: 'quantitative',
            title: 'share of the pixels',
            scale: { type: 'log' },
            axis: { format: '.0e', tickCount: 6 },
          },
          color: {
            field: 'noise',
            type: 'ordinal',
            title: 'noise',
            scale: { range: ['#D55E00', '#0072B2', '#009E73'] },
          },
          strokeDash: {
            field: 'noise',
            type: 'ordinal',
            title: 'noise',
            scale: {
              range: [
                [1, 0],
                [7, 3],
                [2, 2],
              ],
            },
          },
        },
      },
      {
        data: { values: walls.map((wall) => ({ wall })) },
        mark: { type: 'rule', color: '#888888', strokeDash: [2, 2] },
        encoding: { x: { field: 'wall', type: 'quantitative' } },
      },
    ],
  };
}
