import '../tf'; // before danfojs, which loads TensorFlow.js too
import type { DataFrame } from 'danfojs-node';
import { columnTypes, type Row, type RowOf } from './columns';

/**
 * Rows as a danfojs DataFrame, columns in the order of the first row. In number columns null becomes NaN: danfojs would
 * count it as 0 in `groupby(...).mean()`. Its types are set from all the values: danfojs looks at a few of them only.
 * A column with the name of a property that every frame has, such as `index`, is `frame.column('index')`.
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
  const { DataFrame } = loadDanfo();
  return new DataFrame(data, { columns: names, dtypes });
}

type Danfo = typeof import('danfojs-node');
let danfo: Danfo | undefined;

/** Loaded when it is first needed: it takes longer than TensorFlow, and few need it. */
function loadDanfo(): Danfo {
  if (danfo === undefined) {
    // eslint-disable-next-line @typescript-eslint/no-require-imports
    danfo = require('danfojs-node') as Danfo;
    // What node adds to a frame is a class of its own; methods return frames of the class below it.
    keepPropertiesOfFrames(Object.getPrototypeOf(danfo.DataFrame.prototype) as ColumnDefiner);
  }
  return danfo;
}

/** The part of danfojs that makes each column a property of its frame: one, or without a name all of them. */
interface ColumnDefiner {
  columns: string[];
  $setInternalColumnDataProperty(column?: string): void;
}

/** A column named `index` would hide the frame's own index, on which nearly every method relies. */
function keepPropertiesOfFrames(prototype: ColumnDefiner): void {
  const define = prototype.$setInternalColumnDataProperty;
  prototype.$setInternalColumnDataProperty = function (this: ColumnDefiner, column?: string) {
    const columns = column === undefined ? this.columns : [column];
    if (!columns.some((name) => name in prototype)) define.call(this, column);
    else for (const name of columns) if (!(name in prototype)) define.call(this, name);
  };
}
