import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, describe, test } from 'node:test';
import { results, versions } from 'focal-loss-lab';

const folder = mkdtempSync(path.join(tmpdir(), 'run-file-'));
after(() => rmSync(folder, { recursive: true }));

const settings = {
  loss: 'original',
  gamma: 0.1,
  thresholds: [0, 4],
  nested: { noise: 0, note: 'a "b", c\n#' },
};

function roundTrip(rows: results.Run['rows']): results.Run {
  const file = path.join(folder, 'round-trip.csv');
  results.writeRun(file, { settings, rows });
  return results.readRun(file);
}

describe('a run written and read', () => {
  test('has the same settings, and says with which software it was made', () => {
    const run = roundTrip([{ epoch: 0 }]);
    assert.deepEqual(run.settings, settings);
    assert.deepEqual(run.versions, versions());
  });

  test('has bitwise the same numbers, NaN, infinities, -0 and no value included', () => {
    const values = [
      NaN,
      Infinity,
      -Infinity,
      0,
      -0,
      0.1,
      1 / 3,
      Math.fround(0.1),
      5e-324,
      Number.MAX_VALUE,
      -(2 ** 53),
      null,
    ];
    const { rows } = roundTrip(values.map((loss, epoch) => ({ epoch, loss })));
    assert.deepStrictEqual(
      rows.map((row) => row.loss),
      values,
    );
  });

  test('has the same text', () => {
    const texts = [
      'plain',
      'a, b',
      'say "no"',
      'two\nlines',
      'a\r\nb',
      ' padded ',
      '# no comment',
      '3',
      'NaN',
      'γ',
      null,
    ];
    const { rows } = roundTrip(texts.map((note) => ({ note, x: 1 })));
    assert.deepStrictEqual(
      rows.map((row) => row.note),
      texts,
    );
  });

  test('may have one column, no value at all, or no row', () => {
    assert.deepStrictEqual(roundTrip([{ a: null }, { a: null }]).rows, [{ a: null }, { a: null }]);
    assert.deepStrictEqual(roundTrip([{ a: 1 }]).rows, [{ a: 1 }]);
    assert.deepStrictEqual(roundTrip([]).rows, []);
  });

  test('records declared as an interface are accepted', () => {
    interface Epoch {
      epoch: number;
      loss: number;
    }
    const rows: Epoch[] = [{ epoch: 0, loss: 0.5 }];
    const file = path.join(folder, 'interface.csv');
    results.writeRun(file, { settings: {}, rows });
    assert.deepStrictEqual(results.readRun(file).rows, rows);
  });

  test('is CSV below a line of comment', () => {
    const file = path.join(folder, 'plain.csv');
    results.writeRun(file, { settings, rows: [{ epoch: 0, loss: NaN, note: null }] });
    const [comment, ...lines] = readFileSync(file, 'utf8').split('\n');
    assert.match(comment, /^# \{/);
    assert.deepEqual(lines, ['epoch,loss,note', '0,NaN,', '']);
  });
});

describe('a run file', () => {
  const file = path.join(folder, 'whole.csv');
  results.writeRun(file, {
    settings,
    rows: [1, 2, 3].map((epoch) => ({ epoch, loss: 1 / epoch, note: `n${epoch}` })),
  });
  const whole = readFileSync(file, 'utf8');

  test('that is cut off anywhere is refused', () => {
    const cut = path.join(folder, 'cut.csv');
    for (let length = 0; length < whole.length; length++) {
      writeFileSync(cut, whole.slice(0, length));
      assert.throws(
        () => results.readRun(cut),
        (error: Error) => error.message.startsWith('readRun: ') && error.message.includes(cut),
        `${length} of ${whole.length} characters were accepted`,
      );
    }
  });

  for (const [what, change] of [
    ['a row too many', (text: string) => `${text}4,0.25,n4\n`],
    ['a field too many', (text: string) => text.replace('1,1,n1', '1,1,n1,')],
    ['a word for a number', (text: string) => text.replace('1,1,n1', '1,one,n1')],
    ['other columns', (text: string) => text.replace('epoch,loss,note', 'epoch,accuracy,note')],
    ['another first line', (text: string) => text.replace(/^# .*/, '# {"settings":{}}')],
  ] as const)
    test(`with ${what} is refused`, () => {
      const changed = path.join(folder, 'changed.csv');
      const text = change(whole);
      assert.notEqual(text, whole);
      writeFileSync(changed, text);
      assert.throws(() => results.readRun(changed), /^Error: readRun: .*changed\.csv/);
    });

  test('that is not there is refused by name', () => {
    assert.throws(
      () => results.readRun(path.join(folder, 'none.csv')),
      /^Error: readRun: cannot read .*none\.csv/,
    );
  });

  test('is left as it was when writing fails, and nothing lies next to it', () => {
    const before = readdirSync(folder);
    assert.throws(
      () => results.writeRun(file, { settings, rows: [{ a: 1 }, { a: 'one' }] }),
      /^TypeError: writeRun: 'a' of row 1/,
    );
    assert.throws(() => results.writeRun(folder, { settings, rows: [{ a: 1 }] })); // a folder cannot be replaced by a file
    assert.deepEqual(readdirSync(folder), before);
    assert.deepEqual(
      readdirSync(path.dirname(folder)).filter((name) => name.startsWith(path.basename(folder))),
      [path.basename(folder)],
    );
    assert.equal(readFileSync(file, 'utf8'), whole);
  });

  for (const [what, run, message] of [
    ['rows of different columns', { rows: [{ a: 1 }, { a: 1, b: 2 }] }, /row 1 has 'b'/],
    ['a missing field', { rows: [{ a: 1, b: 2 }, { a: 1 }] }, /row 1 has no 'b'/],
    ['true', { rows: [{ a: true }] }, /'a' of row 0 must be/],
    ['empty text', { rows: [{ a: '' }] }, /'a' of row 0 is empty/],
    ['NaN among the settings', { settings: { gamma: NaN } }, /settings must be JSON/],
    ['undefined among the settings', { settings: { gamma: undefined } }, /settings must be JSON/],
  ] as const)
    test(`cannot hold ${what}`, () => {
      const bad = path.join(folder, 'bad.csv');
      assert.throws(
        () => results.writeRun(bad, Object.assign({ settings: {}, rows: [] }, run) as unknown as results.Run),
        {
          name: 'TypeError',
          message: new RegExp(`^writeRun: ${message.source}`),
        },
      );
    });
});
