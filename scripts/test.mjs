// npm test, npm run check and npm run lint: checks of the project, as many at a time as there are cores, and lines at the
// end that sum them up. What fails does not keep the rest from running, unless lib does not compile.
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { installedVariant } from '../lib/dist/tf/variant.js';
import { askDriver, reasonAgainst } from '../lib/src/tf/graphicsCards.cjs';
import { runCommand } from './command.mjs';
import { allNotebooks } from './pages.mjs';
import { read, root, stateFolder, write } from './setup/project.mjs';
import { compiledTests, countTests, groupTests, inOneProcess, ONE_THREAD, QUIET } from './unit-tests.mjs';

const COMMAND = {
  name: 'test',
  about: `
Runs every check of the project: lint, format, links and spelling, types, unit tests, tests of the set-up, of the kernel
and in a browser, and each notebook from top to bottom in the quick profile.`,
  options: {
    fast: [
      '',
      'npm run check: without what takes longest: notebooks, kernels, set-ups, the browser, long training runs',
    ],
    lint: ['', 'npm run lint: lint, format, links and spelling, types of lib and of the cells'],
  },
};

// Files of scripts/test that start many set-ups or kernels, train, download a Node, or drive a browser.
const SLOW =
  /^(setup|node-versions|site|jupyterlab|losses-package|compare-losses|long-runs|test_(kernel|snapshot|runner|grade|nbgrader))/;

// Of the tests of lib those that train for half a minute or more.
const SLOW_UNITS = /(sweep|compiled|checkpoint|paperSize)\.test/;

// Of the files in frameworks/ those that run on what the project has installed; npm run frameworks tests them all.
const FRAMEWORKS = ['reference', 'boosting'];
const SLOW_FRAMEWORKS = ['keras']; // imports TensorFlow and Keras

process.chdir(root);
const onGpu = installedVariant() === 'gpu' && askDriver().cards.some((card) => reasonAgainst(card) === null);
// One more than cores, since kernels, set-ups and browsers often wait; two more gain nothing. Processes that share a card wait for
// each other, and its memory is less than the machine's.
const LANES = onGpu ? 2 : Math.min(4, os.availableParallelism()) + 1;
const node = process.execPath;

/** By the content of a file; Prettier looks at its own version and options too. */
const PRETTIER_CACHE = [
  '--cache',
  '--cache-strategy=content',
  `--cache-location=${path.join(stateFolder, 'prettier')}`,
];
const LINT = [
  { kind: 'lint', command: [node, 'node_modules/eslint/bin/eslint.js', '.'] },
  { kind: 'lint of Python', command: ['ruff', 'check', '--quiet', 'scripts'] },
  { kind: 'format of Python', command: ['ruff', 'format', '--diff', '--quiet', 'scripts'] },
  { kind: 'format', command: [node, 'node_modules/prettier/bin/prettier.cjs', '--check', '--log-level=warn', ...PRETTIER_CACHE, '.'] },
  { kind: 'links and spelling', command: [node, 'scripts/check-text.mjs'], count: countLastLine },
]; // prettier-ignore
const TYPES = { kind: 'types of lib', command: [node, 'node_modules/typescript/bin/tsc', '-b'] };
const CELLS = {
  kind: 'cells of the notebooks',
  command: [node, 'scripts/check-notebooks.mjs'],
  count: countLastLine,
};

/** How many seconds each check has taken here. The longest begin first, so that all lanes end at about the same time. */
const SECONDS_FILE = path.join(stateFolder, 'test-seconds.json');
const seconds = JSON.parse(read(SECONDS_FILE) ?? '{}');
/** Where that is not known yet, as in CI: about how many it takes on two cores. The rest takes ten at most. */
const GUESSES = [
  [/site\.test|notebooks\/03-/, 400],
  [/(jupyterlab|paperSize)\.test|sweep\/sweep\.test|notebooks\/04-/, 150],
  [/notebooks\/(05|appendix)-|(losses-package|compiled|setup|checkpoint)\.test|test_runner/, 100],
  [/test_(keras|grade|kernel)|compare-losses\.test|^(lint|format|cells of the notebooks)$/, 60],
  [/dist\/test\/(grid|losses|coursework|tf)$|(node-versions|gpu-check|commands)\.test|test_snapshot/, 30],
];
const guess = (title) => GUESSES.find(([pattern]) => pattern.test(title))?.[1] ?? 10;

/** By the name of a kind of check, in the order in which they begin. */
const summary = new Map();

await runCommand(COMMAND, async ({ fast = false, lint = false }) => {
  await runAll([TYPES]);
  const compiles = summary.get(TYPES.kind).failures.length === 0;
  await runAll([...LINT, ...(compiles ? [CELLS] : []), ...(compiles && !lint ? tests(fast) : [])]);
  report();
  if (!compiles)
    console.log('lib does not compile: the cells, the tests and the notebooks were not looked at');
  write(SECONDS_FILE, `${JSON.stringify(seconds, null, 1)}\n`);
});

function tests(fast) {
  return [
    ...machineryTests(/\.test\.mjs$/, fast).map((file) => testFiles('tests of the machinery', file, [file])),
    ...machineryTests(/^test_.*\.py$/, fast).map(pythonTestFile),
    ...[...FRAMEWORKS, ...(fast ? [] : SLOW_FRAMEWORKS)].map((name) =>
      pythonTestFile(`frameworks/test/test_${name}.py`),
    ),
    ...unitTests(fast),
    ...(fast ? [] : allNotebooks().map(executedNotebook)),
  ];
}

function report() {
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
  if (skipped) console.log(`${skipped} skipped, each with its reason above`);
  console.log(`${passed} passed, ${failed} failed`);
  process.exitCode = failed ? 1 : 0;
}

/** Runs them, the longest first, LANES at a time. */
async function runAll(checks) {
  for (const { kind } of checks)
    if (!summary.has(kind)) summary.set(kind, { passed: 0, failed: 0, skipped: 0, seconds: 0, failures: [] });
  const expected = (check) => seconds[titleOf(check)] ?? guess(titleOf(check));
  const waiting = checks.toSorted((a, b) => expected(b) - expected(a)).values();
  const lane = async () => {
    for (const check of waiting) await run(check);
  };
  await Promise.all(Array.from({ length: LANES }, lane));
}

function titleOf({ kind, name = '' }) {
  return [kind, name].filter(Boolean).join(': ');
}

/**
 * Runs one check and shows its output when it has ended.
 * @param count  from its output to { passed, failed, skipped }; without it the check counts as one
 */
async function run(check) {
  const { kind, name = '', command, variables = {}, count = () => undefined } = check;
  const start = performance.now();
  const { status, output } = await execute(command, variables);
  const taken = (performance.now() - start) / 1000;
  console.log(`\n== ${titleOf(check)} (${taken.toFixed(0)} s)\n${output.trimEnd()}`);
  seconds[titleOf(check)] = Math.round(taken);
  const all = summary.get(kind);
  const counted = count(output) ?? { passed: status ? 0 : 1, failed: 0, skipped: 0 };
  const failures = Math.max(counted.failed, status ? 1 : 0); // a tool that fails without counting a failure
  all.passed += counted.passed;
  all.failed += failures;
  all.skipped += counted.skipped;
  all.seconds += taken;
  if (failures) all.failures.push(name);
}

function execute([command, ...args], variables) {
  return new Promise((resolve) => {
    const child = spawn(command, args, {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...QUIET, ...variables },
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

function testFiles(kind, name, files) {
  return { kind, name, command: [node, ...inOneProcess(files)], variables: ONE_THREAD, count: countTests };
}

/** The quick ones by folder, and each of the slow ones for itself, so that another core is not left waiting. */
function unitTests(fast) {
  const all = compiledTests();
  const slow = fast ? [] : all.filter((file) => SLOW_UNITS.test(file));
  const groups = groupTests(all.filter((file) => !SLOW_UNITS.test(file)));
  return [...groups, ...slow.map((file) => ({ name: file, files: [file] }))].map(({ name, files }) =>
    testFiles('unit tests of lib', name, files),
  );
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

function machineryTests(pattern, fast) {
  return fs
    .readdirSync('scripts/test')
    .filter((name) => pattern.test(name) && !(fast && SLOW.test(name)))
    .map((name) => path.join('scripts/test', name))
    .sort();
}
