// npm test, and with --fast npm run check: every check of the project, as many at a time as there are cores, and lines at
// the end that sum them up. What fails does not keep the rest from running, unless lib does not compile.
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { installedVariant } from '../lib/dist/tf/variant.js';
import { askDriver, reasonAgainst } from '../lib/src/tf/graphicsCards.cjs';
import { allNotebooks } from './pages.mjs';
import { root } from './setup/project.mjs';
import { compiledTests, countTests } from './unit-tests.mjs';

const fast = process.argv.includes('--fast');
// Files of scripts/test that start many set-ups or kernels, download a Node, or drive a browser.
const SLOW =
  /^(setup|node-versions|site|browser-edition|jupyterlab|losses-package|test_(kernel|runner|grade|nbgrader))/;

// Of the files in frameworks/ those that run on what the project has installed; npm run frameworks tests them all.
const FRAMEWORKS = ['reference', 'boosting', 'keras'];

process.chdir(root);
const onGpu = installedVariant() === 'gpu' && askDriver().cards.some((card) => reasonAgainst(card) === null);
// Processes that share a card wait for each other, and its memory is less than the machine's.
const LANES = Math.min(onGpu ? 2 : 4, os.availableParallelism());
// Tests, like the small networks, gain nothing from a second thread, but from a second process.
const ONE_THREAD = { TF_NUM_INTRAOP_THREADS: '1', TF_NUM_INTEROP_THREADS: '1' };
const node = process.execPath;

/** By the name of a kind of check, in the order in which they begin. */
const summary = new Map();

const TYPES = 'types of lib';
await runAll([
  { kind: 'lint', command: [node, 'node_modules/eslint/bin/eslint.js', '.'] },
  { kind: 'lint of Python', command: ['ruff', 'check', '--quiet', 'scripts'] },
  { kind: 'format of Python', command: ['ruff', 'format', '--diff', '--quiet', 'scripts'] },
  { kind: 'format', command: [node, 'node_modules/prettier/bin/prettier.cjs', '--check', '--log-level=warn', '.'] },
  { kind: 'links and spelling', command: [node, 'scripts/check-text.mjs'], count: countLastLine },
  { kind: TYPES, command: [node, 'node_modules/typescript/bin/tsc', '-b'] },
]); // prettier-ignore
const compiled = summary.get(TYPES).failures.length === 0;
if (compiled)
  await runAll([
    { kind: 'cells of the notebooks', command: [node, 'scripts/check-notebooks.mjs'], count: countLastLine },
    ...machineryTests(/\.test\.mjs$/).map(testFile('tests of the machinery')),
    ...machineryTests(/^test_.*\.py$/).map(pythonTestFile),
    ...FRAMEWORKS.map((name) => pythonTestFile(`frameworks/test/test_${name}.py`)),
    ...compiledTests().map(testFile('unit tests of lib')),
    ...(fast ? [] : allNotebooks().map(executedNotebook)),
  ]);

console.log('');
let passed = 0;
let failed = 0;
let skipped = 0;
for (const [kind, all] of summary) {
  passed += all.passed;
  failed += all.failed;
  skipped += all.skipped;
  const complaint = all.failed ? `: ${all.failed} failed` : '';
  console.log(`${all.failed ? 'FAIL' : 'ok  '} ${kind} (${all.seconds.toFixed(0)} s)${complaint}`);
  for (const name of all.failures) if (name) console.log(`     ${name}`);
}
if (!compiled) console.log('lib does not compile: the cells, the tests and the notebooks were not looked at');
if (skipped) console.log(`${skipped} skipped, each with its reason above`);
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed ? 1 : 0;

/** Runs them in their order, LANES at a time. */
async function runAll(checks) {
  for (const { kind } of checks)
    if (!summary.has(kind)) summary.set(kind, { passed: 0, failed: 0, skipped: 0, seconds: 0, failures: [] });
  const waiting = checks.values();
  const lane = async () => {
    for (const check of waiting) await run(check);
  };
  await Promise.all(Array.from({ length: LANES }, lane));
}

/**
 * Runs one check and shows its output when it has ended.
 * @param count  from its output to { passed, failed, skipped }; without it the check counts as one
 */
async function run({ kind, name = '', command, variables = {}, count = () => undefined }) {
  const start = performance.now();
  const { status, output } = await execute(command, variables);
  const seconds = (performance.now() - start) / 1000;
  console.log(`\n== ${kind}${name && ': '}${name} (${seconds.toFixed(0)} s)\n${output.trimEnd()}`);
  const all = summary.get(kind);
  const counted = count(output) ?? { passed: status ? 0 : 1, failed: 0, skipped: 0 };
  const failures = Math.max(counted.failed, status ? 1 : 0); // a tool that fails without counting a failure
  all.passed += counted.passed;
  all.failed += failures;
  all.skipped += counted.skipped;
  all.seconds += seconds;
  if (failures) all.failures.push(name);
}

function execute([command, ...args], variables) {
  return new Promise((resolve) => {
    const child = spawn(command, args, {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, NODE_NO_WARNINGS: '1', TF_CPP_MIN_LOG_LEVEL: '2', ...variables },
    });
    const chunks = [];
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => chunks.push(chunk));
    child.on('error', (error) => resolve({ status: 1, output: `${error}` }));
    child.on('close', (status) => resolve({ status: status ?? 1, output: Buffer.concat(chunks).toString() }));
  });
}

/** 'N passed, N failed', as our own tools end; after it there may be a last word on stderr. */
function countLastLine(output) {
  const found = [...output.matchAll(/^(\d+) passed, (\d+) failed$/gm)].at(-1);
  return found && { passed: Number(found[1]), failed: Number(found[2]), skipped: 0 };
}

function testFile(kind) {
  const command = [node, '--test', '--test-reporter=spec'];
  return (file) => ({
    kind,
    name: file,
    command: [...command, file],
    variables: ONE_THREAD,
    count: countTests,
  });
}

function pythonTestFile(file) {
  return {
    kind: 'tests of the machinery',
    name: file,
    command: ['python', '-m', 'pytest', '-v', '-rs', '-p', 'no:cacheprovider', file],
    variables: { ...ONE_THREAD, PYTHONDONTWRITEBYTECODE: '1' },
    count: countPytest,
  };
}

/** '== 2 failed, 37 passed, 1 skipped in 60.12s ==' */
function countPytest(output) {
  const sum = output.match(/^=+ .* in [\d.]+s.*=+$/gm)?.at(-1) ?? '';
  const number = (what) => Number(sum.match(new RegExp(`(\\d+) ${what}`))?.[1] ?? 0);
  return {
    passed: number('passed'),
    failed: number('failed') + number('errors?'),
    skipped: number('skipped'),
  };
}

function executedNotebook(name) {
  const file = path.join('notebooks', name);
  return {
    kind: 'notebooks from top to bottom',
    name: file,
    command: ['python', 'scripts/run_notebooks.py', '--check', file],
    variables: { FOCAL_PROFILE: 'quick', ...ONE_THREAD },
    count: countLastLine,
  };
}

function machineryTests(pattern) {
  return fs
    .readdirSync('scripts/test')
    .filter((name) => pattern.test(name) && !(fast && SLOW.test(name)))
    .map((name) => path.join('scripts/test', name))
    .sort();
}
