import { LOSS_NAMES, type GridLoss } from '../grid/lossNames';
import { writeRunOf, type Json } from '../results/runFile';
import {
  AXES,
  epochsFile,
  placeIn,
  readSweep,
  type RunKey,
  type SweepResult,
  type SweepRun,
} from './resultFiles';
import { firstDifference, SweepError } from './sweepError';

/**
 * Puts sweeps that were run one by one, a noise and a gamma at a time, say, into one result: the rows of all in the order of the
 * settings, the axes those that occur. Does not load TensorFlow.
 *
 * @param files  tables of runs, as `runSweep` writes them, with those of the epochs next to them
 * @param out  a name that ends with .csv
 * @returns the rows of the first table
 * @throws SweepError naming the files, before anything is written, if the recipe, the code or another version differs, or a run
 *   is in two of them; Error as `readSweep`
 */
export function joinSweeps(files: readonly string[], out: string): SweepRun[] {
  if (files.length === 0) throw new RangeError('joinSweeps: no files; expected at least one');
  if (!out.endsWith('.csv'))
    throw new RangeError(`joinSweeps: out: '${out}'; expected a name that ends with .csv`);
  const sweeps = files.map((file) => ({ file, ...readSweep(file) }));
  const [first, ...others] = sweeps;
  for (const other of others) {
    const difference = firstDifference(recipe(first), recipe(other));
    if (difference !== undefined)
      throw new SweepError(`${first.file} and ${other.file} cannot be joined: ${difference}`);
  }
  const all = sweeps.flatMap(({ file, runs }) => runs.map((run) => ({ file, run })));
  const owners = new Map<string, string>();
  for (const { file, run } of all) {
    const key = Object.values(AXES).map((axis) => `${axis} ${run[axis]}`).join(', '); // prettier-ignore
    const owner = owners.get(key);
    if (owner !== undefined) throw new SweepError(`the run with ${key} is in ${owner} and in ${file}`);
    owners.set(key, file);
  }
  const valuesOf = (axis: keyof RunKey) => inOrder(all.map(({ run }) => run[axis]));
  const axes = Object.fromEntries(
    Object.entries(AXES).map(([name, axis]) => [name, valuesOf(axis)]),
  ) as Record<keyof typeof AXES, (GridLoss | number)[]>;
  const settings = {
    ...first.settings,
    ...axes,
    devices: [...new Set(sweeps.flatMap((sweep) => sweep.settings.devices))].sort(),
    secondsOfShards: sweeps.reduce((sum, sweep) => sum + sweep.settings.secondsOfShards, 0),
  } as unknown as Record<string, Json>;
  const place = (row: RunKey) => placeIn(axes, row);
  const runs = sweeps.flatMap((sweep) => sweep.runs).sort((a, b) => place(a) - place(b));
  const epochs = sweeps
    .flatMap((sweep) => sweep.epochs)
    .sort((a, b) => place(a) - place(b) || a.epoch - b.epoch);
  writeRunOf(epochsFile(out), { settings, versions: first.versions, rows: epochs });
  writeRunOf(out, { settings, versions: first.versions, rows: runs });
  return runs;
}

/** What all runs of one result have in common. */
function recipe({ settings, versions }: SweepResult): Record<string, unknown> {
  const own = [...Object.keys(AXES), 'devices', 'secondsOfShards'];
  return {
    ...Object.fromEntries(Object.entries(settings).filter(([name]) => !own.includes(name))),
    ...Object.fromEntries(
      Object.entries(versions).map(([name, version]) => [`the version of ${name}`, version]),
    ),
  };
}

/** Numbers by size, losses as `LOSS_NAMES` has them. */
function inOrder(values: readonly (GridLoss | number)[]): (GridLoss | number)[] {
  const place = (value: GridLoss | number) => (typeof value === 'number' ? value : LOSS_NAMES.indexOf(value));
  return [...new Set(values)].sort((a, b) => place(a) - place(b));
}
