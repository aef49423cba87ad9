import { mkdirSync, readFileSync, readlinkSync, rmSync, symlinkSync } from 'node:fs';
import { hostname } from 'node:os';
import path from 'node:path';
import { isRunning } from '../isRunning';
import { removeLeftovers, writeWhole } from '../writeWhole';
import type { Shard } from './plan';
import type { ShardState } from './resultFiles';
import { storedSettings, type SweepSettings } from './settings';
import { firstDifference, SweepError } from './sweepError';
import type { GridRun } from '../grid/run';

// A sweep that is not complete keeps its state in the folder FILE.parts:
//   sweep.json          what all parts belong to
//   0007.json           a shard that has ended: its runs
//   0007.partial.json   a shard in work: its runs after the last whole epoch
//   0007.safetensors    the same shard's checkpoint, from which it goes on
// Each is replaced as a whole. A file 0007.json exists only if the shard is complete, as Snakemake wants it.

/** What makes the parts of a sweep belong together. */
export interface SweepIdentity {
  settings: SweepSettings;
  versions: Record<string, string>;
  modelsPerShard: number;
}

export interface StoredShard {
  device: string;
  runs: readonly GridRun[];
}

export const partsFolder = (out: string) => `${out}.parts`;

const identityFile = (out: string) => path.join(partsFolder(out), 'sweep.json');

/** Names of a shard's files. */
export function shardFiles(out: string, { index }: Pick<Shard, 'index'>) {
  const stem = path.join(partsFolder(out), String(index).padStart(4, '0'));
  return {
    complete: `${stem}.json`,
    partial: `${stem}.partial.json`,
    checkpoint: `${stem}.safetensors`,
  };
}

/** What the parts in the folder belong to; undefined if there are none. */
export function readIdentity(out: string): SweepIdentity | undefined {
  return readJson(identityFile(out)) as SweepIdentity | undefined;
}

/** Writes it down for the first part; @throws SweepError naming the first difference if the parts are of another sweep */
export function claimParts(out: string, identity: SweepIdentity): void {
  const found = readIdentity(out);
  if (found === undefined) return writeWhole(identityFile(out), JSON.stringify(identity, null, 2));
  const { settings, versions, modelsPerShard } = identity;
  const difference =
    firstDifference({ ...storedSettings(found.settings) }, { ...settings }) ??
    firstDifference(found.versions, versions) ??
    firstDifference({ modelsPerShard: found.modelsPerShard }, { modelsPerShard });
  if (difference !== undefined)
    throw new SweepError(
      `${partsFolder(out)} belongs to another sweep: ${difference}; choose another name, or delete ${out}* to start over`,
    );
}

/** What is known of a shard, and whether that is all. */
export function readShard(out: string, shard: Shard): ShardState & { complete: boolean } {
  const files = shardFiles(out, shard);
  const complete = readJson(files.complete) as StoredShard | undefined;
  const found = complete ?? (readJson(files.partial) as StoredShard | undefined);
  return {
    shard,
    runs: found?.runs ?? [],
    device: found?.device ?? null,
    complete: complete !== undefined,
  };
}

/** The state of a shard after a whole epoch. */
export function writePartialShard(out: string, shard: Shard, stored: StoredShard): void {
  writeWhole(shardFiles(out, shard).partial, toJson(stored));
}

/** The end of a shard; what was needed to go on is no longer. */
export function writeCompleteShard(out: string, shard: Shard, stored: StoredShard): void {
  const files = shardFiles(out, shard);
  writeWhole(files.complete, toJson(stored));
  rmSync(files.partial, { force: true });
  rmSync(files.checkpoint, { force: true });
}

/** Clears away what killed writers of the shard have left. */
export function removeLeftoversOf(out: string, shard: Shard): void {
  const { complete, partial } = shardFiles(out, shard);
  removeLeftovers(complete);
  removeLeftovers(partial);
}

/** Removes the state of a sweep that is complete. */
export const removeParts = (out: string) => rmSync(partsFolder(out), { recursive: true, force: true });

/** JSON has no NaN and no infinities, which a logit may be. */
const toJson = (value: StoredShard) =>
  JSON.stringify(value, (_, item: unknown) =>
    typeof item === 'number' && !Number.isFinite(item) ? String(item) : item,
  );

function readJson(file: string): unknown {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new SweepError(`${file} cannot be read: ${(error as Error).message}`);
  }
  try {
    return JSON.parse(text, (_, item: unknown) =>
      item === 'NaN' || item === 'Infinity' || item === '-Infinity' ? Number(item) : item,
    );
  } catch {
    throw new SweepError(`${file} is damaged: it is not JSON; delete it, then its shard begins again`);
  }
}

/**
 * Runs `work` as the only sweep that writes this file.
 *
 * The lock is a symbolic link whose target says who holds it: made and read in one step, so that no other sweep sees a
 * lock that does not yet say whose it is.
 *
 * @throws SweepError if another one is running
 */
export async function alone<T>(out: string, work: () => Promise<T>): Promise<T> {
  const lock = `${out}.lock`;
  mkdirSync(path.dirname(path.resolve(out)), { recursive: true });
  while (!take(lock)) {
    const owner = ownerOf(lock);
    if (owner === undefined) continue; // it has just been given back
    const [host, pid] = owner;
    if (host === hostname() && !isRunning(Number(pid))) rmSync(lock, { force: true });
    else
      throw new SweepError(
        `${out} is being written by process ${pid} on ${host}; if that is no sweep any more, delete ${lock}`,
      );
  }
  try {
    return await work();
  } finally {
    rmSync(lock, { force: true });
  }
}

function take(lock: string): boolean {
  try {
    symlinkSync(`${hostname()}:${process.pid}`, lock);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

function ownerOf(lock: string): string[] | undefined {
  try {
    return readlinkSync(lock).split(':');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
