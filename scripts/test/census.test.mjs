import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { describe, test } from 'node:test';
import { merge } from '../census/results.mjs';
import { root } from '../setup/project.mjs';

describe('the arguments of npm run census', () => {
  const census = (...args) =>
    spawnSync(process.execPath, ['scripts/census/main.mjs', ...args], { cwd: root, encoding: 'utf8' });

  test('--help says what is installed, and where the result goes', () => {
    const { status, stdout } = census('--help');
    assert.equal(status, 0);
    assert.match(stdout, /\.census \([\d.]+ GB[^]*--out FILE .*data\/results\/census\.csv/);
  });

  for (const [what, args, message] of [
    ['an unknown option', ['--only', 'kornia'], /^\[census\] Unknown option '--only'; --help .*\n$/],
    [
      'a result of another kind',
      ['--out', 'a.json'],
      /^\[census\] --out is 'a\.json'; expected .*\.csv; --help .*\n$/,
    ],
    ['a word too many', ['kornia'], /^\[census\] Unexpected argument 'kornia'/],
  ])
    test(`${what} ends in exit code 2 and a single line`, () => {
      const { status, stdout, stderr } = census(...args);
      assert.equal(status, 2);
      assert.equal(stdout, '');
      assert.match(stderr, message);
    });
});

describe('what becomes of the measurements', () => {
  const part = (change) => ({
    settings: { gammas: [0, 0.5] },
    versions: { TensorFlow: '2.21.0', Python: '3.11.7' },
    rows: [{ library: 'a', hardGradientError: 'Infinity', lossError: 0.5, easyFaultAt: null }],
    ...change,
  });
  const print = (change) => `a warning\n${JSON.stringify(part(change))}\na word at the end\n`;

  test('the rows follow each other, and an infinite error is a number again', () => {
    const { settings, rows } = merge([print(), print({ rows: [{ library: 'b', lossError: 0 }] })]);
    assert.deepEqual(settings, { gammas: [0, 0.5] });
    assert.deepEqual(rows, [
      { library: 'a', hardGradientError: Infinity, lossError: 0.5, easyFaultAt: null },
      { library: 'b', lossError: 0 },
    ]);
  });

  test('of a framework in two versions both are named, a version met twice once', () => {
    const { versions } = merge([print(), print({ versions: { TensorFlow: '2.15.1', Python: '3.11.7' } })]);
    assert.deepEqual(versions, { TensorFlow: '2.21.0, 2.15.1', Python: '3.11.7' });
  });

  test('libraries measured by different settings make no table', () => {
    assert.throws(
      () => merge([print(), print({ settings: { gammas: [2] } })]),
      /not measured by the same settings/,
    );
  });

  for (const [what, output] of [
    ['nothing', ''],
    ['a warning alone', 'a warning\n'],
    ['no rows', print({ rows: [] })],
  ])
    test(`${what}: refused`, () => {
      assert.throws(() => merge([output]), /census: expected settings, versions and rows/);
    });
});
