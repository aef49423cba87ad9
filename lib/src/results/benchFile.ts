import { readFileSync } from 'node:fs';

/** What one contestant needed for one work, over all its rounds. */
export interface BenchRow {
  work: string;
  contestant: string;
  /** Of each process. */
  threads: number;
  processes: number;
  /** Trained side by side in each process. */
  models: number;
  /** Quickest step, in milliseconds of the whole machine for one model. */
  msMin: number;
  msMedian: number;
  /** Largest memory of its processes together. */
  rssMB: number;
}

export interface Bench {
  machine: string;
  /** YYYY-MM-DD */
  date: string;
  rows: BenchRow[];
}

const TEXTS = ['work', 'contestant'] as const;
const COUNTS = ['threads', 'processes', 'models'] as const;
const MEASURES = ['msMin', 'msMedian', 'rssMB'] as const;

/**
 * Reads what `npm run bench -- SUITE --out FILE` has written.
 *
 * @throws Error naming the file, and the row and field where it is one, if it cannot be read or is not such a file
 */
export function readBench(file: string): Bench {
  const fail = (message: string) => new Error(`readBench: ${file} ${message}`);
  let content: string;
  try {
    content = readFileSync(file, 'utf8');
  } catch (error) {
    throw fail(`cannot be read: ${(error as Error).message}`);
  }
  let bench: Partial<Bench> | null;
  try {
    bench = JSON.parse(content) as Partial<Bench> | null;
  } catch (error) {
    throw fail(`is not JSON: ${(error as Error).message}`);
  }
  const { machine, date, rows } = bench ?? {};
  if (typeof machine !== 'string' || typeof date !== 'string' || !Array.isArray(rows))
    throw fail('was not written by npm run bench: expected machine, date and rows');
  rows.forEach((row: Partial<BenchRow> | null, i) => {
    const check = (name: keyof BenchRow, valid: (value: unknown) => boolean, expected: string) => {
      if (!valid(row?.[name]))
        throw fail(`has ${name} ${String(row?.[name])} in row ${i}; expected ${expected}`);
    };
    for (const name of TEXTS) check(name, (value) => typeof value === 'string' && value !== '', 'a name');
    for (const name of COUNTS) check(name, (value) => Number.isInteger(value) && Number(value) >= 1, 'an integer >= 1'); // prettier-ignore
    for (const name of MEASURES) check(name, (value) => Number.isFinite(value) && Number(value) > 0, 'a number > 0'); // prettier-ignore
  });
  return { machine, date, rows };
}
