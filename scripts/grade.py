"""Grades the coursework: runs the checks in every student's notebooks, and writes the points to a CSV file.

FOLDER holds a folder for each student, and each of those the student's notebooks under the names of the exercises. A
student's notebook runs from top to bottom in a kernel of its own, with the check cells of the ORIGINAL exercise in the
place of the student's: cells are matched by their id, a check that is missing comes at the end, and only what an original
check says counts. A cell that fails does not stop the later ones. A notebook that takes too long keeps the points of the
checks before.

Students' code runs with your rights. Grade strangers in a container, or as a user who owns nothing.
"""

import argparse
import csv
import importlib
import io
import os
import re
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import nbclient
import nbformat
from nbclient.exceptions import CellTimeoutError, DeadKernelError

runner = importlib.import_module('run-notebooks')

EXERCISES = runner.NOTEBOOKS / 'exercises'
SCRATCH = runner.ROOT / 'data/cache'  # inside the clone, where a notebook finds the library
EXERCISE_IMPORT = re.compile(r'\bexercise\d+\b')


class Grader(nbclient.NotebookClient):
    """Keeps of all outputs the errors and the points: a notebook may print without end."""

    def output(self, outs, msg, display_id, cell_index):
        if msg['msg_type'] == 'error' or runner.POINTS in msg['content'].get('data', {}):
            return super().output(outs, msg, display_id, cell_index)
        return None


def main():
    options = parse_arguments()
    try:
        exercises = read_exercises(options.exercises)
        students = student_folders(options.folder)
    except runner.Failure as failure:
        sys.exit(f'grade: {failure}')
    rows = []
    try:
        with ProcessPoolExecutor(options.jobs) as pool:
            running = {
                student: [pool.submit(grade, student, name, cells, options.limit) for name, cells in exercises.items()]
                for student in students
            }
            for student, results in running.items():
                rows.append(row(student, exercises, [result.result() for result in results]))
                print(f'{student.name}: {rows[-1][-2]} points{rows[-1][-1] and "; "}{rows[-1][-1]}', flush=True)
    except KeyboardInterrupt:
        print('interrupted: nothing is written', flush=True)
        os._exit(130)
    runner.replace(options.out, table(exercises, rows).encode())
    print(f'{len(rows)} students in {options.out}')


def parse_arguments():
    parser = argparse.ArgumentParser(
        prog='npm run grade --', description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('folder', type=Path, metavar='FOLDER', help='a folder with a folder for each student')
    parser.add_argument('--out', type=Path, required=True, metavar='FILE.csv', help='where the points go')
    parser.add_argument('--exercises', type=Path, default=EXERCISES, help='the originals (default: notebooks/exercises)')
    parser.add_argument('--limit', type=runner.seconds, default=600, metavar='SECONDS', help='per notebook (default 600)')
    parser.add_argument('--jobs', type=int, choices=range(1, 65), default=1, metavar='N', help='notebooks at a time')
    return parser.parse_args()


def read_exercises(folder):
    """The cells of each original, by the name of its file.

    No original is a notebook without a check, or one that has no solution of its name where there are solutions: a copy.
    """
    if not folder.is_dir():
        raise runner.Failure(f'{folder} is not a folder')
    originals = {path.name: nbformat.read(path, as_version=4).cells for path in runner.notebooks_under(folder)}
    solutions = folder.parent / 'solutions'
    solved = {path.name for path in solutions.glob('*.ipynb')} if solutions.is_dir() else originals
    return {name: cells for name, cells in originals.items() if checks(cells) and name in solved}


def student_folders(folder):
    if not folder.is_dir():
        raise runner.Failure(f'{folder} is not a folder')
    students = sorted(path for path in folder.iterdir() if path.is_dir() and not path.name.startswith('.'))
    if not students:
        raise runner.Failure(f'{folder} holds no folder: expected one for each student')
    return students


def possible(cells):
    return sum(cell.metadata.check.points for cell in checks(cells))


def checks(cells):
    return [cell for cell in cells if 'check' in cell.metadata]


def row(student, exercises, results):
    remarks = [f'{Path(name).stem}: {remark}' for name, (_, remark) in zip(exercises, results) if remark]
    points = [points for points, _ in results]
    return [student.name, *points, sum(points), '; '.join(remarks)]


def table(exercises, rows):
    most = {Path(name).stem: possible(cells) for name, cells in exercises.items()}
    text = io.StringIO()
    writer = csv.writer(text, lineterminator='\n')
    titles = [f'{name} (of {points})' for name, points in most.items()]
    writer.writerow(['student', *titles, f'total (of {sum(most.values())})', 'remarks'])
    writer.writerows([guarded(cell) for cell in row] for row in rows)
    return text.getvalue()


def guarded(value):
    """A text that a spreadsheet does not take for a formula."""
    return f"'{value}" if isinstance(value, str) and value.startswith(('=', '+', '-', '@')) else value


def grade(student, name, original, limit):
    """The points of one notebook, and what the teacher should know about them."""
    found = [path for path in student.rglob(name) if path.is_file()]
    if not found:
        similar = sorted(path.name for path in student.rglob(f'{Path(name).stem}*.ipynb'))
        return 0, f'missing, but there is {similar[0]}: is it that one, renamed?' if similar else 'missing'
    if len(found) > 1:
        return 0, f'{len(found)} files of this name'
    try:
        notebook = nbformat.read(found[0], as_version=4)
        graded = nbformat.v4.new_notebook(cells=graded_cells(notebook.cells, original))
    except Exception as error:  # whatever a torn or strange file makes of it
        return 0, f'not a notebook: {runner.first_line(str(error))}'
    try:
        problem = execute(graded, limit)
    except Exception as error:  # this student's notebook must not end the grading of the others
        problem = f'could not be run: {runner.first_line(str(error)) or type(error).__name__}'
    remark = problem or first_error(graded) or ('' if attempted(graded) else 'not attempted')
    return sum(points(cell) for cell in checks(graded.cells)), remark


def graded_cells(cells, original):
    """The student's code with the original checks; the outputs and metadata that came with it are gone."""
    ours = {cell.id: cell for cell in checks(original)}
    merged = []
    for cell in cells:
        if cell.cell_type != 'code':
            continue
        check = ours.pop(cell.id, None) if 'id' in cell else None
        merged.append(original_check(check) if check else nbformat.v4.new_code_cell(cell.source))
    return merged + [original_check(check) for check in ours.values()]


def original_check(check):
    """Imports what it calls anew, for a cell before it may have given that name to something else."""
    names = sorted(set(EXERCISE_IMPORT.findall(check.source)))
    imports = f"import {{ {', '.join(names)} }} from 'focal-loss-lab';\n" if names else ''
    return nbformat.v4.new_code_cell(imports + check.source, metadata={'check': check.metadata.check})


def execute(notebook, limit):
    """Runs all cells. Returns what ended it early, or None."""
    SCRATCH.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix='grading-', dir=SCRATCH, ignore_cleanup_errors=True) as folder:
        def create(**start):
            left = lambda _cell: max(1, deadline - time.monotonic())
            resources = {'metadata': {'path': folder}}
            return Grader(notebook, allow_errors=True, timeout_func=left, resources=resources, **start)

        number = 0
        with runner.started(create, {**os.environ, 'FOCAL_RESULTS_DIR': folder}) as client:
            deadline = time.monotonic() + limit
            for index, cell in enumerate(notebook.cells):
                if not cell.source.strip():
                    continue
                number += 1
                try:
                    client.execute_cell(cell, index)
                except CellTimeoutError:
                    return f'cell [{number}]: stopped, the notebook took more than {limit} s'
                except DeadKernelError:
                    return f'cell [{number}]: the kernel died'
    return None


def points(cell):
    """Those of a check that has ended, and has said one thing: what it calls is the student's, who might speak for it."""
    said = runner.points_of(cell)
    if len(said) != 1 or any(output.output_type == 'error' for output in cell.outputs):
        return 0
    given = said[0].get('points') if isinstance(said[0], dict) else None
    return given if isinstance(given, int) and 0 <= given <= cell.metadata.check.points else 0


def attempted(notebook):
    """Whether the checks say anything else than that no question was."""
    try:
        statuses = {verdict['status'] for cell in checks(notebook.cells) for verdict in runner.said_by(cell)}
    except (KeyError, TypeError):  # a student's own words, which need not have this form
        return True
    return statuses != {'not attempted'}


def first_error(notebook):
    for number, cell in enumerate((cell for cell in notebook.cells if cell.source.strip()), 1):
        for output in cell.outputs:
            if output.output_type == 'error':
                return f'cell [{number}]: {runner.first_line(runner.plain(output.evalue))}'
        if len(runner.points_of(cell)) > 1:
            return f'cell [{number}]: a check that has said more than one thing; look at this notebook'
    return ''


if __name__ == '__main__':
    main()
