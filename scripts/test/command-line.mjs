// A command of ours as a process, and what all of them say to a command line that asks for what there is not.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { test } from 'node:test';
import { root } from '../setup/project.mjs';

/** @returns the function that runs the script with its arguments in the folder, to its end */
export const commandLine =
  (script, cwd) =>
  (...args) =>
    spawnSync(process.execPath, [path.join(root, 'scripts', script), ...args], { cwd, encoding: 'utf8' });

/** A test for each of [arguments, what is said of them]. */
export function testRefusals(name, run, refusals) {
  for (const [args, message] of refusals)
    test(`${args.join(' ')} is answered with one clear line`, () => {
      const { status, stdout, stderr } = run(...args);
      assert.deepEqual([status, stdout], [2, '']);
      assert.match(stderr, message);
      assert.match(stderr, new RegExp(`^\\[${name}\\] .*; --help shows what there is\\n$`));
    });
}
