// The figures of notebooks/01-derivation.ipynb.
import type { VegaLiteSpec } from '../display';
import { GAMMA_PICKED, gammaEncoding, shortened } from './style';

export interface LossAtProbability {
  gamma: number;
  /** p_t, the probability of the true class */
  probability: number;
  /** in nats */
  loss: number;
}

/** Focal loss against the probability of the true class, one curve per gamma. */
export function lossByProbability(rows: readonly LossAtProbability[]): VegaLiteSpec {
  return {
    title: {
      text: 'The larger gamma, the less an easy example counts',
      subtitle:
        'Focal loss without alpha. Click on the legend to single out a gamma, shift-click for several.',
    },
    width: 560,
    height: 300,
    data: { values: shortened(rows) },
    params: [GAMMA_PICKED],
    mark: { type: 'line', clip: true, tooltip: true },
    encoding: {
      x: { field: 'probability', type: 'quantitative', title: 'p_t, probability of the true class' },
      y: { field: 'loss', type: 'quantitative', title: 'focal loss (nats)', scale: { domain: [0, 4] } },
      ...gammaEncoding(),
    },
  };
}

export interface DerivativeInProbability {
  gamma: number;
  /** q = 1 - p_t */
  q: number;
  /** gamma q^(gamma - 1) */
  factor: number;
  /** -dFL/dp_t */
  derivative: number;
}

/** The singular factor next to the whole derivative it belongs to, both against q = 1 - p_t. */
export function singularFactor(rows: readonly DerivativeInProbability[]): VegaLiteSpec {
  const panel = (field: 'factor' | 'derivative', title: string, domain: [number, number]) => ({
    width: 300,
    height: 280,
    title: { text: title, fontSize: 12, fontWeight: 'normal' },
    transform: [{ filter: `datum.${field} > 0` }],
    mark: { type: 'line', clip: true, tooltip: true },
    encoding: {
      x: {
        field: 'q',
        type: 'quantitative',
        title: 'q = 1 - p_t  (easier to the left)',
        scale: { type: 'log', domain: [1e-20, 1] },
        axis: { format: '.0e', values: [1e-20, 1e-15, 1e-10, 1e-5, 1] },
      },
      y: {
        field,
        type: 'quantitative',
        title: null,
        scale: { type: 'log', domain },
        axis: { format: '.0e', tickCount: 6 },
      },
      ...gammaEncoding(),
    },
  });
  return {
    title: {
      text: 'For 0 < gamma < 1 the factor explodes, the whole derivative does not',
      subtitle: 'Both axes are logarithmic; the factor of gamma = 0 is zero everywhere and has no curve.',
    },
    data: { values: shortened(rows) },
    params: [{ ...GAMMA_PICKED, views: ['panel'] }],
    hconcat: [
      { name: 'panel', ...panel('factor', 'the factor  gamma q^(gamma - 1)', [1e-20, 1e20]) },
      panel('derivative', 'the whole derivative  -dFL/dp_t', [1e-20, 10]),
    ],
  };
}

export interface GradientAtMargin {
  gamma: number;
  /** z = (2y - 1) x, the logit counted positive when the prediction is right */
  margin: number;
  /** dFL/dz, not 0 */
  gradient: number;
}

/** The gradient against the margin, one curve per gamma, and its size on a logarithmic axis. */
export function gradientByMargin(rows: readonly GradientAtMargin[]): VegaLiteSpec {
  const largestGamma = Math.max(...rows.map(({ gamma }) => gamma));
  const largest = Math.max(...rows.map(({ gradient }) => Math.abs(gradient)));
  const values = rows.map((row) => ({ ...row, size: Math.abs(row.gradient) }));
  const panel = (field: 'gradient' | 'size', { title, ...y }: { title: string } & Record<string, unknown>) => ({
    width: 330,
    height: 240,
    mark: { type: 'line', tooltip: true },
    encoding: {
      x: { field: 'margin', type: 'quantitative', title: 'z, margin (logit of the true class)' },
      y: { field, type: 'quantitative', title, ...y },
      ...gammaEncoding(),
    },
  });
  return {
    title: {
      text: `Up to gamma ${largestGamma} no gradient in the logit exceeds ${(Math.ceil(100 * largest) / 100).toFixed(2)}, and each falls smoothly to 0`,
      subtitle:
        'Dashed: gamma 0, and gamma 1 or more. Click on the legend to single out a gamma, shift-click for several.',
    },
    data: { values: shortened(values) },
    params: [{ ...GAMMA_PICKED, views: ['panel'] }],
    hconcat: [
      { name: 'panel', ...panel('gradient', { title: 'dFL/dz' }) },
      panel('size', { title: '|dFL/dz|', scale: { type: 'log' }, axis: { format: '.0e', tickCount: 6 } }),
    ],
  };
} // prettier-ignore

/**
 * Loss and gradient against the margin for a gamma that the reader sets with a slider. The curves are computed in the
 * chart itself, by the formulas of notebooks/01-derivation.ipynb, section 5.
 */
export function focalLossExplorer(gamma: number): VegaLiteSpec {
  const panel = (field: 'loss' | 'gradient', title: string, domain: [number, number]) => ({
    width: 560,
    height: 190,
    layer: [
      {
        mark: { type: 'line', color: '#BBBBBB', strokeDash: [4, 3] },
        encoding: { y: { field: `${field}AtZero` } },
      },
      { mark: { type: 'line', color: '#D55E00', tooltip: true }, encoding: { y: { field } } },
    ],
    encoding: {
      x: { field: 'z', type: 'quantitative', title: 'z, margin (logit of the true class)' },
      y: { type: 'quantitative', title, scale: { domain } },
      tooltip: [
        { field: 'z', format: '.1f' },
        { field: 'loss', format: '.3g' },
        { field: 'gradient', format: '.3g' },
      ],
    },
  });
  return {
    title: {
      text: 'Gamma moves the bend to the left; the gradient always dies out smoothly',
      subtitle: 'Orange: the gamma of the slider below the chart. Gray, dashed: gamma = 0, cross-entropy.',
    },
    params: [
      { name: 'gamma', value: gamma, bind: { input: 'range', min: 0, max: 5, step: 0.05, name: 'gamma ' } },
    ],
    data: { sequence: { start: -8, stop: 8.01, step: 0.1, as: 'z' } },
    transform: [
      { calculate: '1 / (1 + exp(datum.z))', as: 'q' },
      { calculate: 'log(1 + exp(-datum.z))', as: 's' },
      { calculate: 'pow(datum.q, gamma) * datum.s', as: 'loss' },
      { calculate: '-pow(datum.q, gamma) * (datum.q + gamma * (1 - datum.q) * datum.s)', as: 'gradient' },
      { calculate: 'datum.s', as: 'lossAtZero' },
      { calculate: '-datum.q', as: 'gradientAtZero' },
    ],
    vconcat: [panel('loss', 'FL (nats)', [0, 8]), panel('gradient', 'dFL/dz', [-1.4, 0])],
  };
}
