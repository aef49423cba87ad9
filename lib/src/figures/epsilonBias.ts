// What epsilon changes, for notebooks/07-epsilon.ipynb.
import type { VegaLiteSpec } from '../display';
import { linspace } from '../linspace';
import { focalLossGradient } from '../losses/closedForm';
import { NAN_COLOR } from '../display/nanColor';
import { seriesEncoding } from './style';
import { FIRST_NAN_LOGITS } from './training';

const FROM = -4;
const TO = 30;
const STEP = 0.25;
const NAMES = ['exact', 'stabilized'];

/**
 * The gradient of the focal loss and of the stabilized one over the margin, and the difference of the two, for an epsilon and a
 * gamma that the reader sets with sliders. Shaded: where the original loss has no gradient in float32. The curves are computed in
 * the chart, without alpha, by
 *
 *   |G| = q^gamma q (1 + gamma r)                 |G_eps| = (q + epsilon)^gamma q (1 + gamma r q / (q + epsilon))      r = p_t s / q
 *
 * @param gamma  the gamma that is shown first
 * @param exponent  log10 of the epsilon that is shown first
 */
export function epsilonBias(gamma: number, exponent: number): VegaLiteSpec {
  const epsilon = 10 ** exponent;
  const at = (z: number, of: number) => Math.abs(focalLossGradient(z, 1, { alpha: -1, gamma, epsilon: of }));
  const margins = linspace(FROM, TO, 10 * (TO - FROM) + 1);
  const largest = Math.max(...margins.map((z) => at(z, epsilon) - at(z, 0)));
  const doubled = margins.find((z) => at(z, epsilon) >= 2 * at(z, 0));
  const relative =
    doubled === undefined
      ? `less than twice the true one up to margin ${TO}`
      : `twice the true one from margin ${doubled.toFixed(1)} on`;

  const x = (title: string | null) => ({ field: 'z', type: 'quantitative', title, scale: { domain: [FROM, TO], nice: false } }); // prettier-ignore
  const tooltip = [
    { field: 'z', title: 'margin' },
    { field: 'exact', format: '.3~g' },
    { field: 'stabilized', format: '.3~g' },
    { field: 'excess', title: 'difference', format: '.3~g' },
  ];
  const beyondTheWall = {
    data: { values: [{ z: FIRST_NAN_LOGITS[0].value, end: TO, text: 'original: NaN' }] },
    transform: [{ filter: 'gamma > 0 && gamma < 1' }],
    encoding: { x: { field: 'z', type: 'quantitative' } },
  };
  const shade = { ...beyondTheWall, mark: { type: 'rect', color: NAN_COLOR, opacity: 0.12 }, encoding: { ...beyondTheWall.encoding, x2: { field: 'end' } } }; // prettier-ignore
  const name = {
    ...beyondTheWall,
    mark: { type: 'text', align: 'left', dx: 5, color: NAN_COLOR },
    encoding: { ...beyondTheWall.encoding, y: { value: 10 }, text: { field: 'text' } },
  };
  return {
    title: {
      text: [
        `Epsilon ${epsilon}, gamma ${gamma}: the gradient is ${relative},`,
        `yet nowhere off by more than ${Number(largest.toPrecision(1))}`,
      ],
      subtitle: [
        'Label 1, without alpha, exact arithmetic. Shaded: the original loss has no gradient in float32.',
        'The title is of the settings first shown; the sliders are below the chart.',
      ],
    },
    params: [
      { name: 'exponent', value: exponent, bind: { input: 'range', min: -8, max: -1, step: 0.5, name: 'log10 epsilon ' } }, // prettier-ignore
      { name: 'gamma', value: gamma, bind: { input: 'range', min: 0, max: 3, step: 0.1, name: 'gamma ' } },
    ],
    data: { sequence: { start: FROM, stop: TO + STEP, step: STEP, as: 'z' } },
    transform: [
      { calculate: 'pow(10, exponent)', as: 'epsilon' },
      { calculate: '1 / (1 + exp(datum.z))', as: 'q' },
      // log1p, which Vega does not have: 1 + e^-z rounds e^-z away
      {
        calculate: 'datum.z > 12 ? exp(-datum.z) * (1 - exp(-datum.z) / 2) : log(1 + exp(-datum.z))',
        as: 's',
      },
      { calculate: '(1 - datum.q) * datum.s / datum.q', as: 'r' },
      { calculate: 'pow(datum.q, gamma) * datum.q * (1 + gamma * datum.r)', as: 'exact' },
      {
        calculate:
          'pow(datum.q + datum.epsilon, gamma) * datum.q * (1 + gamma * datum.r * datum.q / (datum.q + datum.epsilon))',
        as: 'stabilized',
      },
      { calculate: 'datum.stabilized - datum.exact', as: 'excess' },
    ],
    vconcat: [
      {
        width: 560,
        height: 220,
        layer: [
          shade,
          {
            transform: [{ fold: NAMES, as: ['loss', 'gradient'] }],
            mark: { type: 'line', clip: true },
            encoding: {
              x: x(null),
              y: {
                field: 'gradient',
                type: 'quantitative',
                title: '|dFL/dz|',
                scale: { type: 'log', domain: [1e-20, 2], nice: false },
                axis: { format: '.0e', tickCount: 6 },
              },
              ...seriesEncoding('loss', NAMES),
              tooltip,
            },
          },
          name,
        ],
      },
      {
        width: 560,
        height: 120,
        layer: [
          shade,
          {
            mark: { type: 'line', color: '#222222', clip: true },
            encoding: {
              x: x('z, margin (easier to the right)'),
              y: {
                field: 'excess',
                type: 'quantitative',
                title: ['stabilized', 'minus exact'],
                axis: { format: '~e', tickCount: 4 },
              },
              tooltip,
            },
          },
        ],
      },
    ],
  };
}
