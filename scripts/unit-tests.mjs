// The tests of lib as files, and what Node's test runner says of one.
import fs from 'node:fs';
import path from 'node:path';
import { root } from './setup/project.mjs';

/** By the sources: what an earlier source has left in dist does not run. */
export function compiledTests() {
  return fs
    .readdirSync(path.join(root, 'lib/test'), { recursive: true })
    .filter((name) => name.endsWith('.test.ts'))
    .map((name) => path.join('lib/dist/test', name.replace(/\.ts$/, '.js')))
    .sort();
}

/** The lines with which the report of Node's test runner ends. */
export function countTests(output) {
  const number = (what) => Number(output.match(new RegExp(`^ℹ ${what} (\\d+)$`, 'm'))?.[1] ?? 0);
  return { passed: number('pass'), failed: number('fail') + number('cancelled'), skipped: number('skipped') };
}
