/** One record. null: there is no value, as opposed to NaN, which is one. */
export type Row = Record<string, number | string | null>;

/** Constrains a record type, interfaces included, to the values of a Row. */
export type RowOf<T> = { readonly [K in keyof T]: number | string | null };

export type ColumnType = 'number' | 'string';

/**
 * Type of every column; one without any value counts as number.
 *
 * @throws TypeError naming `caller`, the row and the column
 */
export function columnTypes(rows: readonly Row[], caller: string): Record<string, ColumnType> {
  const names = Object.keys(rows[0] ?? {});
  const types = new Map<string, ColumnType>();
  rows.forEach((row, i) => {
    const missing = names.find((name) => row[name] === undefined);
    const extra = Object.keys(row).find((name) => !names.includes(name));
    if (missing !== undefined)
      throw new TypeError(`${caller}: row ${i} has no '${missing}' (use null for no value)`);
    if (extra !== undefined)
      throw new TypeError(`${caller}: row ${i} has '${extra}', which row 0 does not have`);
    for (const name of names) {
      const value = row[name];
      if (value === null) continue;
      if (typeof value !== 'number' && typeof value !== 'string')
        throw new TypeError(
          `${caller}: '${name}' of row ${i} must be a number, text or null, got ${String(value)}`,
        );
      const known = types.get(name);
      if (known !== undefined && known !== typeof value)
        throw new TypeError(
          `${caller}: '${name}' of row ${i} is a ${typeof value}, in rows before it a ${known}`,
        );
      types.set(name, typeof value === 'number' ? 'number' : 'string');
    }
  });
  return Object.fromEntries(names.map((name) => [name, types.get(name) ?? 'number']));
}
