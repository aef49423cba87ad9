// Writes a course for nbgrader from notebooks/solutions.
import fs from 'node:fs';
import path from 'node:path';
import { Failure } from '../command.mjs';
import { root, write } from '../setup/project.mjs';

const SOURCES = path.join(root, 'scripts/nbgrader');
const FILES = ['nbgrader_config.py', 'focal_loss_lab.py'];
const POINTS_IN_WORDS = 1; // for an answer that the teacher reads

/**
 * Writes FOLDER/source/exercise-N/… and, next to it, what nbgrader has to know.
 *
 * @param folder  new or empty
 * @param solutions  file name -> text of the notebook
 * @throws Failure where the folder holds something: it may be a course whose notebooks a teacher has changed
 */
export function exportCourse(folder, solutions) {
  if (fs.existsSync(folder) && fs.readdirSync(folder).length > 0)
    throw new Failure(`${folder} is not empty: name a new folder`);
  const files = new Map(FILES.map((name) => [name, fs.readFileSync(path.join(SOURCES, name), 'utf8')]));
  for (const [name, text] of solutions) {
    const assignment = /^exercise-\d+/.exec(name)?.[0] ?? path.basename(name, '.ipynb');
    files.set(path.join('source', assignment, name), sourceNotebook(text));
  }
  for (const [name, text] of files) write(path.join(folder, name), text);
}

function sourceNotebook(text) {
  const notebook = JSON.parse(text);
  for (const cell of notebook.cells) {
    const source = [cell.source].flat().join('');
    const { check, editable: _, deletable: __, ...metadata } = cell.metadata; // nbgrader has locks of its own
    cell.metadata = { ...metadata, nbgrader: metadataOf(cell, source, check) };
    if (check) cell.source = importsOf(source) + source;
    if (cell.cell_type === 'code') Object.assign(cell, { outputs: [], execution_count: null });
  }
  return JSON.stringify(notebook, null, 1) + '\n';
}

/** As nbgrader's own "Create Assignment" would write it. */
function metadataOf({ id, cell_type: type }, source, check) {
  const none = { grade: false, grade_id: id, locked: false, schema_version: 3, solution: false, task: false };
  if (check) return { ...none, grade: true, locked: true, points: check.points };
  if (!source.includes('BEGIN SOLUTION')) return { ...none, locked: type === 'markdown' };
  if (type === 'code') return { ...none, solution: true };
  const isAnswer = source.startsWith('<!-- BEGIN SOLUTION -->') && source.includes('<!-- STUB: ');
  return isAnswer
    ? { ...none, grade: true, solution: true, points: POINTS_IN_WORDS }
    : { ...none, locked: true };
}

/** A check imports what it calls: a cell before it may have given that name to something else. */
function importsOf(source) {
  const names = [...new Set(source.match(/\bexercise\d+\b/g))];
  return names.length ? `import { ${names.join(', ')} } from 'focal-loss-lab';\n` : '';
}
