import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, describe, test } from 'node:test';
import { results } from 'focal-loss-lab';

const folder = mkdtempSync(path.join(tmpdir(), 'bench-file-'));
after(() => rmSync(folder, { recursive: true }));

const row = {
  ...{ work: 'LeNet', contestant: 'ours', threads: 1, processes: 2, models: 27 },
  ...{ msMin: 2.1, msMedian: 2.34, rssMB: 1700 },
};
const bench = { machine: 'a machine, 2 cores', date: '2026-01-31', rows: [row, { ...row, models: 9 }] };

function read(content: string) {
  const file = path.join(folder, 'bench.json');
  writeFileSync(file, content);
  return results.readBench(file);
}

describe('readBench', () => {
  test('returns machine, date and rows as they were written', () => {
    assert.deepEqual(read(JSON.stringify(bench)), bench);
  });

  for (const name of ['grid', 'grid-size'])
    test(`reads the measurements of the suite ${name} that are kept in data/results`, () => {
      const { rows } = results.readBench(path.join(__dirname, `../../../../data/results/bench-${name}.json`));
      assert.ok(rows.length >= 6);
    });

  test('names a file that is not there', () => {
    assert.throws(
      () => results.readBench(path.join(folder, 'none.json')),
      /readBench: .*none\.json cannot be read: ENOENT/,
    );
  });

  const broken = (change: object) => JSON.stringify({ ...bench, rows: [row, { ...row, ...change }] });
  for (const [what, content, message] of [
    ['a file broken off', '{"machine": "a', /bench\.json is not JSON: /],
    [
      'rows alone',
      JSON.stringify([row]),
      /was not written by npm run bench: expected machine, date and rows/,
    ],
    ['null', 'null', /was not written by npm run bench/],
    ['a row without a contestant', broken({ contestant: undefined }), /has contestant undefined in row 1; expected text/], // prettier-ignore
    ['half a process', broken({ processes: 0.5 }), /has processes 0\.5 in row 1; expected an integer >= 1/],
    ['a time of NaN', broken({ msMin: NaN }), /has msMin null in row 1; expected a number > 0/],
    ['no time', broken({ msMedian: 0 }), /has msMedian 0 in row 1; expected a number > 0/],
  ] as const)
    test(`refuses ${what}`, () => {
      assert.throws(() => read(content), message);
    });
});
