import { readFileSync } from 'node:fs';
import { checkedRows, count, positive, text, type RowIn } from './table';

const COLUMNS = {
  work: text,
  contestant: text,
  /** Of each process. */
  threads: count,
  processes: count,
  /** Trained side by side in each process. */
  models: count,
  /** Quickest step, in milliseconds of the whole machine for one model. */
  msMin: positive,
  msMedian: positive,
  /** Largest memory of its processes together. */
  rssMB: positive,
};

/** What one contestant needed for one work, over all its rounds. */
export type BenchRow = RowIn<typeof COLUMNS>;

export interface Bench {
  machine: string;
  /** YYYY-MM-DD */
  date: string;
  rows: BenchRow[];
}

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
  return { machine, date, rows: checkedRows(rows, COLUMNS, `readBench: ${file}`) };
}
