// What epsilon changes, for notebooks/07-epsilon.ipynb.
import type { VegaLiteSpec } from '../display';
import { focalLossGradient } from '../losses/closedForm';
import { linspace } from '../linspace';
import { errorScale, GAMMA_UPWARDS } from './style';
import { FIRST_NAN_LOGITS } from './training';

const GAMMAS = [0.01, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1, 1.5, 2, 3, 5];
const FROM = -8;
const TO = 30;
const STEP = 0.5;

/**
 * Bias of the stabilized loss over margin and gamma, relative on the left and absolute on the right, for an epsilon that the
 * reader sets with a slider and for loss or gradient. The maps are computed in the chart, without alpha, by
 *
 *   L   = q^gamma s                               L_eps   = (q + epsilon)^gamma s
 *   |G| = q^gamma q (1 + gamma r)                 |G_eps| = (q + epsilon)^gamma q (1 + gamma r q / (q + epsilon))      r = p_t s / q
 *
 * @param exponent  log10 of the epsilon that is shown first
 */
export function epsilonBias(exponent: number): VegaLiteSpec {
  const epsilon = 10 ** exponent;
  const at = (z: number, gamma: number, of: number) =>
    Math.abs(focalLossGradient(z, 1, { alpha: -1, gamma, epsilon: of }));
  const margins = linspace(FROM, TO, 2 * (TO - FROM) * 5 + 1);
  const absolute = Math.max(
    ...GAMMAS.filter((gamma) => gamma <= 1).flatMap((gamma) =>
      margins.map((z) => at(z, gamma, epsilon) - at(z, gamma, 0)),
    ),
  );
  const doubled = margins.find((z) => at(z, 0.5, epsilon) >= 2 * at(z, 0.5, 0));
  const relative =
    doubled === undefined
      ? `less than double up to margin ${TO}`
      : `doubled from margin ${doubled.toFixed(1)} on`;

  const panel = (field: string, title: string, domain: [number, number]) => ({
    title: { text: title, fontSize: 12, fontWeight: 'normal', offset: 4 },
    width: 250,
    height: 250,
    layer: [
      {
        mark: { type: 'rect' },
        encoding: {
          x: { field: 'z', type: 'quantitative', title: 'z, margin (easier to the right)', scale: { domain: [FROM, TO], nice: false } }, // prettier-ignore
          x2: { field: 'end' },
          y: GAMMA_UPWARDS,
          color: {
            field,
            type: 'quantitative',
            title: null,
            scale: errorScale(domain),
            legend: { format: '.0e', gradientLength: 240 },
          },
          tooltip: [
            { field: 'z', title: 'margin' },
            { field: 'gamma' },
            { field: 'relative', format: '.3~g' },
            { field: 'absolute', format: '.3~g' },
          ],
        },
      },
      {
        data: { values: [{ wall: FIRST_NAN_LOGITS[0].value, text: 'original NaN (gamma < 1)' }] },
        encoding: { x: { field: 'wall', type: 'quantitative' } },
        layer: [
          { mark: { type: 'rule', color: '#222222', strokeDash: [3, 2] } },
          {
            mark: { type: 'text', align: 'left', dx: 4, fontSize: 10 },
            encoding: { y: { value: -6 }, text: { field: 'text' } },
          },
        ],
      },
    ],
  });
  return {
    title: {
      text: [
        `Epsilon ${epsilon}: at gamma 0.5 the gradient is ${relative},`,
        `yet never off by more than ${absolute.toPrecision(1)}`,
      ],
      subtitle: [
        `Stabilized minus exact, alpha left out (the title: gradient; its second number: all gammas up to 1).`,
        'Below the chart: epsilon, and loss or gradient.',
      ],
    },
    params: [
      { name: 'exponent', value: exponent, bind: { input: 'range', min: -8, max: -1, step: 0.5, name: 'log10 epsilon ' } }, // prettier-ignore
      {
        name: 'shown',
        value: 'gradient',
        bind: { input: 'radio', options: ['loss', 'gradient'], name: 'of ' },
      },
    ],
    data: { sequence: { start: FROM, stop: TO, step: STEP, as: 'z' } },
    transform: [
      { calculate: `[${GAMMAS.join(', ')}]`, as: 'gamma' },
      { flatten: ['gamma'] },
      { calculate: `datum.z + ${STEP}`, as: 'end' },
      { calculate: 'pow(10, exponent)', as: 'epsilon' },
      { calculate: '1 / (1 + exp(datum.z))', as: 'q' },
      // log1p, which Vega does not have: 1 + e^-z rounds e^-z away
      {
        calculate: 'datum.z > 12 ? exp(-datum.z) * (1 - exp(-datum.z) / 2) : log(1 + exp(-datum.z))',
        as: 's',
      },
      { calculate: '(1 - datum.q) * datum.s / datum.q', as: 'r' },
      { calculate: 'pow(1 + datum.epsilon / datum.q, datum.gamma)', as: 'ratio' },
      { calculate: 'datum.ratio * (1 + datum.gamma * datum.r * datum.q / (datum.q + datum.epsilon)) / (1 + datum.gamma * datum.r)', as: 'gradientRatio' }, // prettier-ignore
      { calculate: 'pow(datum.q, datum.gamma) * datum.s', as: 'loss' },
      { calculate: 'pow(datum.q, datum.gamma) * datum.q * (1 + datum.gamma * datum.r)', as: 'gradient' },
      { calculate: "(shown == 'loss' ? datum.ratio : datum.gradientRatio) - 1", as: 'relative' },
      { calculate: "datum.relative * (shown == 'loss' ? datum.loss : datum.gradient)", as: 'absolute' },
    ],
    hconcat: [
      panel('relative', 'relative: 1 means twice the true value', [1e-4, 1e4]),
      panel('absolute', 'absolute (nats, or nats per unit of logit)', [1e-8, 1e-2]),
    ],
    resolve: { scale: { color: 'independent' } },
  };
}

export interface SmallestEpsilon {
  /** 'float32, TensorFlow', 'float16, emulated', ... */
  arithmetic: string;
  gamma: number;
  /** Measured: the smallest power of 2 with which every gradient is finite. */
  measured: number;
  /** max(MAX^(-1 / (1 - gamma)), smallest positive number) of the format. */
  derived: number;
}

/** The smallest epsilon that keeps all gradients finite, measured and derived, beside the one that is used. */
export function smallestEpsilons(rows: readonly SmallestEpsilon[], used: number): VegaLiteSpec {
  const arithmetics = [...new Set(rows.map(({ arithmetic }) => arithmetic))];
  const color = {
    field: 'arithmetic',
    type: 'nominal',
    title: null,
    scale: { domain: arithmetics, range: ['#0072B2', '#56B4E9', '#D55E00', '#009E73'] },
    legend: { labelLimit: 0 },
  };
  const x = { field: 'gamma', type: 'quantitative', title: 'gamma', scale: { domain: [0, 1] } };
  const largest = rows.reduce((a, b) => (b.measured > a.measured ? b : a));
  return {
    title: {
      text: `The most that any gamma needs is ${largest.measured.toExponential(1)} (${largest.arithmetic}); ${
        largest.measured <= used ? `${used} is enough in all of them` : `${used} IS NOT ENOUGH`
      }`,
      subtitle:
        'Points: smallest power of 2 without a non-finite gradient. Lines: derived. Gray: the epsilon in use.',
    },
    width: 480,
    height: 300,
    layer: [
      {
        data: { values: rows },
        mark: { type: 'line', strokeDash: [4, 3] },
        encoding: { x, y: { field: 'derived', type: 'quantitative' }, color },
      },
      {
        data: { values: rows },
        mark: { type: 'point', filled: true, size: 60, opacity: 1, tooltip: true },
        encoding: {
          x,
          y: {
            field: 'measured',
            type: 'quantitative',
            title: 'epsilon',
            scale: { type: 'log', domain: [1e-46, 1] },
            axis: { format: '.0e', tickCount: 8 },
          },
          color,
          shape: { field: 'arithmetic', type: 'nominal', title: null, scale: { domain: arithmetics } },
        },
      },
      {
        data: { values: [{ used }] },
        mark: { type: 'rule', color: '#888888', strokeWidth: 2 },
        encoding: { y: { field: 'used', type: 'quantitative' } },
      },
    ],
  };
}
