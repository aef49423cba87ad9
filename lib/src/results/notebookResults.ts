import { existsSync } from 'node:fs';
import path from 'node:path';
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
  /** What was set otherwise than in the paper, in words; empty: the trainings can be compared number by number. */
  unlikePaper: readonly string[];
  settings: Readonly<Record<string, Json>>;
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

/**
 * Keeps what a notebook has found in data/results/NAME-PROFILE.csv, by `writeRun`, with the settings, the profile, the
 * device and today's date. The environment variable FOCAL_RESULTS_DIR names another folder.
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
  const header: Omit<NotebookResults, 'rows'> = {
    profile: profile(),
    device: `${kind}, ${model}`,
    date: new Date().toISOString().slice(0, 10),
    unlikePaper: changed.map((key) => `${key} ${String(here[key])} instead of ${String(there[key])}`),
    settings: here,
  };
  writeRun(fileOf(name, profile()), { settings: { ...header }, rows });
}

/**
 * What a notebook has found in its last run of each profile, quick before paper; none if it has not run yet.
 *
 * @throws Error naming the file if one is damaged
 */
export function readResults(name: string): NotebookResults[] {
  const files = (['quick', 'paper'] as const).map((each) => fileOf(name, each));
  return files.filter(existsSync).map((file) => {
    const { settings, rows } = readRun(file);
    const from = settings as unknown as Omit<NotebookResults, 'rows'>;
    return { ...from, rows: checkedRows(rows, EPOCH_COLUMNS, `readResults: ${file}`) };
  });
}

function fileOf(name: string, ofProfile: Profile): string {
  const committed = path.join(__dirname, '..', '..', '..', 'data', 'results');
  return path.join(process.env.FOCAL_RESULTS_DIR ?? committed, `${name}-${ofProfile}.csv`);
}
