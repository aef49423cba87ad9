// The computation graphs of notebooks/02-nan-gradient.ipynb.
import type { VegaLiteSpec } from '../display';
import { NAN_COLOR } from '../display/nanColor';
import {
  exactStates,
  GAMMAS,
  LOGITS,
  PRECISIONS,
  textbookStates,
  type GraphSetting,
  type GraphState,
} from './graphStates';
import { csv } from './style';

const WIDTH = 870;
const BOX = { width: 110, height: 50 };
/** Middles of the columns, from x to FL, and of the rows: forward by CE, forward, backward, backward by CE. */
const COLUMNS = [55, 245, 435, 625, 815];
const ROWS = [62, 148, 258, 340];

const LINE = '#8a8a8a';
const INK = '#222222';
const FORWARD = '#eef4fb';
const BACKWARD = '#fdf6e8';

type Point = readonly [x: number, y: number];

/** A node, with the name of its value. */
interface Box {
  value: string;
  name: string;
  column: number;
  row: number;
}

/** What is handed on from node to node; red where `carries` is not finite. */
interface Arrow {
  carries: string;
  path: readonly Point[];
  /** A local derivative: its formula, its sign, the value after it, and that of what it is multiplied with. */
  factor?: { name: string; sign?: '−'; value: string; times?: string; at: Point };
}

interface Graph {
  boxes: readonly Box[];
  arrows: readonly Arrow[];
  notes: readonly { text: string; at: Point }[];
}

/** The right or left edge of a box. */
const edge = (column: number, row: number, side: 1 | -1): Point => [
  COLUMNS[column] + (side * BOX.width) / 2,
  ROWS[row],
];
/** From box to box in a row. */
const along = (row: number, from: number, to: number): Point[] => {
  const side = from < to ? 1 : -1;
  return [edge(from, row, side), edge(to, row, -side as 1 | -1)];
};
/** Between two boxes that are neighbors. */
const between = (row: number, from: number, to: number): Point => [
  (COLUMNS[from] + COLUMNS[to]) / 2,
  ROWS[row],
];
/** From the top or bottom of a box around a corner to the side of a box in another row. */
const leaving = (from: [column: number, row: number], to: [column: number, row: number]): Point[] => {
  const [column, row] = from;
  const down = ROWS[to[1]] > ROWS[row] ? 1 : -1;
  return [
    [COLUMNS[column], ROWS[row] + (down * BOX.height) / 2],
    [COLUMNS[column], ROWS[to[1]]],
    edge(to[0], to[1], to[0] > column ? -1 : 1),
  ];
};
const arriving = (from: [column: number, row: number], to: [column: number, row: number]): Point[] =>
  leaving(to, from).reverse();

const TEXTBOOK: Graph = {
  boxes: [
    { value: 'x', name: 'logit x', column: 0, row: 1 },
    { value: 'p', name: 'p = σ(x)', column: 1, row: 1 },
    { value: 'q', name: 'q = 1 − p', column: 2, row: 1 },
    { value: 'w', name: 'w = q^γ', column: 3, row: 1 },
    { value: 'loss', name: 'FL = w · CE', column: 4, row: 1 },
    { value: 'ce', name: 'CE = log(1 + e⁻ˣ)', column: 2, row: 0 },
    { value: 'one', name: 'dFL/dFL', column: 4, row: 2 },
    { value: 'ce', name: 'dFL/dw', column: 3, row: 2 },
    { value: 'byQ', name: 'dFL/dq', column: 2, row: 2 },
    { value: 'byP', name: 'dFL/dp', column: 1, row: 2 },
    { value: 'gradient', name: 'dFL/dx', column: 0, row: 2 },
    { value: 'w', name: 'dFL/dCE', column: 2, row: 3 },
  ],
  arrows: [
    { carries: 'x', path: along(1, 0, 1) },
    { carries: 'p', path: along(1, 1, 2) },
    { carries: 'q', path: along(1, 2, 3) },
    { carries: 'w', path: along(1, 3, 4) },
    { carries: 'x', path: leaving([0, 1], [2, 0]) },
    { carries: 'ce', path: arriving([2, 0], [4, 1]) },
    { carries: 'ce', path: along(2, 4, 3), factor: { name: 'CE', value: 'ce', times: 'one', at: between(2, 4, 3) } },
    { carries: 'byQ', path: along(2, 3, 2), factor: { name: 'γ q^(γ−1)', value: 'wByQ', times: 'ce', at: between(2, 3, 2) } },
    { carries: 'byP', path: along(2, 2, 1), factor: { name: '−1', sign: '−', value: 'one', times: 'byQ', at: between(2, 2, 1) } },
    { carries: 'throughP', path: along(2, 1, 0), factor: { name: 'p (1 − p)', value: 'pByX', times: 'byP', at: between(2, 1, 0) } },
    { carries: 'w', path: leaving([4, 2], [2, 3]), factor: { name: 'w', value: 'w', times: 'one', at: between(3, 4, 3) } },
    { carries: 'throughCe', path: arriving([2, 3], [0, 2]), factor: { name: 'p − 1', value: 'ceByX', times: 'w', at: between(3, 1, 0) } },
  ],
  notes: [],
}; // prettier-ignore

const EXACT: Graph = {
  boxes: [
    { value: 'x', name: 'logit x', column: 0, row: 1 },
    { value: 'e', name: 'e = e^−x', column: 1, row: 1 },
    { value: 'q', name: 'q = e / (1 + e)', column: 2, row: 1 },
    { value: 'w', name: 'w = q^γ', column: 3, row: 1 },
    { value: 'loss', name: 'FL = w · s', column: 4, row: 1 },
    { value: 's', name: 's = log(1 + e)', column: 2, row: 0 },
    { value: 'r', name: 'r = s / e, or 1', column: 3, row: 2 },
    { value: 'bracket', name: '1 + γ r', column: 2, row: 2 },
    { value: 'product', name: 'q (1 + γ r)', column: 1, row: 2 },
    { value: 'gradient', name: 'dFL/dx', column: 0, row: 2 },
  ],
  arrows: [
    { carries: 'x', path: along(1, 0, 1) },
    { carries: 'e', path: along(1, 1, 2) },
    { carries: 'q', path: along(1, 2, 3) },
    { carries: 'w', path: along(1, 3, 4) },
    { carries: 'e', path: leaving([1, 1], [2, 0]) },
    { carries: 's', path: arriving([2, 0], [4, 1]) },
    { carries: 'bracket', path: along(2, 3, 2), factor: { name: 'γ', value: 'gamma', at: between(2, 3, 2) } },
    { carries: 'product', path: along(2, 2, 1), factor: { name: 'q', value: 'q', at: between(2, 2, 1) } },
    { carries: 'gradient', path: along(2, 1, 0), factor: { name: '−w', sign: '−', value: 'w', at: between(2, 1, 0) } },
  ],
  notes: [{ text: 'no 1 − p\nand no power\nof γ − 1', at: [COLUMNS[4], ROWS[2]] }],
}; // prettier-ignore

/**
 * The textbook loss as a computation graph, forward above and the chain rule below, for a logit, gamma and number format that
 * the reader sets with sliders. What is not finite is red. Label 1, no alpha.
 *
 * @param shown  the setting that is shown first: a whole logit from 0 to 40, gamma in tenths up to 1
 * @throws RangeError if there is no such setting
 */
export function textbookGraph(shown: GraphSetting): VegaLiteSpec {
  const states = textbookStates();
  const broken = states.filter(({ values }) => Number.isNaN(values.gradient));
  const atZero = broken.every(({ values, gamma }) => values.q === 0 && gamma < 1);
  const silent = broken.every(({ values }) => Number.isFinite(values.loss));
  return graphFigure('textbookGraph', shown, {
    graph: TEXTBOOK,
    states,
    title:
      `Infinity × 0 = NaN${atZero ? ' where 1 − p has become 0' : ''}: ` +
      `${broken.length} of ${counted(states)} settings${silent ? ', each with a finite loss' : ''}`,
    subtitle: 'Above: the loss. Below: its derivative, backward, a local one on each arrow. Red: not finite. Label 1.',
  }); // prettier-ignore
}

/**
 * The exact form as a computation graph, with the sliders of `textbookGraph`.
 *
 * @throws RangeError if there is no such setting
 */
export function exactGraph(shown: GraphSetting): VegaLiteSpec {
  const states = exactStates();
  const finite = states.filter(({ values }) => Object.values(values).every(Number.isFinite));
  return graphFigure('exactGraph', shown, {
    graph: EXACT,
    states,
    title: `The exact form: every node is finite at ${finite.length === states.length ? 'all' : `${finite.length} of`} ${counted(states)} settings`,
    subtitle: 'Above: the loss. Below: its derivative, a formula of its own. Red: not finite. Label 1.',
  });
}

const counted = (states: readonly unknown[]) => states.length.toLocaleString('en');

interface Content<Name extends string> {
  graph: Graph;
  states: readonly GraphState<Name>[];
  title: string;
  subtitle: string;
}

function graphFigure<Name extends string>(
  caller: string,
  shown: GraphSetting,
  { graph, states, title, subtitle }: Content<Name>,
): VegaLiteSpec {
  const keyOf = TABLES.at(-1)!.key;
  if (!states.some((state) => keyOf(state) === keyOf(shown)))
    throw new RangeError(
      `${caller}: there is no setting ${keyOf(shown)}; expected a format of ${PRECISIONS.join(', ')}, ` +
        `a logit of 0, 1 … ${LOGITS.at(-1)}, and a gamma of 0, 0.1 … ${GAMMAS.at(-1)}`,
    );
  const height = Math.max(...graph.boxes.map(({ row }) => ROWS[row])) + BOX.height / 2 + 4;
  return {
    title: { text: title, subtitle },
    width: WIDTH,
    height,
    params: sliders(shown),
    datasets: tables(states, graph),
    encoding: { x: position('x', [0, WIDTH]), y: position('y', [height, 0]) },
    layer: [
      arrowLayer(graph.arrows),
      factorLayer(graph.arrows),
      boxLayer(graph.boxes),
      {
        data: { values: graph.notes.map(({ text, at }) => ({ text, x: at[0], y: at[1] })) },
        mark: { type: 'text', fontSize: 12, lineBreak: '\n', dy: -14 },
        encoding: { text: { field: 'text' } },
      },
      summaryLayer(),
    ],
  };
}

function sliders({ logit, gamma, precision }: GraphSetting): object[] {
  return [
    { name: 'logit', value: logit, bind: { input: 'range', min: LOGITS[0], max: LOGITS.at(-1), step: 1, name: 'logit ' } },
    { name: 'gamma', value: gamma, bind: { input: 'range', min: 0, max: 1, step: 0.1, name: 'gamma ' } },
    { name: 'precision', value: precision, bind: { input: 'radio', options: PRECISIONS, name: 'precision ' } },
  ];
} // prettier-ignore

/** The tables of values: each has a row per key, and the sliders give the key as the expression says. */
const TABLES: readonly { name: string; key: (setting: GraphSetting) => string; expression: string }[] = [
  { name: 'byLogit', key: ({ precision, logit }) => `${precision} ${logit}`, expression: "precision + ' ' + logit" },
  { name: 'byGamma', key: ({ logit, gamma }) => `${logit} ${gamma}`, expression: "logit + ' ' + round(10 * gamma) / 10" },
  {
    name: 'bySetting',
    key: ({ precision, logit, gamma }) => `${precision} ${logit} ${gamma}`,
    expression: "precision + ' ' + logit + ' ' + round(10 * gamma) / 10",
  },
]; // prettier-ignore

/** Parts of the drawing, each with the text of its `value` at the setting of the sliders, `state`. */
const parts = (values: readonly object[]) => ({
  data: { values },
  transform: [
    ...TABLES.flatMap(({ name, expression }) => [
      { calculate: expression, as: 'key' },
      {
        lookup: 'key',
        from: { data: { name, format: { type: 'csv', parse: null } }, key: 'key' },
        as: name,
      },
    ]),
    { calculate: `merge(${TABLES.map(({ name }) => `datum.${name}`).join(', ')})`, as: 'state' },
    { calculate: 'datum.state[datum.value]', as: 'text' },
  ],
});

const IS_NAN = "datum.text == 'NaN'";
const NOT_FINITE = `(${IS_NAN} || indexof(datum.text, 'Infinity') >= 0)`;
const redUnlessFinite = (ink: string) => ({ condition: { test: NOT_FINITE, value: NAN_COLOR }, value: ink });

const position = (field: string, domain: readonly [number, number]) => ({
  field,
  type: 'quantitative',
  axis: null,
  scale: { domain, nice: false },
});

function arrowLayer(arrows: readonly Arrow[]): object {
  const values = arrows.map(({ carries, path }, id) => {
    const [[x, y], [fromX, fromY]] = [...path].reverse();
    const angle = x === fromX ? (y > fromY ? 180 : 0) : x > fromX ? 90 : 270;
    return { id, value: carries, path: path.map(([x, y]) => ({ x, y })), x, y, angle };
  });
  return {
    ...parts(values),
    layer: [
      {
        transform: [
          { flatten: ['path'], as: ['at'] },
          { calculate: 'datum.at.x', as: 'x' },
          { calculate: 'datum.at.y', as: 'y' },
          { window: [{ op: 'row_number', as: 'order' }] },
        ],
        mark: { type: 'line', strokeJoin: 'round' },
        encoding: {
          detail: { field: 'id', type: 'nominal' },
          order: { field: 'order', type: 'quantitative' },
          color: redUnlessFinite(LINE),
          strokeWidth: { condition: { test: NOT_FINITE, value: 3 }, value: 1.5 },
        },
      },
      {
        mark: { type: 'point', shape: 'M0,0L.8,2L-.8,2Z', size: 100, filled: true, opacity: 1 },
        encoding: { angle: { field: 'angle', type: 'quantitative', scale: null }, color: redUnlessFinite(LINE) },
      },
    ],
  }; // prettier-ignore
}

/** On the arrows: the local derivatives, and where a product becomes NaN, that product. */
function factorLayer(arrows: readonly Arrow[]): object {
  const values = arrows.flatMap(({ carries, factor }) =>
    factor ? [{ carries, ...factor, x: factor.at[0], y: factor.at[1] }] : [],
  );
  return {
    ...parts(values),
    layer: [
      {
        mark: { type: 'text', dy: -10, fontSize: 11, color: '#555555' },
        encoding: { text: { field: 'name' } },
      },
      {
        transform: [{ calculate: "'× ' + (datum.sign || '') + datum.text", as: 'factor' }],
        mark: { type: 'text', dy: 13, fontSize: 11, fontWeight: 'bold' },
        encoding: { text: { field: 'factor' }, color: redUnlessFinite(INK) },
      },
      {
        transform: [
          {
            filter: "isValid(datum.times) && datum.state[datum.carries] == 'NaN' && datum.state[datum.times] != 'NaN'",
          },
          {
            // The only factor that is itself NaN is gamma q^(gamma - 1), at gamma 0 and q 0.
            calculate: `(${IS_NAN} ? '0 × Infinity' : datum.state[datum.times] + ' × ' + datum.text) + ' = NaN'`,
            as: 'product',
          },
        ],
        mark: { type: 'text', dy: 41, fontSize: 13, fontWeight: 'bold', color: NAN_COLOR },
        encoding: { text: { field: 'product' } },
      },
    ],
  }; // prettier-ignore
}

function boxLayer(boxes: readonly Box[]): object {
  const values = boxes.map(({ column, row, ...box }) => ({
    ...box,
    ...{ x: COLUMNS[column], y: ROWS[row], fill: row < 2 ? FORWARD : BACKWARD },
    ...{ left: COLUMNS[column] - BOX.width / 2, right: COLUMNS[column] + BOX.width / 2 },
    ...{ top: ROWS[row] - BOX.height / 2, bottom: ROWS[row] + BOX.height / 2 },
  }));
  const whiteIfNan = (otherwise: object) => ({
    ...otherwise,
    condition: [
      { test: IS_NAN, value: 'white' },
      { test: NOT_FINITE, value: NAN_COLOR },
    ],
  });
  return {
    ...parts(values),
    layer: [
      {
        mark: { type: 'rect', cornerRadius: 6 },
        encoding: {
          x: { field: 'left', type: 'quantitative' },
          x2: { field: 'right' },
          y: { field: 'top', type: 'quantitative' },
          y2: { field: 'bottom' },
          fill: {
            condition: { test: IS_NAN, value: NAN_COLOR },
            field: 'fill',
            type: 'nominal',
            scale: null,
          },
          stroke: redUnlessFinite(LINE),
          strokeWidth: { condition: { test: NOT_FINITE, value: 2.5 }, value: 1 },
          tooltip: [
            { field: 'name', title: 'node' },
            { field: 'text', title: 'value' },
          ],
        },
      },
      {
        mark: { type: 'text', dy: -11, fontSize: 12 },
        encoding: { text: { field: 'name' }, color: whiteIfNan({ value: '#444444' }) },
      },
      {
        mark: { type: 'text', dy: 9, fontSize: 14, fontWeight: 'bold' },
        encoding: { text: { field: 'text' }, color: whiteIfNan({ value: INK }) },
      },
    ],
  };
}

/** 'float32, logit 17, gamma 0.5: loss 0, gradient NaN (true gradient −1.26e-11)' */
function summaryLayer(): object {
  const setting = "precision + ', logit ' + logit + ', gamma ' + format(gamma, '.1f')";
  const outcome = "': loss ' + datum.state.loss + ', gradient ' + datum.text";
  const { data, transform } = parts([{ value: 'gradient', x: 0, y: 12 }]);
  return {
    data,
    transform: [
      ...transform,
      {
        calculate: `${setting} + ${outcome} + ' (true gradient ' + datum.state.trueGradient + ')'`,
        as: 'summary',
      },
    ],
    mark: { type: 'text', align: 'left', fontSize: 13, fontWeight: 'bold' },
    encoding: { text: { field: 'summary' }, color: redUnlessFinite(INK) },
  };
}

/** The texts of all values that are drawn, each in the first table whose key determines it. */
function tables(states: readonly GraphState<string>[], { boxes, arrows }: Graph): Record<string, string> {
  const names = new Set([
    ...boxes.map(({ value }) => value),
    ...arrows.flatMap(({ carries, factor }) => (factor ? [carries, factor.value] : [carries])),
    ...['loss', 'trueGradient'],
  ]);
  const texts = states.map(({ precision, gamma, logit, values, trueGradient }) => {
    const all: Record<string, number> = { ...values, x: logit, gamma, one: 1, trueGradient };
    return {
      setting: { precision, gamma, logit },
      text: Object.fromEntries([...names].map((name) => [name, inWords(all[name])])),
    };
  });
  return Object.fromEntries(
    TABLES.map(({ name: table, key }) => {
      const rows = new Map(texts.map(({ setting, text }) => [key(setting), text]));
      const own = [...names].filter((name) =>
        texts.every(({ setting, text }) => rows.get(key(setting))![name] === text[name]),
      );
      own.forEach((name) => names.delete(name));
      const lines = [...rows].map(([of, text]) => [of, ...own.map((name) => text[name])]);
      return [table, csv(['key', ...own], lines)];
    }),
  );
}

/** Three digits; close to 1 what is missing to it, for 1 itself is where the trouble begins. */
function inWords(value: number): string {
  if (!Number.isFinite(value)) return minus(String(value));
  const missing = 1 - value;
  if (missing > 0 && missing < 5e-4) return `1 − ${inWords(missing)}`;
  const text = Number(value.toPrecision(3));
  return minus(text !== 0 && Math.abs(text) < 1e-3 ? text.toExponential() : String(text));
}

const minus = (text: string) => text.replace(/^-/, '−');
