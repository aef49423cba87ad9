import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, describe, test } from 'node:test';
import { makeExercise } from '../make-exercises.mjs';
import { root } from '../setup/project.mjs';

const code = (id, source, more = {}) => ({
  cell_type: 'code',
  id,
  metadata: {},
  source,
  outputs: [{ output_type: 'stream' }],
  execution_count: 7,
  ...more,
});
const check = code('check', 'await exercise1.loss(loss);', { metadata: { check: { points: 1 } } });
const copyOf = (...cells) =>
  JSON.parse(makeExercise(JSON.stringify({ cells: [...cells, check], metadata: {} }))).cells;
const sourceOf = (cell) => copyOf(cell)[0].source.join('');

describe('a student’s copy', () => {
  test('has the stubs in place of the solutions, in code', () => {
    const solution = [
      'function f(): number {',
      '  // BEGIN SOLUTION',
      '  const secret = 42;',
      '  return secret;',
      '  // END SOLUTION',
      '  // STUB: return todo();',
      '}',
      '// BEGIN SOLUTION',
      'f();',
      '// END SOLUTION',
      '// STUB: // Try it here.',
    ];
    assert.equal(
      sourceOf(code('a', solution.join('\n'))),
      'function f(): number {\n  return todo();\n}\n// Try it here.',
    );
  });

  test('has them in text', () => {
    const source =
      '# Title\n<!-- BEGIN SOLUTION -->\nBecause.\n\n$x$\n<!-- END SOLUTION -->\n<!-- STUB: *Yours.* -->\nEnd.';
    assert.equal(
      sourceOf({ cell_type: 'markdown', id: 'a', metadata: {}, source }),
      '# Title\n*Yours.*\nEnd.',
    );
  });

  test('has no outputs, the same ids, and the checks as they are', () => {
    const [first, second] = copyOf(code('first', ['const a = 1;\n', 'a;']));
    assert.deepEqual(first, {
      ...code('first', ['const a = 1;\n', 'a;']),
      outputs: [],
      execution_count: null,
    });
    assert.deepEqual([second.id, second.metadata], ['check', { check: { points: 1 } }]);
  });

  test('is refused where the marks do not fit together, naming the cell', () => {
    for (const [source, says] of [
      ['// BEGIN SOLUTION\nx;', /cell a: a solution has no end/],
      ['x;\n// END SOLUTION', /cell a: a solution ends that has not begun/],
      ['// BEGIN SOLUTION\n// BEGIN SOLUTION\n// END SOLUTION', /cell a: a solution begins in a solution/],
      ['// STUB: x;', /cell a: a STUB that does not follow a solution/],
      ['// BEGIN SOLUTION\n// STUB: x;\n// END SOLUTION', /cell a: a STUB that does not follow/],
      ['// BEGIN SOLUTION\n// END SOLUTION\ny;\n// STUB: x;', /cell a: a STUB that does not follow/],
    ])
      assert.throws(() => copyOf(code('a', source)), says);
  });

  test('is refused without a check, or with one that gives no points', () => {
    const notebook = (...cells) => JSON.stringify({ cells, metadata: {} });
    assert.throws(() => makeExercise(notebook(code('a', '1;'))), /there is no check/);
    const pointless = { ...check, metadata: { check: {} } };
    assert.throws(() => makeExercise(notebook(pointless)), /cell check: its check has no points/);
  });
});

const solutions = path.join(root, 'notebooks/solutions');
const removed = fs.existsSync(solutions) ? false : 'the solutions were removed from this clone';

describe('the exercises of this course', () => {
  test('are what their solutions give', { skip: removed }, () => {
    const { status, stderr } = spawnSync(process.execPath, ['scripts/make-exercises.mjs', '--check'], {
      cwd: root,
      encoding: 'utf8',
    });
    assert.equal(status, 0, stderr);
  });

  test('say nothing of a solution', () => {
    for (const name of fs.readdirSync(path.join(root, 'notebooks/exercises'))) {
      if (!name.endsWith('.ipynb')) continue;
      const text = fs.readFileSync(path.join(root, 'notebooks/exercises', name), 'utf8');
      assert.doesNotMatch(text, /(BEGIN|END) SOLUTION|STUB:/);
      assert.match(text, /todo\(\)|undefined|''/, `${name} leaves nothing to do`);
    }
  });
});

describe('the course for nbgrader', { skip: removed }, () => {
  const scratch = fs.mkdtempSync(path.join(os.tmpdir(), 'course-'));
  const course = path.join(scratch, 'course');
  after(() => fs.rmSync(scratch, { recursive: true }));
  const write = () =>
    spawnSync(process.execPath, ['scripts/make-exercises.mjs', '--nbgrader', course], {
      cwd: root,
      encoding: 'utf8',
    });

  test('has an assignment for each exercise, and what nbgrader has to know', () => {
    const { status, stdout, stderr } = write();
    assert.equal(status, 0, stderr);
    const count = fs
      .readdirSync(path.join(root, 'notebooks/solutions'))
      .filter((name) => name.endsWith('.ipynb')).length;
    assert.equal(stdout, `a course of ${count} assignments in ${course}\n`);
    const files = fs.readdirSync(course, { recursive: true }).filter((name) => /\.\w+$/.test(name));
    assert.equal(files.filter((name) => name.endsWith('.ipynb')).length, count);
    for (const name of ['nbgrader_config.py', 'focal_loss_lab.py']) assert.ok(files.includes(name));
  });

  test('grades each check with its points, and imports again what it calls', () => {
    const file = path.join(course, 'source/exercise-2/exercise-2-threshold.ipynb');
    const { cells } = JSON.parse(fs.readFileSync(file, 'utf8'));
    const byId = Object.fromEntries(cells.map((cell) => [cell.id, cell]));
    const { grade, locked, points, solution } = byId['check-03'].metadata.nbgrader;
    assert.deepEqual(
      { grade, locked, points, solution },
      { grade: true, locked: true, points: 2, solution: false },
    );
    assert.match(
      byId['check-03'].source,
      /^import \{ exercise2 \} from 'focal-loss-lab';\nawait exercise2\.walls/,
    );
    assert.equal(byId['code-02'].metadata.nbgrader.solution, true);
    assert.equal(byId['text-12'].metadata.nbgrader.points, 1);
    assert.equal(byId['text-11'].metadata.nbgrader.locked, true);
    for (const { outputs = [] } of cells) assert.deepEqual(outputs, []);
  });

  test('is not written over another', () => {
    const before = fs.readdirSync(course);
    const { status, stderr } = write();
    assert.equal(status, 1);
    assert.match(stderr, /is not empty: name a new folder/);
    assert.deepEqual(fs.readdirSync(course), before);
  });
});
