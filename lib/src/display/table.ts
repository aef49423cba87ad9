import type { tf } from '../tf'; // its types only: this file loads no TensorFlow
import { displayBundle, escapeHtml } from './bundle';
import { NAN_COLOR } from './nanColor';

/** A danfojs DataFrame or Series, a tensor, or one plain object per row. */
export type Table = readonly object[] | Frame | tf.Tensor;

/** What is read of a DataFrame or Series. */
interface Frame {
  columns: string[];
  index: (string | number)[];
  values: unknown[];
}

export interface ShowOptions {
  /** Stands above the table; that of a tensor is its type and shape, unless another is given. */
  caption?: string;
  /** Significant digits of numbers that are not integers. */
  digits?: number;
  /** Number of rows shown, from the first on. */
  rows?: number;
}

/** One row per entry of `cells`; `headers` begins with the index's, if there is one. */
interface Grid {
  headers: string[];
  cells: unknown[][];
  /** What is left out, in words. */
  remainder?: string;
}

/** Of a tensor: a frame's are the reader's own, and all shown. */
const MOST_COLUMNS = 12;

/**
 * Shows a table. Integers are written as they are, other numbers to `digits` significant digits; NaN and infinities
 * stand out, -0, null and undefined are written as such. A tensor has a row for each place in all its axes but the last,
 * and stays the caller's.
 *
 * @throws TypeError if the table is none, RangeError if digits or rows is out of range
 */
export function show(table: Table, { caption, digits = 4, rows = 20 }: ShowOptions = {}): void {
  if (!Number.isInteger(digits) || digits < 1 || digits > 17)
    throw new RangeError(`show: digits must be an integer in [1, 17], got ${digits}`);
  if (!Number.isInteger(rows) || rows < 1)
    throw new RangeError(`show: rows must be a positive integer, got ${rows}`);
  const grid = isTensor(table) ? tensorToGrid(table, rows) : firstRows(toGrid(table), rows);
  const title = caption ?? (isTensor(table) ? describe(table) : undefined);
  displayBundle({
    'text/html': toHtml(grid, digits, title),
    'text/plain': [title, toText(grid, digits), grid.remainder]
      .filter((part) => part !== undefined)
      .join('\n'),
  });
}

/**
 * Whether a value of any kind is best shown as a table: a DataFrame, a Series, a tensor whose numbers are there, or rows
 * of plain values. Reads no number of a tensor and throws nothing.
 */
export function isTable(value: unknown): value is Table {
  if (typeof value !== 'object' || value === null) return false;
  if (Array.isArray(value)) return value.length > 0 && value.every(isRow);
  return isTensor(value) ? isReadable(value) : isFrame(value);
}

function isRow(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  const prototype = Object.getPrototypeOf(value) as unknown;
  if (prototype !== Object.prototype && prototype !== null) return false;
  const cells = Object.values(value);
  return (
    cells.length > 0 &&
    cells.every((cell) => (typeof cell !== 'object' && typeof cell !== 'function') || cell === null)
  );
}

function isFrame(value: object): value is Frame {
  const { columns, index, values } = value as Partial<Frame>;
  return Array.isArray(columns) && Array.isArray(index) && Array.isArray(values);
}

/** As TensorFlow.js tells its tensors. */
function isTensor(value: object): value is tf.Tensor {
  const { dataId, shape, dtype } = (value ?? {}) as Partial<tf.Tensor>;
  return typeof dataId === 'object' && Array.isArray(shape) && typeof dtype === 'string';
}

const isReadable = (tensor: tf.Tensor) => !tensor.isDisposed && tensor.dtype !== 'complex64';

function firstRows({ headers, cells }: Grid, rows: number): Grid {
  if (cells.length <= rows) return { headers, cells };
  return { headers, cells: cells.slice(0, rows), remainder: `${rows} of ${cells.length} rows` };
}

function toGrid(table: readonly object[] | Frame): Grid {
  if (!Array.isArray(table)) return frameToGrid(table as Frame);
  const headers = [...new Set(table.flatMap((row: object) => Object.keys(row)))];
  return { headers, cells: table.map((row: Record<string, unknown>) => headers.map((key) => row[key])) };
}

/** 'float32 [60000, 28, 28, 1]' */
const describe = ({ dtype, shape }: tf.Tensor) => `${dtype} [${shape.join(', ')}]`;

/** Only what is shown is copied out of TensorFlow: a data set has hundreds of megabytes. */
function tensorToGrid(tensor: tf.Tensor, rows: number): Grid {
  if (!isReadable(tensor))
    throw new TypeError(
      `show: the tensor ${describe(tensor)} ${tensor.isDisposed ? 'is disposed' : 'is complex'}`,
    );
  const leading = tensor.shape.slice(0, Math.max(1, tensor.rank - 1)); // a vector is a column
  const height = leading.reduce((product, n) => product * n, 1);
  const width = tensor.rank < 2 ? 1 : tensor.shape[tensor.rank - 1];
  const [shownRows, shownColumns] = [Math.min(height, rows), Math.min(width, MOST_COLUMNS)];
  const matrix = tensor.reshape([height, width]);
  const corner = matrix.slice([0, 0], [shownRows, shownColumns]);
  const values: readonly unknown[] = [...(corner.dataSync() as Iterable<unknown>)];
  corner.dispose();
  matrix.dispose();

  const cells = Array.from({ length: shownRows }, (_, row) => {
    const numbers = values.slice(row * shownColumns, (row + 1) * shownColumns);
    const shown = tensor.dtype === 'bool' ? numbers.map(Boolean) : numbers;
    return tensor.rank === 0 ? shown : [placeOf(row, leading).join(', '), ...shown];
  });
  const names =
    tensor.rank < 2 ? ['value'] : Array.from({ length: shownColumns }, (_, column) => String(column));
  const left = [
    shownRows < height ? `${shownRows} of ${height} rows` : '',
    shownColumns < width ? `${shownColumns} of ${width} columns` : '',
  ].filter(Boolean);
  return {
    headers: tensor.rank === 0 ? names : ['', ...names],
    cells,
    remainder: left.length > 0 ? left.join(', ') : undefined,
  };
}

/** Row 5 of [2, 3, 4] is (1, 2): the last of these axes runs first. */
function placeOf(row: number, axes: readonly number[]): number[] {
  const place: number[] = [];
  for (const size of [...axes].reverse()) {
    place.unshift(row % size);
    row = Math.floor(row / size);
  }
  return place;
}

function frameToGrid(frame: Frame): Grid {
  if (!isFrame(frame ?? {}))
    throw new TypeError('show: expected a danfojs DataFrame or Series, a tensor, or an array of objects');
  const headers = frame.columns.map(String);
  const cells = frame.values.map((row) => (Array.isArray(row) ? row : [row]) as unknown[]);
  if (frame.index.every((label, i) => label === i)) return { headers, cells };
  return { headers: ['', ...headers], cells: cells.map((row, i) => [frame.index[i], ...row]) };
}

function toHtml({ headers, cells, remainder }: Grid, digits: number, caption?: string): string {
  const alignments = headers.map((_, column) => `text-align:${isNumeric(cells, column) ? 'right' : 'left'}`);
  const head = headers
    .map((name, column) => `<th style="${alignments[column]}">${escapeHtml(name)}</th>`)
    .join('');
  const body = cells
    .map((row) =>
      row.map((value, column) => `<td style="${alignments[column]}">${toHtmlCell(value, digits)}</td>`),
    )
    .map((row) => `<tr>${row.join('')}</tr>`)
    .join('');
  const title =
    caption === undefined
      ? ''
      : `<caption style="text-align:left;white-space:nowrap">${escapeHtml(caption)}</caption>`;
  const foot = remainder === undefined ? '' : `<p>${remainder}</p>`;
  return `<table class="dataframe">${title}<thead><tr>${head}</tr></thead><tbody>${body}</tbody></table>${foot}`;
}

/** NaN is white on its color, an infinity framed in it, in a light theme and in a dark one; bold, for where styles are dropped. */
function toHtmlCell(value: unknown, digits: number): string {
  const text = escapeHtml(format(value, digits));
  if (Number.isNaN(value)) return `<b style="padding:0 .3em;color:white;background:${NAN_COLOR}">${text}</b>`;
  if (typeof value === 'number' && !Number.isFinite(value))
    return `<b style="padding:0 .3em;border:1px solid ${NAN_COLOR}">${text}</b>`;
  return value === null || value === undefined ? `<i>${text}</i>` : text;
}

function toText({ headers, cells }: Grid, digits: number): string {
  const columns = headers.map((header, column) => {
    const texts = [header, ...cells.map((row) => format(row[column], digits).replace(/\s+/g, ' '))];
    const width = Math.max(...texts.map((text) => text.length));
    return texts.map((text) => (isNumeric(cells, column) ? text.padStart(width) : text.padEnd(width)));
  });
  return [...cells.keys(), cells.length]
    .map((row) =>
      columns
        .map((texts) => texts[row])
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

/** Whether a column holds numbers: neither missing values nor a word among them, such as 'none', make it text. */
function isNumeric(cells: unknown[][], column: number): boolean {
  const values = cells.map((row) => row[column]).filter((value) => value !== null && value !== undefined);
  return values.length === 0 || values.some((value) => typeof value === 'number');
}

function format(value: unknown, digits: number): string {
  return typeof value === 'number' ? formatNumber(value, digits) : String(value);
}

/**
 * 0.1 -> 0.1, 2 / 3 -> 0.6667, 0.10000000149 -> 0.1000, 12345.678 -> 12346, 1e-7 -> 1e-7, 1.5e10 -> 15000000000: trailing
 * zeros stand for digits that were rounded away.
 */
function formatNumber(x: number, digits: number): string {
  if (Object.is(x, -0)) return '-0';
  if (Number.isInteger(x) && Math.abs(x) < 1e15) return String(x);
  if (!Number.isFinite(x)) return String(x);
  const rounded = Number(x.toPrecision(digits));
  const magnitude = Math.floor(Math.log10(Math.abs(rounded)));
  if (magnitude < -4 || magnitude >= 7)
    return rounded === x ? x.toExponential() : x.toExponential(digits - 1);
  if (rounded === x) return String(x);
  return x.toFixed(Math.max(0, digits - 1 - magnitude));
}
