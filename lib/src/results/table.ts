/** What the fields of a column may be. */
export interface Kind<T> {
  holds: (value: unknown) => value is T;
  /** In words, for the error. */
  expected: string;
}

/** The columns of a table, each declared once: the type of its rows and the check of what is read follow from them. */
export type Columns = Readonly<Record<string, Kind<unknown>>>;

export type RowIn<C extends Columns> = {
  -readonly [Name in keyof C]: C[Name] extends Kind<infer T> ? T : never;
};

/** NaN and infinities included. */
export const number: Kind<number> = {
  holds: (value): value is number => typeof value === 'number',
  expected: 'a number',
};

export const positive: Kind<number> = {
  holds: (value): value is number => Number.isFinite(value) && (value as number) > 0,
  expected: 'a number > 0',
};

export const count: Kind<number> = {
  holds: (value): value is number => Number.isInteger(value) && (value as number) >= 1,
  expected: 'an integer >= 1',
};

export const text: Kind<string> = {
  holds: (value): value is string => typeof value === 'string' && value !== '',
  expected: 'text',
};

export function oneOf<const T extends string>(...names: readonly T[]): Kind<T> {
  return {
    holds: (value): value is T => names.includes(value as T),
    expected: names.join(', '),
  };
}

export function orNone<T>({ holds, expected }: Kind<T>): Kind<T | null> {
  return {
    holds: (value): value is T | null => value === null || holds(value),
    expected: `${expected} or no value`,
  };
}

/**
 * The rows of a table, checked against its columns. A row may have further fields.
 *
 * @param place  who reads which file, for the error
 * @throws Error naming the place, the row and the column, and what was expected
 */
export function checkedRows<C extends Columns>(
  rows: readonly unknown[],
  columns: C,
  place: string,
): RowIn<C>[] {
  rows.forEach((row, i) => {
    const fields = (row ?? {}) as Record<string, unknown>;
    for (const [name, { holds, expected }] of Object.entries(columns))
      if (!holds(fields[name]))
        throw new Error(`${place} has ${name} ${String(fields[name])} in row ${i}; expected ${expected}`);
  });
  return rows as RowIn<C>[];
}
