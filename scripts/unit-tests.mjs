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

/** The arguments of Node for the tests of these files in one process. (node --test would start another for each file.) */
export const inOneProcess = (files) => [
  '--test-reporter=spec',
  ...files.slice(0, -1).flatMap((file) => ['--import', `./${file}`]),
  files.at(-1),
];

// A test that changes what others in its process would see, and one that makes lib take the process for a kernel.
const CHANGES_ITS_PROCESS = /process\.env|replaceKernel/;
const IN_A_KERNEL = /\/fakeKernel"\)/;

/**
 * The same files in groups that can share a process: importing TensorFlow takes longer than most of these tests.
 * @returns {{ name: string, files: string[] }[]}  by folder
 */
export function groupTests(files) {
  const groups = new Map();
  for (const file of files) {
    const source = fs.readFileSync(path.join(root, file), 'utf8');
    const folder = path.dirname(file) + (IN_A_KERNEL.test(source) ? ' in a kernel' : '');
    const name = CHANGES_ITS_PROCESS.test(source) ? file : folder;
    groups.set(name, [...(groups.get(name) ?? []), file]);
  }
  return Array.from(groups, ([name, files]) => ({ name: files.length > 1 ? name : files[0], files }));
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
