// What all commands of package.json have in common (scripts/command.mjs, command.py).
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import { root } from '../setup/project.mjs';
import { compiledTests, groupTests, selectTests } from '../unit-tests.mjs';

const { scripts } = JSON.parse(fs.readFileSync(path.join(root, 'package.json'), 'utf8'));
const SETUP = 'node scripts/setup.mjs ';

/** Runs a command as npm does, but without the set-up. */
function run(name, ...args) {
  const [program, ...rest] = scripts[name].slice(SETUP.length).split(' ');
  const child = spawn(program, [...rest, ...args], { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] });
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (chunk) => (stdout += chunk));
  child.stderr.on('data', (chunk) => (stderr += chunk));
  return new Promise((resolve) => child.on('close', (status) => resolve({ status, stdout, stderr })));
}

describe('every command', () => {
  for (const [name, line] of Object.entries(scripts)) {
    test(`npm run ${name} sets up first, and --help says what it does, and nothing else happens`, async () => {
      assert.ok(line.startsWith(SETUP), line);
      const { status, stdout, stderr } = await run(name, '--help');
      assert.deepEqual([status, stderr], [0, '']);
      assert.match(stdout, /npm (run )?[\w-]+( --)?( |$)/m);
      assert.ok(stdout.trim().split('\n').length >= 3, stdout);
    });
  }

  for (const name of ['sweep', 'bench', 'test', 'notebooks', 'grade'])
    test(`npm run ${name} ends with exit code 2 and one line where it is asked for what there is not`, async () => {
      const { status, stdout, stderr } = await run(name, '--no-such-option');
      assert.deepEqual([status, stdout], [2, '']);
      assert.match(stderr, new RegExp(`^\\[${name}\\] [^\\n]+; --help shows what there is\\n$`));
    });
});

describe('npm test', () => {
  const groups = groupTests(compiledTests());
  const besides = (name) => groups.find(({ files }) => files.includes(`lib/dist/test/${name}.test.js`)).files;

  test('runs each file of lib/test once', () => {
    assert.deepEqual(groups.flatMap(({ files }) => files).sort(), compiledTests());
  });

  test('runs the files of a folder in one process, except those that need another or one of their own', () => {
    assert.ok(besides('losses/textbook').includes('lib/dist/test/losses/closedForm.test.js'));
    assert.ok(besides('display/table').includes('lib/dist/test/display/chart.test.js'));
    assert.ok(!besides('display/table').includes('lib/dist/test/display/breathe.test.js'));
    assert.equal(besides('results/besidePaper').length, 1);
  });
});

describe('npm run unit', () => {
  const files = ['losses/closedForm', 'losses/softmax', 'grid/losses', 'train'].map(
    (name) => `lib/dist/test/${name}.test.js`,
  );
  const selected = (name) => selectTests(files, name).map((file) => file.slice('lib/dist/test/'.length, -8));

  test('a name means a folder and a file of that name', () => {
    assert.deepEqual(selected('losses'), ['losses/closedForm', 'losses/softmax', 'grid/losses']);
    assert.deepEqual(selected('train'), ['train']);
  });

  test('it may be a path, of the source or of what is compiled', () => {
    for (const name of [
      'losses/softmax',
      'lib/test/losses/softmax.test.ts',
      'lib/dist/test/losses/softmax.test.js',
    ])
      assert.deepEqual(selected(name), ['losses/softmax']);
    assert.deepEqual(selected('lib/test/losses/'), ['losses/closedForm', 'losses/softmax']);
  });

  test('what is not there is named, with the folders', async () => {
    const { status, stderr } = await run('unit', 'lossse');
    assert.equal(status, 2);
    assert.match(stderr, /^\[unit\] there are no tests 'lossse'; the folders are .*losses/);
  });
});
