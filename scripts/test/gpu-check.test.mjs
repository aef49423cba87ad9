// npm run gpu-check on a machine without a GPU: the command works, compares the CPU with itself, and does not pretend.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { CHECKS, largestDifference } from '../gpu-check/checks.mjs';
import { summary } from '../gpu-check/summary.mjs';
import { root } from '../setup/project.mjs';

let folder;
before(() => (folder = fs.mkdtempSync(path.join(os.tmpdir(), 'gpu-check-test-'))));
after(() => fs.rmSync(folder, { recursive: true }));

const gpuCheck = (...args) =>
  spawnSync(process.execPath, [path.join(root, 'scripts/gpu-check/main.mjs'), ...args], {
    encoding: 'utf8',
    env: { ...process.env, CUDA_VISIBLE_DEVICES: '-1', TF_CPP_MIN_LOG_LEVEL: '2' },
  });

describe('gpu-check', () => {
  test('says that no GPU was seen, sums up its checks, and keeps their numbers', () => {
    const out = path.join(folder, 'results.json');
    const { status, stdout, stderr } = gpuCheck('--only', 'precision,walls,operations', '--out', out);
    assert.equal(status, 0, stdout + stderr);
    assert.match(stdout, /^\*\*No GPU was seen\*\*: the CPU was compared with itself/m);
    assert.match(stdout, /^\| the walls of the textbook loss \| ok \| at 16\.64 /m);
    assert.match(stdout, /^3 ok, 0 failed, 0 not run$/m);
    const { machine, checks } = JSON.parse(fs.readFileSync(out, 'utf8'));
    assert.equal(machine.device.kind, 'CPU');
    const operations = checks.find(({ name }) => name === 'operations').found;
    for (const op of ['BatchMatMulV2', 'Conv2D', 'MaxPoolGrad', 'Log1p', 'SparseSegmentSumWithNumSegments'])
      assert.ok(
        operations.some((each) => each.op === op && each.ulps === 0),
        op,
      ); // on the same device: the same bits
  });

  test('what has no time left is not passed over in silence', () => {
    const { status, stdout } = gpuCheck(
      '--only',
      'walls',
      '--minutes',
      '1e-6',
      '--out',
      path.join(folder, 'none.json'),
    );
    assert.equal(status, 1);
    assert.match(stdout, /\| not run \| no time was left \|/);
  });

  test('a task that fails is a failure of its check, with what it said', () => {
    const env = { ...process.env, FOCAL_DATA_DIR: folder };
    const { status, stdout } = spawnSync(
      process.execPath,
      [
        path.join(root, 'scripts/gpu-check/main.mjs'),
        '--only',
        'death',
        '--out',
        path.join(folder, 'x.json'),
      ],
      { encoding: 'utf8', env },
    );
    assert.equal(status, 1);
    assert.match(stdout, /\| FAILED \| death: exit code 1: Error: loadMnist: .*not found/);
  });

  test('a check that does not exist is named', () => {
    const { status, stderr } = gpuCheck('--only', 'speed');
    assert.equal(status, 2);
    assert.match(stderr, /--only: there is no check 'speed'/);
  });
});

describe('what is compared', () => {
  const machine = {
    device: { kind: 'GPU', name: 'Tesla T4' },
    card: 'Tesla T4 (compute capability 7.5, driver 550.54, 14000 MiB free)',
    versions: {},
  };

  test('a summary names the card, and each failure', () => {
    const checks = [{ title: 'walls', state: 'FAILED', text: 'gamma 0.5 | logit 16.63' }];
    const text = summary({ date: '2026-11-28T10:00:00Z', machine, checks });
    assert.match(text, /^GPU: Tesla T4 \(compute capability 7\.5/m);
    assert.match(text, /^\| walls \| FAILED \| gamma 0\.5 \\\| logit 16\.63 \|$/m);
    assert.match(text, /^0 ok, 1 failed, 0 not run$/m);
    assert.doesNotMatch(text, /No GPU/);
  });

  test('a difference is relative to the largest value, and infinite where a NaN or the number of values differs', () => {
    assert.equal(largestDifference([1, NaN, -4], [1, NaN, -4]), 0);
    assert.equal(largestDifference([1, -4], [1.5, -4]), 0.125);
    assert.equal(largestDifference([1, 2], [1, NaN]), Infinity);
    assert.equal(largestDifference([Infinity, 2], [1, 2]), Infinity);
    assert.equal(largestDifference([1], [1, 2]), Infinity);
  });

  const check = (name) => CHECKS.find((each) => each.name === name).run;
  const answering = (...answers) => ({ tasks: { run: async () => answers.shift() } });

  test('a NaN that vanishes on the device is a failure; one more is none', async () => {
    assert.equal((await check('nan')(answering({ max: ['3'] }, { max: ['NaN'] }))).ok, false);
    assert.equal((await check('nan')(answering({ max: ['NaN'] }, { max: ['3'] }))).ok, true);
  });

  test('a wall in another place is a failure that says where', async () => {
    const found = [{ gamma: 0.5, logit: 16.63, label: 1, finite: false }];
    const { ok, text } = await check('walls')(answering(found));
    assert.equal(ok, false);
    assert.match(text, /gamma 0\.5, logit 16\.63: not finite/);
  });

  test('TF32 would be noticed', async () => {
    assert.equal((await check('precision')(answering({ product: 3e-4, convolution: 1e-6 }))).ok, false);
  });
});
