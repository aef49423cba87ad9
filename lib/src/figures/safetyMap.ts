// The safety map of notebooks/07-epsilon.ipynb.
import type { VegaLiteSpec } from '../display';
import { layerOf, SAFE_COLOR, soonToLate } from './style';

export interface Safety {
  precision: string;
  /** The way it is written, with its epsilon: a row of the map each, in the order in which they come. */
  formulation: string;
  gamma: number;
  label: 0 | 1;
  /** First |logit| of a right answer with a gradient that is not finite; null: none. */
  easy: number | null;
  /** The same of a wrong answer. */
  hard: number | null;
}

const HUGE = 1e4; // no network says so

/** '16.6', '-88.7' for a wrong answer, 'huge'; '' if there is none. */
function inCell({ easy, hard }: Safety): string {
  const first = easy ?? hard;
  if (first === null) return '';
  if (first > HUGE) return 'huge';
  return `${easy === null ? '−' : ''}${first.toPrecision(3)}`;
}

/** First logit with a gradient that is not finite, by formulation and gamma, a panel per precision; the reader picks the label. */
export function safetyMap(rows: readonly Safety[]): VegaLiteSpec {
  const order = [...new Set(rows.map(({ formulation }) => formulation))];
  const precisions = [...new Set(rows.map(({ precision }) => precision))];
  const inWords = (first: number | null) =>
    first === null ? 'safe' : `fails from ${Number(first.toPrecision(4))}`;
  const cells = rows.map((row) => {
    const { precision, formulation, gamma, label, easy, hard } = row;
    return {
      ...{ precision, formulation, gamma, label, first: easy ?? hard, text: inCell(row) },
      ...{ 'right answer': inWords(easy), 'wrong answer': inWords(hard) },
    };
  });
  const safe = order.filter((formulation) =>
    cells.every((cell) => cell.formulation !== formulation || cell.first === null),
  );
  const label = { filter: 'datum.label == label' };
  const { color, ink } = soonToLate('first', [4, 100]);
  const panel = (precision: string, first: boolean) => {
    const own = cells.filter((cell) => cell.precision === precision);
    const tooltip = ['precision', 'formulation', 'gamma', 'right answer', 'wrong answer'].map((field) => ({ field, type: 'nominal' })); // prettier-ignore
    return {
      title: { text: precision, fontSize: 12, fontWeight: 'normal', offset: 4 },
      width: { step: 30 },
      height: { step: 20 },
      encoding: {
        x: { field: 'gamma', type: 'ordinal', title: 'gamma', axis: { labelAngle: 0 } },
        y: {
          field: 'formulation',
          type: 'nominal',
          sort: order,
          title: null,
          axis: first ? { labelLimit: 0 } : { labels: false, ticks: false },
        },
      },
      layer: [
        ...layerOf(
          own.filter((cell) => cell.first === null),
          {
            transform: [label],
            mark: { type: 'rect', color: SAFE_COLOR, stroke: 'white' },
            encoding: { tooltip },
          },
        ),
        ...layerOf(
          own.filter((cell) => cell.first !== null),
          {
            transform: [label],
            mark: { type: 'rect', stroke: 'white' },
            encoding: {
              tooltip,
              color,
            },
          },
        ),
        ...layerOf(own, {
          transform: [label],
          mark: { type: 'text', fontSize: 9.5 },
          encoding: { text: { field: 'text', type: 'nominal' }, color: ink },
        }),
      ],
    };
  };
  return {
    title: {
      text: `Safe in every emulated precision, at every gamma shown: ${safe.length > 0 ? safe.join('; ') : 'none'}`,
      subtitle: [
        'Crimson, with its number: the first |logit| from which the gradient is not finite (a minus: of a wrong answer). Green: none.',
        'Huge: only for wrong answers of more than 10,000. Below the chart: for which label.',
      ],
    },
    params: [{ name: 'label', value: 1, bind: { input: 'radio', options: [1, 0], name: 'label ' } }],
    hconcat: precisions.map((precision, i) => panel(precision, i === 0)),
    spacing: 8,
  };
}
