import '../tf'; // before danfojs, which loads TensorFlow.js too
import type { DataFrame } from 'danfojs-node';
import { columnTypes, type Row, type RowOf } from './columns';

/**
 * Rows as a danfojs DataFrame, columns in the order of the first row. In number columns null becomes NaN: danfojs would
 * count it as 0 in `groupby(...).mean()`. Its types are set from all the values: danfojs looks at a few of them only.
 *
 * @throws TypeError if the rows do not have the same columns, or a column mixes numbers and text
 */
export function toDataFrame<T extends RowOf<T>>(records: readonly T[]): DataFrame {
  const rows: readonly Row[] = records;
  const columns = columnTypes(rows, 'toDataFrame');
  const names = Object.keys(columns);
  const data = rows.map((row) => names.map((name) => row[name] ?? (columns[name] === 'number' ? NaN : null)));
  const dtypes = names.map((name, column) => {
    if (columns[name] === 'string') return 'string';
    return data.every((row) => Number.isInteger(row[column])) ? 'int32' : 'float32';
  });
  // Loaded here, not above: it takes longer than TensorFlow, and few need it.
  // eslint-disable-next-line @typescript-eslint/no-require-imports
  const danfo = require('danfojs-node') as typeof import('danfojs-node');
  return new danfo.DataFrame(data, { columns: names, dtypes });
}
