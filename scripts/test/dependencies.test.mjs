// The table of CONTRIBUTING says of each dependency what it is for: it must not miss one, nor keep one that has gone.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { root } from '../setup/project.mjs';
import { listedRequirements } from '../setup/python.mjs';

process.chdir(root);
const json = (file) => JSON.parse(fs.readFileSync(file, 'utf8'));
const [, section] = fs.readFileSync('CONTRIBUTING.md', 'utf8').split(/^## Dependencies$/m);
const [table] = section.split(/^## /m);
const rows = [...table.matchAll(/^\| `([^`]+)` \|(.*)\|(.*)\|(.*)\|$/gm)].map(([, name, use, , license]) => ({
  name,
  use: use.trim(),
  license: license.trim(),
}));

const npm = ['package.json', 'lib/package.json'].flatMap((file) => {
  const { dependencies, devDependencies } = json(file);
  return [...Object.keys(dependencies), ...Object.keys(devDependencies)];
});
const lockScript = fs.readFileSync('scripts/lock-python-packages.mjs', 'utf8');
const python = [
  ...listedRequirements().map((requirement) => requirement.split('==')[0]),
  ...[...lockScript.matchAll(/^ {2}`([a-z]+)(?:\[|==)/gm)].map((match) => match[1]),
];

test('the table names exactly the direct dependencies', () => {
  assert.ok(python.includes('tensorflow') && python.includes('ziglang'), `${python}`);
  const named = new Set([...npm, ...python]); // both package.json name vega and vega-lite
  assert.deepEqual(rows.map(({ name }) => name).sort(), [...named].sort());
});

test('it says of each what it is for', () => {
  for (const { name, use } of rows) assert.match(use, /\w{3}/, name);
});

test('the licenses are those of the packages', () => {
  for (const { name, license } of rows.filter((row) => npm.includes(row.name))) {
    const own = json(path.join('node_modules', name, 'package.json')).license;
    if (own.startsWith('SEE LICENSE')) continue; // in words
    assert.equal(license, own, name);
  }
});

test('nothing depends on the abandoned package request any more', () => {
  const { packages } = json('package-lock.json');
  const names = Object.entries(packages).map(
    ([place, { name }]) => name ?? place.split('node_modules/').at(-1),
  );
  for (const abandoned of ['request', 'har-validator', 'xlsx'])
    assert.ok(!names.includes(abandoned), abandoned);
});

test('Binder starts from the same conda packages as conda', () => {
  const packages = (file) => {
    const [list] = fs
      .readFileSync(file, 'utf8')
      .split(/^dependencies:$/m)[1]
      .split(/^ *- pip:$/m);
    return [...list.matchAll(/^ +- ([^\s#]+)/gm)].map((match) => match[1]);
  };
  assert.ok(packages('environment.yml').length >= 3);
  assert.deepEqual(packages('.binder/environment.yml'), packages('environment.yml'));
});
