// The command lines of npm run cifar and npm run segmentation, and small training runs of them.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, describe, test } from 'node:test';
import { readLongRuns } from '../../lib/dist/results/longRuns.js';
import { commandLine, testRefusals } from './command-line.mjs';

const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'long-runs-test-'));
after(() => fs.rmSync(folder, { recursive: true }));

const cifar = commandLine('cifar.mjs', folder);

describe('npm run cifar', () => {
  test('--help names every option with its default, and starts nothing', () => {
    const { status, stdout, stderr } = cifar('--help');
    assert.deepEqual([status, stderr], [0, '']);
    for (const option of ['loss', 'seed', 'epochs', 'images', 'learning-rate', 'out'])
      assert.match(stdout, new RegExp(`^ +--${option} .*default `, 'm'));
    assert.deepEqual(fs.readdirSync(folder), []);
  });

  testRefusals('cifar', cifar, [
    [['--loss', 'original,focal'], /--loss: 'focal'; expected some of original, stabilized, exact/],
    [['--epochs', '0'], /--epochs: 0; expected an integer >= 1/],
    [['--seed', '1,x'], /--seed: 'x' is not a whole number/],
    [['--seed', '1,1'], /--seed: one of them is there twice/],
    [['--images', '50001'], /--images: 50001; there are 50,000/],
    [['--out', 'runs'], /--out: 'runs' does not end with .csv/],
  ]);

  test('writes a row per epoch, and keeps the runs that are there, which are never cut short', () => {
    const { status, stderr } = cifar('--images', '256', '--seed', '7', '--epochs', '2', '--out', 'small.csv');
    assert.equal(status, 0, stderr);
    const rows = readLongRuns(path.join(folder, 'small.csv'));
    assert.deepEqual(
      rows.map(({ loss, seed, epoch, step }) => [loss, seed, epoch, step]),
      [
        ['original', 7, 0, 2],
        ['original', 7, 1, 4],
      ],
    );
    for (const { meanLoss, accuracy, maxAbsLogit } of rows) {
      assert.ok(
        meanLoss > 0.2 && meanLoss < 0.3,
        `${meanLoss}: ln 2 * sqrt(1/2) / 2 = 0.245 for logits near 0`,
      );
      assert.ok(accuracy > 0.4 && accuracy < 0.8);
      assert.ok(maxAbsLogit > 0 && maxAbsLogit < 1);
    }
    const other = '--images 256 --epochs 1 --loss exact --seed 7 --out small.csv'.split(' ');
    assert.equal(cifar(...other).status, 0);
    const both = readLongRuns(path.join(folder, 'small.csv'));
    assert.deepEqual(both.slice(0, 2), rows, 'the runs that are there are kept');
    assert.deepEqual(
      both.slice(2).map(({ loss, epoch }) => [loss, epoch]),
      [['exact', 0]],
    );
    const unlike = cifar('--images', '128', '--seed', '8', '--epochs', '1', '--out', 'small.csv');
    assert.equal(unlike.status, 1);
    assert.match(unlike.stderr, /^\[cifar\] small.csv was made otherwise: images is 256 there, 128 here/m);
    const again = cifar('--images', '256', '--seed', '6,7', '--epochs', '1', '--out', 'small.csv');
    assert.equal(again.status, 1);
    assert.match(
      again.stderr,
      /^\[cifar\] train: checkpoint .*256-original-7.* it has 2 epochs already, epochs is 1 here/m,
    );
    const [first, ...rest] = readLongRuns(path.join(folder, 'small.csv'));
    assert.deepEqual([first.seed, first.epoch], [6, 0]);
    assert.deepEqual(rest, both, 'what was asked for and not reached stays');
    const file = path.join(folder, 'small.csv');
    fs.writeFileSync(
      file,
      fs.readFileSync(file, 'utf8').replace(/"tensorflow":"[^"]+"/, '"tensorflow":"2.0.0"'),
    );
    const otherwise = cifar('--images', '256', '--seed', '9', '--epochs', '1', '--out', 'small.csv');
    assert.match(otherwise.stderr, /^\[cifar\] small.csv was made otherwise: tensorflow is "2.0.0" there/m);
  });

  test('names the image that ended a run, and counts those that could have', () => {
    const fast = ['--images', '1280', '--learning-rate', '0.1', '--epochs', '40', '--out', 'ended.csv'];
    const { status, stderr } = cifar(...fast);
    assert.equal(status, 0, stderr);
    const rows = readLongRuns(path.join(folder, 'ended.csv'));
    const { epoch, meanLoss, accuracy, maxAbsLogit, fatalImage, imagesBeyond } = rows.at(-1);
    assert.ok(epoch < 40 && meanLoss === null && accuracy === null, 'it met its NaN');
    assert.ok(maxAbsLogit > 24 * Math.LN2);
    assert.ok(fatalImage >= 0 && fatalImage < 1280 && imagesBeyond >= 1);
    assert.ok(rows.slice(0, -1).every((row) => row.fatalImage === null && row.meanLoss > 0));
  });
});

const segmentation = commandLine('segmentation.mjs', folder);

describe('npm run segmentation', () => {
  testRefusals('segmentation', segmentation, [
    [['--noise', '0,loud'], /--noise: 'loud' is not a number/],
    [['--noise', '0,0'], /--noise: one of them is there twice/],
    [['--learning-rate', '0'], /--learning-rate: 0; expected a number > 0/],
    [['--width', '0'], /--width: 0; expected an integer >= 1/],
    [['--images', '60001'], /--images: 60001; there are 60,000/],
  ]);

  test('trains the same network with each noise, and puts all rows into one table', () => {
    const small = ['--images', '64', '--width', '2', '--depth', '2', '--epochs', '2', '--out', 'masks.csv'];
    const { status, stderr } = segmentation('--noise', '0,0.75', ...small);
    assert.equal(status, 0, stderr);
    const rows = readLongRuns(path.join(folder, 'masks.csv'));
    assert.deepEqual(
      rows.map(({ noise, epoch, step }) => [noise, epoch, step]),
      [
        [0, 0, 1],
        [0, 1, 2],
        [0.75, 0, 1],
        [0.75, 1, 2],
      ],
    );
    assert.notEqual(rows[0].meanLoss, rows[2].meanLoss);
    const other = segmentation('--images', '64', '--width', '3', '--out', 'masks.csv');
    assert.equal(other.status, 1);
    assert.match(other.stderr, /^\[segmentation\] masks.csv was made otherwise: width is 2 there, 3 here/m);
  });
});
