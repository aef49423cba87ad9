import { versions } from '../tf';
import type { RowOf } from './columns';
import { writeRunOf, type Run } from './runFile';

/**
 * Writes a run as CSV. The first line is a comment that holds settings, versions, column types and the number of rows as
 * JSON: in the same file, since results that can be separated from their settings one day are. Other programs skip it
 * (pandas: `skiprows=1`). Numbers are written so that reading gives the same float64, NaN, infinities and -0
 * included; null is an empty field. The file appears whole or not at all.
 *
 * @throws TypeError if the settings are not JSON, the rows do not have the same columns, a column mixes numbers and text, or
 *   a text is empty (it would be read as null)
 */
export function writeRun<T extends RowOf<T>>(
  file: string,
  { settings, rows }: Pick<Run, 'settings'> & { rows: readonly T[] },
): void {
  writeRunOf(file, { settings, versions: versions(), rows });
}
