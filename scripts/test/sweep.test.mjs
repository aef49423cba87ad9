// The command line of the sweep; the sweep itself is tested in lib/test/grid.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, describe, test } from 'node:test';
import { claimParts } from '../../lib/dist/sweep/partFiles.js';
import { PAPER_SWEEP } from '../../lib/dist/sweep/settings.js';
import { root } from '../setup/project.mjs';
import { commandLine, testRefusals } from './command-line.mjs';

const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'sweep-command-test-'));
after(() => fs.rmSync(folder, { recursive: true }));
const out = path.join(folder, 'runs.csv');

const sweep = commandLine('sweep.mjs', root);

describe('npm run sweep', () => {
  test('--help names every option with its default, and starts nothing', () => {
    const { status, stdout, stderr } = sweep('--help');
    assert.deepEqual([status, stderr], [0, '']);
    assert.equal(sweep('-h').stdout, stdout);
    for (const option of ['loss', 'noise', 'gamma', 'threshold', 'seed', 'epochs', 'out', 'workers', 'shard'])
      assert.match(stdout, new RegExp(`^ +--${option} `, 'm'));
    assert.match(stdout, /--noise LIST .*default 0,0\.5,0\.75$/m);
  });

  testRefusals('sweep', sweep, [
    [['--gama', '1'], /Unknown option '--gama'/],
    [['runs.csv'], /Unexpected argument 'runs.csv'/],
    [['--gamma'], /'--gamma <value>' argument missing/],
    [['--gamma', '0.1,,0.2'], /--gamma: '' is not a number/],
    [['--gamma', '0.1;0.2'], /--gamma: '0.1;0.2' is not a number/],
    [['--gamma', '-1'], /--gamma is followed by a dash; a negative number is written --gamma=-1/],
    [['--gamma=-1'], /--gamma: -1; expected a number >= 0/],
    [['--batch-size', '0'], /--batch-size: 0; expected an integer >= 1/],
    [['--threshold', '8..0'], /--threshold: '8..0' is no range/],
    [['--threshold', '0..9'], /--threshold: 9; expected an integer in 0..8/],
    [['--loss', 'focal'], /--loss: focal; expected original, stabilized, exact/],
    [['--epochs', '1.5'], /--epochs: 1.5; expected an integer >= 1/],
    [['--workers', 'all'], /--workers: 'all' is not a whole number/],
    [['--out', 'runs'], /--out: runs; expected the name of a file that ends with .csv/],
    [['--shard', '0', '--workers', '2'], /--shard trains in this process alone: it takes no --workers/],
    [['--out', out, '--shard', '90'], /--shard: 90; expected an integer in 0..89/],
    [['--join', 'a.csv'], /--join: --out is missing/],
    [['--join', 'a.csv', '--gamma', '1', '--out', out], /--join takes only files and --out, not --gamma/],
  ]);

  test('without options is the paper’s grid: 90 shards of 9 training runs', () => {
    assert.equal(sweep('--shards', '--out', out).stdout, '90\n');
    assert.equal(sweep('--shards', '--out', out, '--models-per-shard', '270').stdout, '3\n');
    const lists = ['--loss', 'original,exact', '--noise', '0', '--gamma', '0.1,0.2', '--threshold', '0,2..3'];
    assert.equal(sweep('--shards', '--out', out, ...lists, '--models-per-shard', '1').stdout, '12\n');
  });

  test('lists in another order are the same sweep, other numbers are not', () => {
    const file = path.join(folder, 'ordered.csv');
    const settings = { ...PAPER_SWEEP, losses: ['original', 'exact'], gammas: [0.1, 0.2] };
    claimParts(file, { settings, versions: {}, modelsPerShard: 9 });
    const shards = (...lists) => sweep('--shards', '--out', file, ...lists);
    assert.equal(shards('--loss', 'exact,original', '--gamma', '0.2,0.1').stdout, '12\n');
    assert.match(
      shards('--loss', 'exact,original', '--gamma', '0.2,0.3').stderr,
      /belongs to another sweep: gammas/,
    );
  });

  test('a folder that cannot be written, or nothing to collect, is one line too', () => {
    fs.writeFileSync(path.join(folder, 'file'), '');
    const refused = sweep('--out', path.join(folder, 'file', 'runs.csv'));
    assert.equal(refused.status, 1);
    assert.match(
      refused.stderr,
      /^\[sweep\] .*runs\.csv or its parts cannot be written: (ENOTDIR|EEXIST).*\n$/,
    );
    const nothing = sweep('--out', out, '--workers', '0');
    assert.equal(nothing.status, 1);
    assert.match(nothing.stderr, /^\[sweep\] there are no shards in .*runs\.csv\.parts\n$/);
  });
});
