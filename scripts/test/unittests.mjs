// Python's unit tests as tests of Node's runner.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { test } from 'node:test';
import { root } from '../setup/project.mjs';

/** Runs a file of scripts/test, and reports each of its tests by name. */
export function unittests(file) {
  const { status, stdout, stderr, error } = spawnSync(
    'python',
    [path.join(root, 'scripts/test', file), '-v'],
    {
      encoding: 'utf8',
      env: { ...process.env, PYTHONDONTWRITEBYTECODE: '1' },
    },
  );
  if (error) throw error;
  const names = [...stderr.matchAll(/^test_(\w+) \(__main__\.(\w+)/gm)].filter(([line], i, all) => {
    return all.findIndex((other) => other[0] === line) === i;
  });
  for (const [, name, group] of names)
    test(`${group}: ${name.replaceAll('_', ' ')}`, () => {
      const report = stderr.match(
        new RegExp(`^(FAIL|ERROR): test_${name} [^]*?(?=^={70}$|^-{70}\nRan )`, 'm'),
      );
      assert.equal(report, null, report?.[0]);
    });
  test(`${file} passes as a whole`, () => {
    assert.equal(status, 0, stdout + stderr);
    assert.ok(names.length > 0, 'no test was found');
  });
}
