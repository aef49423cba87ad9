// The tests of lib as files, and what Node's test runner says of one.
import fs from 'node:fs';
import path from 'node:path';
import { root } from './setup/project.mjs';

const COMPILED = 'lib/dist/test';

/** Tests, like the small networks, gain nothing from a second thread, but from a second process. */
export const ONE_THREAD = { TF_NUM_INTRAOP_THREADS: '1', TF_NUM_INTEROP_THREADS: '1' };
/** No warnings of Node, no remarks of TensorFlow. */
export const QUIET = { NODE_NO_WARNINGS: '1', TF_CPP_MIN_LOG_LEVEL: '2' };

/** By the sources: what an earlier source has left in dist does not run. */
export function compiledTests() {
  return fs
    .readdirSync(path.join(root, 'lib/test'), { recursive: true })
    .filter((name) => name.endsWith('.test.ts'))
    .map((name) => path.join(COMPILED, name.replace(/\.ts$/, '.js')))
    .sort();
}

/**
 * Of these files the ones that a person means by a folder, a name, or both.
 * @param name  'losses', 'closedForm', 'losses/closedForm', also as a path: 'lib/test/losses/closedForm.test.ts'
 */
export function selectTests(files, name) {
  const relative = name.replace(/^lib\/(dist\/)?test\//, '');
  const wanted = relative.replace(/(\.test)?(\.[jt]s)?\/?$/, '');
  return files.filter((file) => {
    const own = path.relative(COMPILED, file).replace(/\.test\.js$/, '');
    if (own === wanted || own.startsWith(`${wanted}/`)) return true;
    return relative === name && own.endsWith(`/${wanted}`);
  });
}

/** The lines with which the report of Node's test runner ends. */
export function countTests(output) {
  const number = (what) => Number(output.match(new RegExp(`^ℹ ${what} (\\d+)$`, 'm'))?.[1] ?? 0);
  return { passed: number('pass'), failed: number('fail') + number('cancelled'), skipped: number('skipped') };
}
