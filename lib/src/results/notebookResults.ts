import { existsSync } from 'node:fs';
import path from 'node:path';
import { cacheFolder } from '../cacheFolder';
import { profile, type Profile } from '../profile';
import { deviceName } from '../tf';
import { EPOCH_COLUMNS, type EpochResult } from './epochResults';
import { readRun, type Json } from './runFile';
import { checkedRows } from './table';
import { writeRun } from './writeRun';

/** What a notebook has found, and where, when and how. */
export interface NotebookResults {
  profile: Profile;
  /** 'CPU, MODEL' or 'GPU, MODEL' */
  device: string;
  /** YYYY-MM-DD, UTC */
  date: string;
  /** What was set otherwise than in the paper, in words; empty: the training runs can be compared number by number. */
  unlikePaper: readonly string[];
  settings: Readonly<Record<string, Json>>;
  /** Relative to the clone where it lies in it: in data/results are those that came with it. */
  file: string;
  rows: EpochResult[];
}

/** The settings that decide what a training computes: `epochs` only says how long, and no seed is the paper's. */
const DECISIVE = [
  'gamma',
  'alpha',
  'epsilon',
  'threshold',
  'width',
  'depth',
  'images',
  'batchSize',
  'learningRate',
  'momentum',
];

const clone = path.join(__dirname, '..', '..', '..');
const committed = path.join(clone, 'data', 'results');

/** Of the runs of this machine. `npm run notebooks` sets the variable to data/results, and so replaces what is committed. */
const ownFolder = () => process.env.FOCAL_RESULTS_DIR ?? cacheFolder(path.join(clone, 'data'), 'results');

/**
 * Keeps what a notebook has found in data/cache/results/NAME-PROFILE.csv, by `writeRun`, with the settings, the profile,
 * the device and today's date. The environment variable FOCAL_RESULTS_DIR names another folder, and where the clone is
 * somebody else's it is ~/.cache/focal-loss-lab/results.
 *
 * @param paper  the paper profile, for saying in which of the decisive settings this run differs from it
 * @throws what `writeRun` throws
 * @see data/README.md
 */
export function writeResults(
  name: string,
  { settings, paper, rows }: { settings: object; paper: object; rows: readonly EpochResult[] },
): void {
  const here = { ...settings } as Record<string, Json>;
  const there = { ...paper } as Record<string, Json>;
  const changed = DECISIVE.filter((key) => here[key] !== there[key]);
  const { kind, name: model } = deviceName();
  const header: Omit<NotebookResults, 'file' | 'rows'> = {
    profile: profile(),
    device: `${kind}, ${model}`,
    date: new Date().toISOString().slice(0, 10),
    unlikePaper: changed.map((key) => `${key} ${String(here[key])} instead of ${String(there[key])}`),
    settings: here,
  };
  writeRun(path.join(ownFolder(), fileName(name, profile())), { settings: { ...header }, rows });
}

/**
 * What a notebook has found in its last run of each profile, quick before paper: on this machine, or else what came with
 * the clone, in data/results. None if there is neither.
 *
 * @throws Error naming the file if one is damaged
 */
export function readResults(name: string): NotebookResults[] {
  return (['quick', 'paper'] as const).flatMap((each) => {
    const files = [ownFolder(), committed].map((folder) => path.join(folder, fileName(name, each)));
    const file = files.find(existsSync);
    if (file === undefined) return [];
    const { settings, rows } = readRun(file);
    const relative = path.relative(clone, file);
    const from = settings as unknown as Omit<NotebookResults, 'file' | 'rows'>;
    return [
      {
        ...from,
        file: relative.startsWith('..') ? file : relative,
        rows: checkedRows(rows, EPOCH_COLUMNS, `readResults: ${file}`),
      },
    ];
  });
}

const fileName = (name: string, ofProfile: Profile) => `${name}-${ofProfile}.csv`;
