// Where things are in a clone, and how the set-up writes and remembers.
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { SetupFailure } from './failure.mjs';

export const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..');
export const stateFolder = path.join(root, '.setup');
export const log = path.join(stateFolder, 'setup.log');

const start = performance.now();
export const say = (message) =>
  console.log(`[setup ${((performance.now() - start) / 1000).toFixed(1)} s] ${message}`);

export const read = (file) => {
  try {
    return fs.readFileSync(file, 'utf8');
  } catch (error) {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return null;
    throw error;
  }
};

/** Writes a whole file or nothing, and leaves an equal one alone. */
export function write(file, text) {
  if (read(file) === text) return;
  const partial = `${file}.${process.pid}.partial`;
  fs.mkdirSync(path.dirname(file), { recursive: true });
  fs.writeFileSync(partial, text);
  fs.renameSync(partial, file);
}

export const fingerprint = (...parts) => createHash('sha256').update(JSON.stringify(parts)).digest('hex');

/**
 * Does a piece of work unless its stamp says that it was done from the same ingredients.
 * The stamp goes before the work begins and comes back when it has succeeded, so that a set-up broken off anywhere
 * is completed by the next one. It lies inside what it vouches for, and disappears together with it.
 */
export async function unlessDone(stamp, ingredients, work) {
  if (read(stamp) === ingredients) return;
  fs.rmSync(stamp, { force: true });
  await work();
  write(stamp, ingredients);
}

/** @throws SetupFailure where fewer gigabytes are free than `what` is going to take */
export function requireDiskSpace(folder, gigabytes, what) {
  const { bavail, bsize } = fs.statfsSync(folder);
  const free = (bavail * bsize) / 1e9;
  if (free < gigabytes)
    throw new SetupFailure(
      `not enough disk space: ${what} need ${gigabytes} GB, ${free.toFixed(1)} GB are free in ${folder}: ` +
        'free some space, or clone to another disk, then run the same command again.',
    );
}
