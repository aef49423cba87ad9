import { displayBundle, escapeHtml } from './bundle';

/** A danfojs DataFrame or Series, or one plain object per row. */
export type Table = readonly object[] | Frame;

/** What is read of a DataFrame or Series. */
interface Frame {
  columns: string[];
  index: (string | number)[];
  values: unknown[];
}

export interface ShowOptions {
  /** Stands above the table. */
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
}

/**
 * Shows a table. Integers are written as they are, other numbers to `digits` significant digits; NaN and infinities
 * stand out, -0, null and undefined are written as such.
 *
 * @throws TypeError if the table is none, RangeError if digits or rows is out of range
 */
export function show(table: Table, { caption, digits = 4, rows = 20 }: ShowOptions = {}): void {
  if (!Number.isInteger(digits) || digits < 1 || digits > 17)
    throw new RangeError(`show: digits must be an integer in [1, 17], got ${digits}`);
  if (!Number.isInteger(rows) || rows < 1)
    throw new RangeError(`show: rows must be a positive integer, got ${rows}`);
  const { headers, cells } = toGrid(table);
  const shown: Grid = { headers, cells: cells.slice(0, rows) };
  const remainder = cells.length > rows ? `${rows} of ${cells.length} rows` : undefined;
  displayBundle({
    'text/html': toHtml(shown, digits, caption, remainder),
    'text/plain': [caption, toText(shown, digits), remainder].filter((part) => part !== undefined).join('\n'),
  });
}

function toGrid(table: Table): Grid {
  if (!Array.isArray(table)) return frameToGrid(table as Frame);
  const headers = [...new Set(table.flatMap((row: object) => Object.keys(row)))];
  return { headers, cells: table.map((row: Record<string, unknown>) => headers.map((key) => row[key])) };
}

function frameToGrid(frame: Frame): Grid {
  if (!Array.isArray(frame?.columns) || !Array.isArray(frame.values))
    throw new TypeError('show: expected a danfojs DataFrame or Series, or an array of objects');
  const headers = frame.columns.map(String);
  const cells = frame.values.map((row) => (Array.isArray(row) ? row : [row]) as unknown[]);
  if (frame.index.every((label, i) => label === i)) return { headers, cells };
  return { headers: ['', ...headers], cells: cells.map((row, i) => [frame.index[i], ...row]) };
}

function toHtml({ headers, cells }: Grid, digits: number, caption?: string, remainder?: string): string {
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

/** Bold, for where colors are dropped; a red that is legible on white and on black. */
function toHtmlCell(value: unknown, digits: number): string {
  const text = escapeHtml(format(value, digits));
  if (typeof value === 'number' && !Number.isFinite(value)) return `<b style="color:#d93025">${text}</b>`;
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
