// Makes the students' copies, notebooks/exercises, from notebooks/solutions. --help tells the rest.
//
// In a solution, what lies between the lines BEGIN SOLUTION and END SOLUTION is left out of the copy, and the STUB lines
// take its place, without their marks. In code cells they are comments (// BEGIN SOLUTION, // STUB: return todo();), in
// text <!-- BEGIN SOLUTION --> and so on. Outputs are left out.
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { Failure, runCommand } from './command.mjs';
import { exportCourse } from './nbgrader/export.mjs';
import { root, write } from './setup/project.mjs';

const SOLUTIONS = path.join(root, 'notebooks/solutions');
const EXERCISES = path.join(root, 'notebooks/exercises');

// What contains answers, and is of no use to the exercises themselves.
const WITH_ANSWERS = ['notebooks/solutions', 'lib/test/coursework'];

const COMMAND = {
  name: 'exercises',
  about: 'Makes notebooks/exercises from notebooks/solutions.',
  options: {
    nbgrader: ['FOLDER', 'writes a course for nbgrader instead: see notebooks/TEACHING.md'],
    check: ['', 'writes nothing, and fails where a copy is not what its solution gives'],
    'remove-solutions': ['', `deletes the solutions from this clone: ${WITH_ANSWERS.join(', ')}`],
  },
};

const MARKS = {
  code: { begin: /^\s*\/\/ BEGIN SOLUTION$/, end: /^\s*\/\/ END SOLUTION$/, stub: /^(\s*)\/\/ STUB: (.*)$/ },
  markdown: {
    begin: /^<!-- BEGIN SOLUTION -->$/,
    end: /^<!-- END SOLUTION -->$/,
    stub: /^()<!-- STUB: (.*) -->$/,
  },
};

if (process.argv[1] === fileURLToPath(import.meta.url))
  await runCommand(COMMAND, ({ check, nbgrader, 'remove-solutions': remove }) => {
    if (remove) removeSolutions();
    else if (nbgrader) writeCourse(nbgrader);
    else makeExercises(check);
  });

function writeCourse(folder) {
  const names = solutionNames();
  for (const name of names) exerciseOf(SOLUTIONS, name); // whose marks fit together
  const read = (name) => fs.readFileSync(path.join(SOLUTIONS, name), 'utf8');
  exportCourse(path.resolve(folder), new Map(names.map((name) => [name, read(name)])));
  console.log(`a course of ${names.length} assignments in ${folder}`);
}

function solutionNames() {
  if (!fs.existsSync(SOLUTIONS))
    throw new Failure('there is no folder notebooks/solutions to make them from');
  return notebooksIn(SOLUTIONS);
}

function makeExercises(check) {
  const copies = new Map(solutionNames().map((name) => [name, exerciseOf(SOLUTIONS, name)]));
  const problems = [];
  for (const name of notebooksIn(EXERCISES))
    if (!copies.has(name)) {
      if (check) problems.push(`notebooks/exercises/${name} has no solution`);
      else fs.rmSync(path.join(EXERCISES, name));
    }
  for (const [name, text] of copies) {
    const file = path.join(EXERCISES, name);
    if (!check) write(file, text);
    else if (!fs.existsSync(file) || fs.readFileSync(file, 'utf8') !== text)
      problems.push(`notebooks/exercises/${name} is not what its solution gives: npm run exercises`);
  }
  if (problems.length) throw new Failure(problems.join('\n'));
  console.log(`${copies.size} exercises ${check ? 'are' : 'made'} as their solutions give them`);
}

function exerciseOf(folder, name) {
  try {
    return makeExercise(fs.readFileSync(path.join(folder, name), 'utf8'));
  } catch (error) {
    throw new Failure(`${path.relative(root, path.join(folder, name))}: ${error.message}`);
  }
}

function notebooksIn(folder) {
  if (!fs.existsSync(folder)) return [];
  return fs.readdirSync(folder).filter((name) => name.endsWith('.ipynb') && !name.startsWith('.'));
}

/**
 * @param text  a solution, as the file has it
 * @returns the student's copy
 * @throws Error naming the cell whose marks do not fit together, or whose check has no points
 */
export function makeExercise(text) {
  const notebook = JSON.parse(text);
  let points = 0;
  for (const cell of notebook.cells) {
    try {
      cell.source = studentsLines([cell.source].flat().join('').split('\n'), MARKS[cell.cell_type]);
    } catch (error) {
      throw new Error(`cell ${cell.id}: ${error.message}`);
    }
    if (cell.cell_type === 'code') Object.assign(cell, { outputs: [], execution_count: null });
    if (cell.metadata.check) points += pointsOf(cell);
  }
  if (points === 0) throw new Error('there is no check in it');
  return JSON.stringify(notebook, null, 1) + '\n';
}

function pointsOf({ id, metadata: { check } }) {
  if (!Number.isInteger(check.points) || check.points < 1)
    throw new Error(`cell ${id}: its check has no points`);
  return check.points;
}

/** As the notebook format has them: each with its line end, but for the last. */
function studentsLines(lines, { begin, end, stub }) {
  const kept = [];
  let inside = false;
  let stubsWanted = false;
  for (const line of lines) {
    if (begin.test(line)) {
      if (inside) throw new Error('a solution begins in a solution');
      inside = true;
    } else if (end.test(line)) {
      if (!inside) throw new Error('a solution ends that has not begun');
      inside = false;
      stubsWanted = true;
    } else if (stub.test(line)) {
      if (inside || !stubsWanted) throw new Error('a STUB that does not follow a solution');
      kept.push(line.replace(stub, '$1$2'));
    } else if (!inside) {
      stubsWanted = false;
      kept.push(line);
    }
  }
  if (inside) throw new Error('a solution has no end');
  return kept.map((line, i) => (i < kept.length - 1 ? `${line}\n` : line));
}

function removeSolutions() {
  for (const name of WITH_ANSWERS) fs.rmSync(path.join(root, name), { recursive: true, force: true });
  console.log(
    `removed: ${WITH_ANSWERS.join(', ')}. They are still in the history of git: see notebooks/TEACHING.md`,
  );
}
