import { readRun } from './runFile';

/** What was measured of one implementation of the focal loss, at one gamma, for one label, in one number format. */
export interface CensusRow {
  library: string;
  version: string | null;
  /** Of several that a library offers. */
  variant: string | null;
  /** The package, a function of the package run without the rest of it, or a formula that we have written down. */
  source: 'package' | 'function of the package' | 'formula';
  framework: string;
  defaultGamma: number | null;
  defaultAlpha: number | null;
  dtype: 'float32' | 'float16' | 'bfloat16';
  gamma: number;
  label: number;
  /** |x| of the first loss or gradient that is not finite, where the prediction is right; null: there is none. */
  easyFaultAt: number | null;
  /** 'gradient NaN', 'loss Infinity, gradient NaN', ... */
  easyFault: string | null;
  /** The same where the prediction is wrong. */
  hardFaultAt: number | null;
  hardFault: string | null;
  /** Largest relative error in the ordinary range of logits. This and what follows: of float32 only, else null. */
  lossError: number | null;
  gradientError: number | null;
  /** Smallest |x| whose gradient is wrong, where the prediction is right; null: none. */
  easyWrongFrom: number | null;
  /** The same where the prediction is wrong. */
  hardWrongFrom: number | null;
  /** Largest relative error of a gradient where the prediction is wrong; Infinity for a NaN. */
  hardGradientError: number | null;
}

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

const TEXTS = ['library', 'source', 'framework', 'dtype'] as const;
const NUMBERS = ['gamma', 'label'] as const;
const TEXTS_OR_NONE = ['version', 'variant', 'easyFault', 'hardFault'] as const;
const NUMBERS_OR_NONE = [
  ...(['defaultGamma', 'defaultAlpha', 'easyFaultAt', 'hardFaultAt', 'lossError', 'gradientError'] as const),
  ...(['easyWrongFrom', 'hardWrongFrom', 'hardGradientError'] as const),
];
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
  rows.forEach((row, i) => {
    const check = (names: readonly string[], type: 'number' | 'string', none: boolean) => {
      const wrong = names.find((name) => !(typeof row[name] === type || (none && row[name] === null)));
      if (wrong !== undefined)
        throw new Error(
          `readCensus: ${file} has ${wrong} ${String(row[wrong])} in row ${i}; ` +
            `expected ${type === 'number' ? 'a number' : 'text'}${none ? ' or no value' : ''}`,
        );
    };
    check(TEXTS, 'string', false);
    check(NUMBERS, 'number', false);
    check(TEXTS_OR_NONE, 'string', true);
    check(NUMBERS_OR_NONE, 'number', true);
  });
  return {
    settings: settings as unknown as CensusSettings,
    versions,
    rows: rows as unknown as CensusRow[],
  };
}
