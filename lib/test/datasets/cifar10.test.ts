import assert from 'node:assert/strict';
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, before, beforeEach, describe, test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { loadCifar10, tf } from 'focal-loss-lab';
import { fetchBatches, type Archive } from 'focal-loss-lab/dist/datasets/cifar10Archive';
import { expectClose } from '../expectClose';

const MODULE = path.join(__dirname, '..', '..', 'datasets', 'cifar10Archive.js');
const FAKE_KERNEL = path.join(__dirname, '..', 'display', 'fakeKernel.js');
const CACHE = path.join(__dirname, '..', '..', '..', '..', 'data', 'cache', 'cifar10'); // from lib/dist/test/datasets

const sha256 = (content: Uint8Array) => createHash('sha256').update(content).digest('hex');
const truncatedBy = (file: string, bytes: number) => truncateSync(file, statSync(file).size - bytes);

describe('loadCifar10, the real data', () => {
  // SHA-1 of the official binary files as Apache MXNet publishes them (gluon/data/vision/datasets.py).
  const OFFICIAL_SHA1 = {
    'data_batch_1.bin': 'aadd24acce27caa71bf4b10992e9e7b2d74c2540',
    'data_batch_2.bin': 'c0ba65cce70568cd57b4e03e9ac8d2a5367c1795',
    'data_batch_3.bin': '1dd00a74ab1d17a6e7d73e185b69dbf31242f295',
    'data_batch_4.bin': 'aab85764eb3584312d3c7f65fd2fd016e36a258e',
    'data_batch_5.bin': '26e2849e66a845b7f1e4614ae70f4889ae604628',
    'test_batch.bin': '67eb016db431130d61cd03c7ad570b013799c88c',
  };
  const missing = Object.keys(OFFICIAL_SHA1).some((name) => !existsSync(path.join(CACHE, name)));
  const skip = missing && 'data/cache/cifar10 is empty: loadCifar10 fills it (139 MB), tests do not';

  before(() => delete process.env.FOCAL_DATA_DIR);

  test('what is made of the npm package are the official files, to the last byte', { skip }, () => {
    for (const [name, sha1] of Object.entries(OFFICIAL_SHA1)) {
      const content = readFileSync(path.join(CACHE, name));
      assert.equal(createHash('sha1').update(content).digest('hex'), sha1, name);
    }
  });

  // Means of the channels in the order red, green, blue: known from the literature, where all digits given agree.
  for (const [split, perClass, means, firstLabels] of [
    ['train', 5000, [0.4914, 0.4822, 0.4465], [6, 9, 9, 4, 1, 1, 2, 7, 8, 3]],
    ['test', 1000, [0.4942, 0.4851, 0.4504], [3, 8, 8, 0, 6, 6, 1, 6, 3, 1]],
  ] as const)
    test(
      `${split}: ${perClass} images of every class, channel means ${means.join(', ')}`,
      { skip },
      async () => {
        const tensors = tf.memory().numTensors;
        const { images, labels } = await loadCifar10(split);
        assert.equal(tf.memory().numTensors, tensors + 2);
        assert.deepEqual([images.shape, images.dtype], [[10 * perClass, 32, 32, 3], 'float32']);
        assert.deepEqual([labels.shape, labels.dtype], [[10 * perClass], 'int32']);

        const counts = new Array<number>(10).fill(0);
        for (const label of labels.dataSync()) counts[label] += 1;
        assert.deepEqual(counts, new Array<number>(10).fill(perClass));
        assert.deepEqual(Array.from(labels.dataSync().slice(0, 10)), firstLabels);

        const sums = [0, 0, 0]; // in float64: float32 sums of 50 million pixels stop growing
        const pixels = images.dataSync();
        for (let i = 0; i < pixels.length; i++) sums[i % 3] += pixels[i];
        const found = sums.map((sum) => sum / (pixels.length / 3));
        expectClose(found, means, { absolute: 5e-5 });
        tf.dispose([images, labels]);
      },
    );

  test('a record is a label and three planes; pixels are bytes / 255', { skip }, async () => {
    const { images, labels } = await loadCifar10('test');
    const record = readFileSync(path.join(CACHE, 'test_batch.bin')).subarray(3073 * 7, 3073 * 8);
    const planes = tf.tidy(() => tf.transpose(images.slice(7, 1).squeeze([0]), [2, 0, 1]).dataSync());
    assert.deepEqual(
      Array.from(planes),
      Array.from(record.subarray(1), (byte) => Math.fround(byte / 255)),
    );
    assert.equal(labels.dataSync()[7], record[0]);
    tf.dispose([images, labels]);
  });

  test('the official archive, unpacked in FOCAL_DATA_DIR, is found', { skip }, async () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'cifar10-'));
    try {
      execFileSync('ln', ['-s', CACHE, path.join(folder, 'cifar-10-batches-bin')]);
      process.env.FOCAL_DATA_DIR = folder;
      const { images, labels } = await loadCifar10('test');
      assert.equal(images.shape[0], 10_000);
      tf.dispose([images, labels]);
    } finally {
      delete process.env.FOCAL_DATA_DIR;
      rmSync(folder, { recursive: true });
    }
  });
});

describe('loadCifar10 from FOCAL_DATA_DIR', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'cifar10-'));
    process.env.FOCAL_DATA_DIR = folder;
  });
  afterEach(() => {
    delete process.env.FOCAL_DATA_DIR;
    rmSync(folder, { recursive: true });
  });

  const put = (bytes: number) => writeFileSync(path.join(folder, 'test_batch.bin'), Buffer.alloc(bytes));
  for (const [fault, make, message] of [
    [
      'a missing file, and does not download it',
      () => undefined,
      /test_batch\.bin: not found; expected CIFAR-10's six official binary files in that folder$/,
    ],
    [
      'a truncated file',
      () => put(30_000_000),
      /test_batch\.bin: 30000000 bytes \(truncated\); expected 30730000: 10000 records of 3073$/,
    ],
    [
      'another count of records',
      () => put(30_730_000 + 3073),
      /30733073 bytes \(too long\); expected 30730000/,
    ],
    [
      'other content',
      () => put(30_730_000),
      /test_batch\.bin: SHA-256 [0-9a-f]{64}; expected 8e2eb146[0-9a-f]+ \(the official file\)$/,
    ],
  ] as [string, () => void, RegExp][])
    test(`refuses ${fault}, naming the file and what was expected`, async () => {
      make();
      const tensors = tf.memory().numTensors;
      await assert.rejects(loadCifar10('test'), message);
      assert.equal(tf.memory().numTensors, tensors);
    });

  test('knows no third split', async () => {
    await assert.rejects(loadCifar10('valid' as 'test'), /split is 'valid'; expected 'train' or 'test'/);
  });
});

// An archive of the same form, two sheets of three images, and an npm that hands it out: no network is needed.
describe('fetchBatches', () => {
  const LABELS = [7, 0, 9, 1, 1, 8];
  let root: string;
  let folder: string;
  let tgz: string;
  let archive: Archive;
  const path0 = process.env.PATH;
  const started: ChildProcess[] = [];

  /** The bytes of one image: each its own, and each color its own. */
  const byte = (image: number, pixel: number, channel: number) =>
    (37 * image + 11 * pixel + 101 * channel) % 256;
  const record = (image: number) => [
    LABELS[image],
    ...[0, 1, 2].flatMap((channel) =>
      Array.from({ length: 1024 }, (_, pixel) => byte(image, pixel, channel)),
    ),
  ];
  const records = (first: number) => Buffer.from([0, 1, 2].flatMap((i) => record(first + i)));

  async function sheet(first: number): Promise<Uint8Array> {
    const pixels = Int32Array.from({ length: 3 * 1024 * 3 }, (_, i) =>
      byte(first + Math.floor(i / 3072), Math.floor((i % 3072) / 3), i % 3),
    );
    const image = tf.tensor3d(pixels, [3, 1024, 3], 'int32');
    const png = await tf.node.encodePng(image);
    image.dispose();
    return png;
  }

  beforeEach(async () => {
    root = mkdtempSync(path.join(tmpdir(), 'cifar10-fetch-'));
    folder = path.join(root, 'cache');
    tgz = path.join(root, 'archive.tgz');
    const content = path.join(root, 'package');
    mkdirSync(content);
    writeFileSync(path.join(content, 'a.png'), await sheet(0));
    writeFileSync(path.join(content, 'b.png'), await sheet(3));
    writeFileSync(path.join(content, 'labels.json'), JSON.stringify(LABELS));
    writeFileSync(path.join(content, 'package.json'), '{ "scripts": { "prepack": "exit 1" } }');
    pack();
    archive = {
      package: 'images@1.0.0',
      bytes: statSync(tgz).size,
      sha256: sha256(readFileSync(tgz)),
      batches: [
        {
          name: 'a.bin',
          sha256: sha256(records(0)),
          sheet: 'a.png',
          labels: { list: 'labels.json', from: 0 },
        },
        {
          name: 'b.bin',
          sha256: sha256(records(3)),
          sheet: 'b.png',
          labels: { list: 'labels.json', from: 3 },
        },
      ],
    };
    npm(`cp ${tgz} "$4/images-1.0.0.tgz"`);
  });
  afterEach(() => {
    for (const child of started.splice(0)) child.kill('SIGKILL');
    process.env.PATH = path0;
    rmSync(root, { recursive: true });
  });

  const pack = () => execFileSync('tar', ['-czf', tgz, '-C', root, 'package']);

  /** An npm that does this; $4 is the folder in which the archive is expected. */
  function npm(script: string): void {
    const bin = path.join(root, 'bin');
    mkdirSync(bin, { recursive: true });
    const check = '[ "$1 $2 $3" = "pack images@1.0.0 --pack-destination" ] || exit 64';
    writeFileSync(path.join(bin, 'npm'), `#!/bin/sh\n${check}\necho >> ${root}/calls\n${script}\n`);
    chmodSync(path.join(bin, 'npm'), 0o755);
    process.env.PATH = `${bin}${path.delimiter}${path0}`;
  }
  const calls = () => readFileSync(path.join(root, 'calls'), 'utf8').length;

  /** fetchBatches in a process of its own. */
  function fetchElsewhere({ kernel = false } = {}): ChildProcess {
    const script = `
      if (${kernel}) require(${JSON.stringify(FAKE_KERNEL)});
      const { fetchBatches } = require(${JSON.stringify(MODULE)});
      fetchBatches(JSON.parse(process.argv[1]), process.argv[2]).catch((error) => {
        console.error(error.name);
        process.exitCode = 3;
      });`;
    const child = spawn(process.execPath, ['-e', script, JSON.stringify(archive), folder]);
    started.push(child);
    return child;
  }

  /** An npm that has written a part and does not get on, and a fetch that waits for it. */
  async function stuckFetch(options = {}): Promise<ChildProcess> {
    npm(`echo half > "$4/images-1.0.0.tgz"; echo $$ > ${root}/stuck; exec sleep 60`);
    const child = fetchElsewhere(options);
    while (!existsSync(path.join(root, 'stuck')) && child.exitCode === null) await wait(20);
    npm(`cp ${tgz} "$4/images-1.0.0.tgz"`);
    return child;
  }
  const isAlive = (pid: number) => existsSync(`/proc/${pid}`);
  const stuckNpm = () => Number(readFileSync(path.join(root, 'stuck'), 'utf8'));

  function assertWhole(): void {
    assert.deepEqual(readdirSync(folder).sort(), ['a.bin', 'b.bin']); // and no temporary file
    assert.deepEqual(readFileSync(path.join(folder, 'a.bin')), records(0));
    assert.deepEqual(readFileSync(path.join(folder, 'b.bin')), records(3));
  }

  test('makes the binary files of sheets and labels, and leaves no tensor', async () => {
    const tensors = tf.memory().numTensors;
    await fetchBatches(archive, folder);
    assertWhole();
    assert.equal(tf.memory().numTensors, tensors);
  });

  test('does nothing when all are there', async () => {
    await fetchBatches(archive, folder);
    await fetchBatches(archive, folder);
    assert.equal(calls(), 1);
  });

  test('makes only what is missing', async () => {
    await fetchBatches(archive, folder);
    rmSync(path.join(folder, 'a.bin'));
    const kept = statSync(path.join(folder, 'b.bin'));
    await fetchBatches(archive, folder);
    assertWhole();
    assert.equal(statSync(path.join(folder, 'b.bin')).ino, kept.ino);
  });

  test('killed half-way, it is completed by the next call, which clears away what was left', async () => {
    const child = await stuckFetch();
    child.kill('SIGKILL');
    await once(child, 'exit');
    const left = readdirSync(folder);
    assert.ok(left.length === 1 && left[0].startsWith('fetching.'), `${left}`);
    await fetchBatches(archive, folder);
    assertWhole();
    process.kill(stuckNpm());
  });

  test('leaves alone what another fetch is working on', async () => {
    await stuckFetch();
    await fetchBatches(archive, folder);
    assert.equal(readdirSync(folder).filter((name) => name.startsWith('fetching.')).length, 1);
    process.kill(stuckNpm());
  });

  test('two processes at once do not disturb each other', async () => {
    npm(`sleep 0.5; cp ${tgz} "$4/images-1.0.0.tgz"`);
    const children = [fetchElsewhere(), fetchElsewhere()];
    const codes = await Promise.all(children.map(async (child) => (await once(child, 'exit'))[0] as number));
    assert.deepEqual(codes, [0, 0]);
    assert.equal(calls(), 2);
    assertWhole();
  });

  test('Stop ends it and npm at once, and leaves nothing', { timeout: 20_000 }, async () => {
    const child = await stuckFetch({ kernel: true });
    let errors = '';
    child.stderr?.on('data', (text) => (errors += text));
    child.kill('SIGINT');
    assert.deepEqual((await once(child, 'close'))[0], 3);
    assert.match(errors, /^Interrupted$/m);
    assert.deepEqual(readdirSync(folder), []);
    assert.equal(isAlive(stuckNpm()), false);
  });

  for (const [fault, make, message] of [
    [
      'npm fails',
      () => npm('echo "npm error code ENOTFOUND" >&2; exit 1'),
      /fetching images@1\.0\.0 into .* failed: `npm pack`: npm error code ENOTFOUND\nExpected a registry that `npm pack` can reach/,
    ],
    [
      'there is no npm',
      () => (process.env.PATH = path.join(root, 'nothing')),
      /failed: `npm pack`: spawn npm ENOENT\n.*Or set FOCAL_DATA_DIR/,
    ],
    ['npm is killed', () => npm('kill -9 $$'), /`npm pack`: ended by SIGKILL/],
    ['npm leaves no archive', () => npm('true'), /`npm pack` has left no \.tgz file/],
    [
      'the archive is another one',
      () => npm('echo other > "$4/images-1.0.0.tgz"'),
      /images-1\.0\.0\.tgz: SHA-256 [0-9a-f]{64}; expected [0-9a-f]{64}\n/,
    ],
    [
      'the archive is truncated',
      () => truncatedBy(tgz, 10),
      /images-1\.0\.0\.tgz: SHA-256 [0-9a-f]{64}; expected/,
    ],
    [
      'the archive lacks a file',
      () => {
        rmSync(path.join(root, 'package', 'b.png'));
        pack();
        archive.sha256 = sha256(readFileSync(tgz));
      },
      /`tar -xzof`: tar: package\/b\.png: Not found in archive/,
    ],
    [
      'the images are not the expected ones',
      () => (archive.batches[0].sha256 = sha256(records(3))),
      /a\.bin: SHA-256 [0-9a-f]{64}; expected [0-9a-f]{64}\n/,
    ],
    ['the folder cannot be made', () => writeFileSync(folder, 'a file is in its place'), /(EEXIST|ENOTDIR)/],
  ] as [string, () => void, RegExp][])
    test(`says so when ${fault}, and keeps nothing`, async () => {
      make();
      const tensors = tf.memory().numTensors;
      await assert.rejects(fetchBatches(archive, folder), message);
      assert.equal(tf.memory().numTensors, tensors);
      if (statSync(folder, { throwIfNoEntry: false })?.isDirectory())
        assert.deepEqual(readdirSync(folder), []);
    });

  test('the disk being full is said, and nothing is kept', async () => {
    npm('echo "npm error ENOSPC: no space left on device, write" >&2; exit 228');
    await assert.rejects(
      fetchBatches(archive, folder),
      /no space left on device, write\n.* 350 MB of free space/,
    );
    assert.deepEqual(readdirSync(folder), []);
  });
});
