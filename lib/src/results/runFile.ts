import { readFileSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import Papa from 'papaparse';
import { writeWhole } from '../writeWhole';
import { columnTypes, type ColumnType, type Row, type RowOf } from './columns';

export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** A training run: what was asked for, with which software, and what was recorded. */
export interface Run {
  settings: Readonly<Record<string, Json>>;
  versions: Readonly<Record<string, string>>;
  rows: Row[];
}

/** First line of the file, after '# '. */
interface Header extends Omit<Run, 'rows'> {
  columns: Record<string, ColumnType>;
  rowCount: number;
}

/**
 * What `writeRun` writes, of a run that another process has made: its versions are given. Does not load TensorFlow.
 *
 * @throws TypeError as `writeRun`
 */
export function writeRunOf<T extends RowOf<T>>(
  file: string,
  { settings, versions, rows: records }: Omit<Run, 'rows'> & { rows: readonly T[] },
): void {
  const rows: readonly Row[] = records;
  if (!isDeepStrictEqual(JSON.parse(JSON.stringify(settings)), settings))
    throw new TypeError(
      'writeRun: settings must be JSON: no NaN, Infinity, -0, undefined or class instances',
    );
  const columns = columnTypes(rows, 'writeRun');
  const names = Object.keys(columns);
  rows.forEach((row, i) => {
    const name = names.find((column) => row[column] === '');
    if (name !== undefined)
      throw new TypeError(`writeRun: '${name}' of row ${i} is empty text (use null for no value)`);
  });
  const header: Header = { settings, versions, columns, rowCount: rows.length };
  const table = Papa.unparse(
    { fields: names, data: rows.map((row) => names.map((name) => toField(row[name]))) },
    { newline: '\n' },
  );
  writeWhole(file, `# ${JSON.stringify(header)}\n${table}\n`);
}

/**
 * Reads what `writeRun` has written.
 *
 * @throws Error naming the file if it cannot be read, is not such a file, or is truncated
 */
export function readRun(file: string): Run {
  let content: string;
  try {
    content = readFileSync(file, 'utf8');
  } catch (error) {
    throw new Error(`readRun: cannot read ${file}: ${(error as Error).message}`);
  }
  const end = content.indexOf('\n');
  const { settings, versions, columns, rowCount } = parseHeader(file, content.slice(0, end));
  const names = Object.keys(columns);
  const { data, errors } = Papa.parse<string[]>(content.slice(end + 1), { newline: '\n', delimiter: ',' });
  const [fields, ...lines] = data.slice(0, -1); // the last line is the empty one after the last newline
  const whole = content.endsWith('\n') && errors.length === 0 && lines.length === rowCount;
  if (!whole || lines.some((line) => line.length !== names.length))
    throw new Error(`readRun: ${file} is damaged: expected ${rowCount} rows of ${names.length} fields`);
  if (!isDeepStrictEqual(fields, names) && rowCount > 0)
    throw new Error(`readRun: ${file} is damaged: expected the columns ${names.join(', ')}`);
  const rows = lines.map((line, i) =>
    Object.fromEntries(
      names.map((name, column) => [
        name,
        fromField(line[column], columns[name], `${file}, row ${i}, '${name}'`),
      ]),
    ),
  );
  return { settings, versions, rows };
}

function parseHeader(file: string, line: string): Header {
  try {
    if (!line.startsWith('# ')) throw new Error('it does not begin with "# "');
    const header = JSON.parse(line.slice(2)) as Partial<Header>;
    const { settings, versions, columns, rowCount } = header;
    if (settings === undefined || versions === undefined || columns === undefined || rowCount === undefined)
      throw new Error('its first line lacks settings, versions, columns or rowCount');
    return { settings, versions, columns, rowCount };
  } catch (error) {
    throw new Error(`readRun: ${file} was not written by writeRun: ${(error as Error).message}`);
  }
}

function toField(value: number | string | null): string {
  if (value === null) return '';
  return Object.is(value, -0) ? '-0' : String(value);
}

function fromField(field: string, type: ColumnType, place: string): number | string | null {
  if (field === '') return null;
  if (type === 'string') return field;
  const value = Number(field);
  if (Number.isNaN(value) && field !== 'NaN')
    throw new Error(`readRun: ${place} is '${field}', expected a number`);
  return value;
}
