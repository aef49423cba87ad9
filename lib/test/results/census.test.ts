import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, describe, test } from 'node:test';
import { results } from 'focal-loss-lab';

const folder = mkdtempSync(path.join(tmpdir(), 'census-'));
after(() => rmSync(folder, { recursive: true }));

const row = {
  ...{ library: 'kornia', version: '0.5.0', variant: null, source: 'package', framework: 'PyTorch 2.13.0' },
  ...{ defaultGamma: 2, defaultAlpha: 0.25, dtype: 'float32', gamma: 0.5, label: 1 },
  ...{ easyFaultAt: 16.64, easyFault: 'gradient NaN', hardFaultAt: 88.7, hardFault: 'gradient NaN' },
  ...{ lossError: 1e-4, gradientError: 2e-4, easyWrongFrom: 12, hardWrongFrom: 14 },
  hardGradientError: Infinity,
};
const settings = {
  gammas: [0.5],
  labels: [1, 0],
  ...{ largestLogit: 1e4, near: 8, farEasy: 40, farHard: 100, wrong: 0.01, date: '2026-01-31' },
};

function read(rows: results.Row[], own: Record<string, string | number> = {}) {
  const file = path.join(folder, 'census.csv');
  results.writeRun(file, { settings: { ...settings, ...own }, rows });
  return results.readCensus(file);
}

describe('readCensus', () => {
  test('returns settings and rows as they were written', () => {
    const census = read([row]);
    assert.deepEqual(census.rows, [row]);
    assert.deepEqual(census.settings, settings);
  });

  test('reads the census that is kept in data/results', () => {
    const census = results.readCensus(path.join(__dirname, '../../../../data/results/census.csv'));
    const libraries = new Set(census.rows.map(({ library }) => library));
    for (const name of ['torchvision', 'fvcore', 'kornia', 'MONAI', 'optax', 'Keras', 'exact form'])
      assert.ok(libraries.has(name), name);
  });

  for (const [what, change, message] of [
    ['a gamma that is missing', { gamma: null }, /census\.csv has gamma null in row 1; expected a number$/],
    ['a version of numbers', { version: 5 }, /has version 5 in row 1; expected text or no value/],
    ['a logit in words', { easyFaultAt: 'late' }, /has easyFaultAt late in row 1; expected a number or no/],
  ] as const)
    test(`refuses ${what}`, () => {
      const complete: results.Row = { ...row, version: null, easyFaultAt: null };
      assert.throws(() => read([complete, { ...complete, ...change }]), message);
    });

  test('refuses a run of something else', () => {
    assert.throws(() => read([]), /census\.csv was not written by npm run census/);
    assert.throws(() => read([row], { near: 'by' }), /was not written by npm run census/);
    const file = path.join(folder, 'run.csv');
    results.writeRun(file, { settings: { gamma: 0.5 }, rows: [{ step: 1 }] });
    assert.throws(() => results.readCensus(file), /run\.csv was not written by npm run census/);
  });
});
