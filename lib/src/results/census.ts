import { readRun } from './runFile';
import { checkedRows, number, oneOf, orNone, text, type RowIn } from './table';

const COLUMNS = {
  library: text,
  version: orNone(text),
  /** Of several that a library offers. */
  variant: orNone(text),
  /** The package, a function of the package run without the rest of it, or a formula that we have written down. */
  source: oneOf('package', 'function of the package', 'formula'),
  framework: text,
  defaultGamma: orNone(number),
  defaultAlpha: orNone(number),
  dtype: oneOf('float32', 'float16', 'bfloat16'),
  gamma: number,
  label: number,
  /** |x| of the first loss or gradient that is not finite, where the prediction is right; null: there is none. */
  easyFaultAt: orNone(number),
  /** 'gradient NaN', 'loss Infinity, gradient NaN', ... */
  easyFault: orNone(text),
  /** The same where the prediction is wrong. */
  hardFaultAt: orNone(number),
  hardFault: orNone(text),
  /** Largest relative error in the ordinary range of logits. This and what follows: of float32 only, else null. */
  lossError: orNone(number),
  gradientError: orNone(number),
  /** Smallest |x| whose gradient is wrong, where the prediction is right; null: none. */
  easyWrongFrom: orNone(number),
  /** The same where the prediction is wrong. */
  hardWrongFrom: orNone(number),
  /** Largest relative error of a gradient where the prediction is wrong; Infinity for a NaN. */
  hardGradientError: orNone(number),
};

/** What was measured of one implementation of the focal loss, at one gamma, for one label, in one number format. */
export type CensusRow = RowIn<typeof COLUMNS>;

export interface CensusSettings {
  gammas: number[];
  /** |x| to which a fault was looked for */
  largestLogit: number;
  /** |x| of the ordinary range */
  near: number;
  /** |x| to which a wrong gradient was looked for */
  farEasy: number;
  farHard: number;
  /** Relative error from which a gradient is called wrong. */
  wrong: number;
  /** YYYY-MM-DD */
  date: string;
}

export interface Census {
  settings: CensusSettings;
  versions: Readonly<Record<string, string>>;
  rows: CensusRow[];
}

const COUNTS = ['largestLogit', 'near', 'farEasy', 'farHard', 'wrong'] as const;

/**
 * Reads what `npm run census` has written.
 *
 * @throws Error as `readRun`, and naming the file, the row and the field if it is not such a file
 */
export function readCensus(file: string): Census {
  const { settings, versions, rows } = readRun(file);
  const { gammas, date } = settings;
  const complete = Array.isArray(gammas) && typeof date === 'string';
  if (!complete || COUNTS.some((name) => typeof settings[name] !== 'number') || rows.length === 0)
    throw new Error(`readCensus: ${file} was not written by npm run census`);
  return {
    settings: settings as unknown as CensusSettings,
    versions,
    rows: checkedRows(rows, COLUMNS, `readCensus: ${file}`),
  };
}
