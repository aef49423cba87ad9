// The command line of npm run compare; what it trains is tested in lib/test/sweep/compareLosses.test.ts.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, describe, test } from 'node:test';
import { readLossComparison } from '../../lib/dist/results/lossComparison.js';
import { commandLine, testRefusals } from './command-line.mjs';

const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'compare-command-test-'));
after(() => fs.rmSync(folder, { recursive: true }));

const compare = commandLine('compare-losses.mjs', folder);

describe('npm run compare', () => {
  test('--help names every option with its default, and starts nothing', () => {
    const { status, stdout, stderr } = compare('--help');
    assert.deepEqual([status, stderr], [0, '']);
    for (const option of ['epochs', 'seeds', 'images', 'learning-rate', 'threshold', 'workers', 'out'])
      assert.match(stdout, new RegExp(`^ +--${option} X +default `, 'm'));
  });

  testRefusals('compare', compare, [
    [['--epoch', '1'], /Unknown option '--epoch'/],
    [['--epochs', '0'], /--epochs: 0; expected an integer >= 1/],
    [['--seeds', '1,x'], /--seeds: 'x' is not a whole number/],
    [['--seeds', '1,1'], /--seeds: one of them is there twice/],
    [['--learning-rate', 'fast'], /--learning-rate: 'fast' is not a number/],
    [['--out', 'runs'], /--out: 'runs' does not end with .csv/],
  ]);

  test('goes on with more epochs from where it was, and fails aloud on settings that trainGrid refuses', () => {
    const args = ['--images', '64', '--seeds', '7', '--out', 'small.csv'];
    const first = compare(...args, '--epochs', '1');
    assert.equal(first.status, 0, first.stderr);
    const once = readLossComparison(path.join(folder, 'small.csv'));
    assert.deepEqual(once.settings.seeds, [7]);
    assert.equal(once.runs.length, 18);
    assert.equal(
      once.margins.reduce((sum, { count }) => sum + count, 0),
      18 * 10_000,
    );
    const second = compare(...args, '--epochs', '2');
    assert.equal(second.status, 0, second.stderr);
    assert.match(second.stdout, /^seed 7: 2 of 2 epochs, \d+ of 18 alive$/m);
    assert.doesNotMatch(second.stdout, /: 1 of 2 epochs/);
    assert.deepEqual(
      readLossComparison(path.join(folder, 'small.csv')).runs.map(({ epochs }) => epochs),
      Array(18).fill(2),
    );
    const wrong = compare(...args, '--threshold', '9');
    assert.equal(wrong.status, 1);
    assert.match(wrong.stderr, /^\[compare\] seed \d: trainGrid: .*threshold of model 0 is 9.*\n$/);
  });
});
