// The figures of notebooks/03-mnist-classification.ipynb.
import type { VegaLiteSpec } from '../display';
import { NAN_COLOR } from '../display/nanColor';
import { GAMMA_UPWARDS, layerOf, nanLane, SAFE_COLOR, seriesEncoding, soonToLate } from './style';

/** From this |logit| on a float32 gradient of the original loss is NaN: 24 ln 2 for label 1, 25 ln 2 for label 0. */
export const FIRST_NAN_LOGITS = [
  { value: 24 * Math.LN2, text: 'NaN from here for label 1' },
  { value: 25 * Math.LN2, text: 'and for label 0' },
];

/** Dashed lines at the walls, with their text. */
export const wallLayers = (): object[] =>
  FIRST_NAN_LOGITS.map(({ value, text }, i) => ({
    data: { values: [{ value, text }] },
    layer: [
      {
        mark: { type: 'rule', color: '#888888', strokeDash: [2, 2] },
        encoding: { y: { field: 'value', type: 'quantitative' } },
      },
      {
        mark: {
          ...{ type: 'text', align: 'left', dx: 4, color: '#555555', fontSize: 10 },
          ...(i > 0 ? { baseline: 'bottom', dy: -2 } : { baseline: 'top', dy: 3 }),
        },
        encoding: { x: { value: 0 }, y: { field: 'value', type: 'quantitative' }, text: { field: 'text' } },
      },
    ],
  }));

export interface Curve {
  /** 'original', 'stabilized', 'exact' or 'control (gamma 2)' */
  name: string;
  records: readonly { step: number; loss: number; accuracy: number; maxAbsLogit: number }[];
  /** where the first non-finite gradient appeared, if it did, and the largest |logit| of that batch */
  diverged: { step: number; maxAbsLogit?: number } | null;
}

const STEP = { field: 'step', type: 'quantitative', title: null, axis: { format: 'd' } };
const STEP_AT_THE_FOOT = { ...STEP, title: 'training step' };
const CONTROL = 'control (gamma 2)';
const AND = new Intl.ListFormat('en');

/**
 * Largest |logit|, mean loss and accuracy against the training step, and the loss of the stabilized run minus that of the exact
 * one. A cross in the lane above is a first NaN, the dot below it the |logit| of the batch that caused it. A control is left out
 * of the losses: its own is another function.
 */
export function trainingCurves(curves: readonly Curve[], setting: string): VegaLiteSpec {
  const names = curves.map((curve) => curve.name);
  const rows = curves.flatMap(({ name, records }) =>
    records.map(({ step, loss, accuracy, maxAbsLogit }) => ({ name, step, loss, accuracy, maxAbsLogit })),
  );
  const ends = curves.flatMap(({ name, diverged }) => (diverged ? [{ name, ...diverged }] : []));
  const nans = ends.map(({ name, step }) => ({ name, step }));
  const tooltip = [{ field: 'name' }, { field: 'step', title: 'first NaN gradient in step' }];
  const rules = (x: object = STEP) =>
    layerOf(nans, {
      mark: { type: 'rule', color: NAN_COLOR, strokeDash: [4, 3] },
      encoding: { x, tooltip },
    });
  const lines = (values: readonly object[], y: object, x: object = STEP) => ({
    data: { values },
    mark: { type: 'line', tooltip: true },
    encoding: { x, y: { type: 'quantitative', ...y }, ...seriesEncoding('name', names) },
  });
  const panel = (height: number, layer: object[]) => ({ width: 560, height, layer });

  const inWords = ends.map(
    ({ name, step, maxAbsLogit = NaN }) =>
      `the ${name} loss goes NaN in step ${step.toLocaleString('en')}` +
      (Number.isFinite(maxAbsLogit) ? `, at |logit| ${maxAbsLogit.toFixed(2)}` : ''),
  );
  const finding = inWords.join('; ');
  const lastDeath = Math.max(...ends.map(({ step }) => step));
  const past = curves.filter(({ diverged, records }) => !diverged && (records.at(-1)?.step ?? 0) > lastDeath);
  const rest = past.length === 0 ? '' : `; ${AND.format(past.map(({ name }) => name))} ${past.length > 1 ? 'train' : 'trains'} on`;
  return {
    title: {
      text: finding ? `${finding[0].toUpperCase()}${finding.slice(1)}${rest}` : 'No run meets a NaN',
      subtitle: `${setting}.${ends.length > 0 ? ' Cross: first NaN gradient. Dot: the largest |logit| of its batch.' : ''}`,
    },
    vconcat: [
      panel(150, [
        lines(rows, { field: 'maxAbsLogit', title: 'largest |logit|' }),
        ...rules(),
        ...wallLayers(),
        ...fatalLayers(ends),
        ...nanLane(nans, { x: STEP, tooltip, label: 'name' }),
      ]),
      panel(110, [
        lines(
          rows.filter(({ name }) => name !== CONTROL || names.length === 1),
          { field: 'loss', title: 'mean loss', scale: { type: 'log', nice: false }, axis: { tickCount: 4 } },
        ),
        ...rules(),
      ]),
      ...differenceLayers(curves).map((layer) => panel(80, [layer, ...rules()])),
      panel(100, [
        lines(rows, { field: 'accuracy', title: 'accuracy', scale: { zero: false }, axis: { tickCount: 4 } }, STEP_AT_THE_FOOT),
        ...rules(STEP_AT_THE_FOOT),
      ]),
    ],
  };
} // prettier-ignore

/** Dots with the largest |logit| of the batch of a first NaN, where it is a number. */
function fatalLayers(ends: readonly { name: string; step: number; maxAbsLogit?: number }[]): object[] {
  const fatal = ends.flatMap(({ name, step, maxAbsLogit = NaN }) =>
    Number.isFinite(maxAbsLogit) ? [{ name, step, maxAbsLogit, text: maxAbsLogit.toFixed(2) }] : [],
  );
  const y = { field: 'maxAbsLogit', type: 'quantitative' };
  return layerOf(fatal, {
    layer: [
      {
        mark: { type: 'point', filled: true, size: 70, color: NAN_COLOR, opacity: 1, tooltip: true },
        encoding: { x: STEP, y },
      },
      {
        mark: { type: 'text', align: 'left', dx: 7, dy: -7, color: NAN_COLOR, fontWeight: 'bold' },
        encoding: { x: STEP, y, text: { field: 'text' } },
      },
    ],
  });
}

/** The loss of the stabilized run minus that of the exact one, over 0; nothing if one of them is missing. */
function differenceLayers(curves: readonly Curve[]): object[] {
  const differences = lossDifferences(curves);
  const y = {
    field: 'difference',
    type: 'quantitative',
    title: ['loss: stabilized', 'minus exact'],
    axis: { tickCount: 3, format: '~e' },
  };
  const line = { type: 'line', color: '#222222', strokeWidth: 1.5, tooltip: true };
  return differences.length === 0
    ? []
    : [
        {
          data: { values: differences },
          layer: [
            { mark: line, encoding: { x: STEP, y } },
            { mark: { type: 'rule', color: '#888888' }, encoding: { y: { datum: 0 } } },
          ],
        },
      ];
}

/** Loss of the stabilized run minus that of the exact one, where both have a record of a step. */
function lossDifferences(curves: readonly Curve[]): { step: number; difference: number }[] {
  const recordsOf = (name: string) => curves.find((curve) => curve.name === name)?.records ?? [];
  const exact = new Map(recordsOf('exact').map(({ step, loss }) => [step, loss]));
  return recordsOf('stabilized').flatMap(({ step, loss }) => {
    const other = exact.get(step);
    return other === undefined ? [] : [{ step, difference: loss - other }];
  });
}

/** Of a model of `trainGrid`. */
export interface Death {
  gamma: number;
  threshold: number;
  /** the step of the first NaN gradient, if there was one */
  diverged: { step: number } | null;
}

/** Gamma against threshold: the step of the first NaN gradient, or a dash where there was none. */
export function deathMap(runs: readonly Death[], setting: string): VegaLiteSpec {
  const cells = runs.map(({ gamma, threshold, diverged }) => {
    const step = diverged?.step ?? null;
    return { gamma, threshold, step, label: step?.toLocaleString('en') ?? '–' };
  });
  const steps = cells.flatMap(({ step }) => step ?? []);
  const { color, ink } = soonToLate('step', [Math.min(...steps), Math.max(...steps)]);
  const inside = cells.filter(({ gamma }) => gamma > 0 && gamma < 1);
  const outside = cells.filter((cell) => !inside.includes(cell));
  const nanOf = (own: typeof cells) => {
    const nan = own.filter(({ step }) => step !== null).length;
    if (own.length > 0 && nan === own.length) return `all ${nan}`;
    return nan === 0 ? `none of ${own.length}` : `${nan} of ${own.length}`;
  };
  return {
    title: {
      text:
        `NaN: ${nanOf(inside)} runs with 0 < gamma < 1` +
        (outside.length > 0 ? `, ${nanOf(outside)} others` : ''),
      subtitle: `${setting}. Number and color: step of the first NaN gradient; a dash: none.`,
    },
    width: { step: 90 },
    height: { step: 34 },
    encoding: {
      x: {
        field: 'threshold',
        type: 'ordinal',
        title: 'threshold: digits up to this one are class 1',
        axis: { labelAngle: 0 },
      },
      y: GAMMA_UPWARDS,
    },
    layer: [
      ...layerOf(
        cells.filter((cell) => cell.step === null),
        { mark: { type: 'rect', color: SAFE_COLOR } },
      ),
      ...layerOf(
        cells.filter((cell) => cell.step !== null),
        { mark: { type: 'rect', tooltip: true }, encoding: { color } },
      ),
      {
        data: { values: cells },
        mark: { type: 'text', fontSize: 12 },
        encoding: { text: { field: 'label', type: 'nominal' }, color: ink },
      },
    ],
  };
}
