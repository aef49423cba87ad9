// npm test, and with --fast npm run check: every check of the project, one stage after the other, and one line at the
// end that sums them up. A stage that fails does not keep the later ones from running, unless lib does not compile.
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { root } from './setup/project.mjs';

const fast = process.argv.includes('--fast');
// Files of scripts/test that start many set-ups or kernels, download a Node, or drive a browser.
const SLOW = /^(setup|node-versions|grade|site|jupyterlab)/;

process.chdir(root);
// Tests, like the small networks, gain nothing from a second thread, but from a second process.
const JOBS = `${Math.min(4, os.availableParallelism())}`;
const ONE_THREAD = { TF_NUM_INTRAOP_THREADS: '1', TF_NUM_INTEROP_THREADS: '1' };
const summary = { passed: 0, failed: 0, skipped: 0, stages: [] };
const node = process.execPath;

await stage('lint', [node, 'node_modules/eslint/bin/eslint.js', '.']);
await stage('format', [node, 'node_modules/prettier/bin/prettier.cjs', '--check', '--log-level=warn', '.']);
await stage('links and spelling', [node, 'scripts/check-text.mjs'], lastLine);
const compiled = await stage('types of lib', [node, 'node_modules/typescript/bin/tsc', '-b']);
if (compiled) {
  await stage('cells of the notebooks', [node, 'scripts/check-notebooks.mjs'], lastLine);
  await unitTests('unit tests of lib', compiledTests());
  await unitTests('tests of the machinery', machineryTests());
  if (!fast)
    await stage(
      'notebooks from top to bottom',
      ['python', 'scripts/run-notebooks.py', '--check', '--jobs', JOBS],
      lastLine,
      { FOCAL_PROFILE: 'quick', ...ONE_THREAD },
    );
} else console.log('\n== lib does not compile: the cells, the tests and the notebooks were not looked at');

console.log('');
for (const { title, failed, seconds } of summary.stages)
  console.log(
    `${failed ? 'FAIL' : 'ok  '} ${title} (${seconds.toFixed(0)} s)${failed ? `: ${failed} failed` : ''}`,
  );
if (summary.skipped) console.log(`${summary.skipped} skipped, each with its reason above`);
console.log(`${summary.passed} passed, ${summary.failed} failed`);
process.exitCode = summary.failed ? 1 : 0;

/**
 * @param count  from what a tool printed to { passed, failed, skipped }; without it the stage counts as one
 * @returns whether the stage passed. A tool that fails without counting a failure counts as one.
 */
async function stage(title, [command, ...args], count = () => null, variables = {}) {
  console.log(`\n== ${title}`);
  const start = performance.now();
  const { status, output } = await tee(command, args, variables);
  const { passed, failed, skipped } = count(output) ?? { passed: status ? 0 : 1, failed: 0, skipped: 0 };
  const failures = Math.max(failed, status ? 1 : 0);
  summary.passed += passed;
  summary.failed += failures;
  summary.skipped += skipped;
  summary.stages.push({ title, failed: failures, seconds: (performance.now() - start) / 1000 });
  return failures === 0;
}

function tee(command, args, variables) {
  return new Promise((resolve) => {
    const child = spawn(command, args, {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: { ...process.env, NODE_NO_WARNINGS: '1', TF_CPP_MIN_LOG_LEVEL: '2', ...variables },
    });
    const chunks = [];
    child.stdout.on('data', (chunk) => {
      chunks.push(chunk);
      process.stdout.write(chunk);
    });
    child.on('error', (error) => resolve({ status: 1, output: `${error}` }));
    child.on('close', (status) => resolve({ status: status ?? 1, output: Buffer.concat(chunks).toString() }));
  });
}

/** 'N passed, N failed', as our own tools end. */
function lastLine(output) {
  const found = output.trimEnd().match(/(\d+) passed, (\d+) failed$/);
  return found && { passed: Number(found[1]), failed: Number(found[2]), skipped: 0 };
}

/** The numbers come from a second report of node's test runner, beside the one that is shown. */
async function unitTests(title, files) {
  const report = path.join(os.tmpdir(), `focal-loss-tests-${process.pid}.tap`);
  const reporters = ['spec', 'stdout', 'tap', report].map(
    (value, i) => `--test-reporter${i % 2 ? '-destination' : ''}=${value}`,
  );
  try {
    const count = () => {
      const text = fs.readFileSync(report, 'utf8');
      const number = (name) => Number(text.match(new RegExp(`^# ${name} (\\d+)$`, 'm'))?.[1] ?? 0);
      return {
        passed: number('pass'),
        failed: number('fail') + number('cancelled'),
        skipped: number('skipped'),
      };
    };
    const command = [node, '--test', `--test-concurrency=${JOBS}`, ...reporters, ...files];
    await stage(title, command, count, ONE_THREAD);
  } finally {
    fs.rmSync(report, { force: true });
  }
}

/** By the sources: what an earlier source has left in dist does not run. */
function compiledTests() {
  return fs
    .readdirSync('lib/test', { recursive: true })
    .filter((name) => name.endsWith('.test.ts'))
    .map((name) => path.join('lib/dist/test', name.replace(/\.ts$/, '.js')))
    .sort();
}

function machineryTests() {
  return fs
    .readdirSync('scripts/test')
    .filter((name) => name.endsWith('.test.mjs') && !(fast && SLOW.test(name)))
    .map((name) => path.join('scripts/test', name))
    .sort();
}
