"""Grades the coursework: runs the checks in every student's notebooks, and writes the points to a CSV file.

FOLDER holds a folder for each student, or the notebooks of all, side by side, as a learning platform names them:
exercise-2-threshold (1).ipynb, doejane_1234_5678_exercise-2-threshold.ipynb. Of several files for one exercise the last
attempt is graded. A student's notebook runs from top to bottom in a kernel of its own, with the check cells of the ORIGINAL
exercise in the place of the student's: cells are matched by their id, a check that is missing comes at the end, and only
what an original check says counts. A cell that fails does not stop the later ones. A notebook that takes too long keeps the
points of the checks before.

Students' code runs with your rights. Grade strangers in a container, or as a user who owns nothing.
"""

import argparse
import csv
import io
import os
import re
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import nbclient
import nbformat
from nbclient.exceptions import CellTimeoutError, DeadKernelError

import command
import feedback
import run_notebooks as runner
import submissions

EXERCISES = runner.NOTEBOOKS / 'exercises'
EXERCISE_IMPORT = re.compile(r'\bexercise\d+\b')


class Grader(nbclient.NotebookClient):
    """Keeps of all outputs the errors and the points: a notebook may print without end."""

    def output(self, outs, msg, display_id, cell_index):
        if msg['msg_type'] == 'error' or runner.POINTS in msg['content'].get('data', {}):
            return super().output(outs, msg, display_id, cell_index)
        return None


@dataclass
class Result:
    """What became of one exercise of one student."""

    exercise: str
    of: int
    points: int = 0
    status: str = 'missing'
    remark: str = ''
    verdicts: list[dict] = field(default_factory=list)

    @property
    def note(self):
        """For the teacher, who sees that it is missing or not attempted by the status."""
        return f'{self.exercise}: {self.remark}' if self.remark else ''


def main():
    options = parse_arguments()
    try:
        exercises = read_exercises(options.exercises, options.only)
        students = submissions.read_submissions(options.folder, exercises)
    except runner.Failure as failure:
        command.fail('grade', failure)
    graded = {}
    try:
        with ProcessPoolExecutor(options.jobs) as pool:
            running = {
                student.name: [pool.submit(grade, student, name, cells, options.limit) for name, cells in exercises.items()]
                for student in students
            }
            for student, results in running.items():
                graded[student] = [result.result() for result in results]
                print(summary(student, graded[student]), flush=True)
    except KeyboardInterrupt:
        print('interrupted: nothing is written', flush=True)
        os._exit(command.INTERRUPTED)
    if options.feedback:
        write_feedback(options.feedback, graded)
    runner.replace(options.out, table(graded).encode())
    print(f'{len(graded)} students in {options.out}')


def parse_arguments():
    parser = command.Parser('grade', description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        'folder', type=Path, metavar='FOLDER', help='the notebooks, in a folder for each student or side by side'
    )
    parser.add_argument('--out', type=Path, required=True, metavar='FILE.csv', help='where the points go')
    parser.add_argument('--feedback', type=Path, metavar='FOLDER', help='writes a page for each student: STUDENT/feedback.html')
    parser.add_argument(
        '--only', action='append', default=[], metavar='EXERCISE', help='exercise-2; may be given several times (default: all)'
    )
    parser.add_argument('--exercises', type=Path, default=EXERCISES, help='the originals (default: notebooks/exercises)')
    parser.add_argument('--limit', type=runner.seconds, default=600, metavar='SECONDS', help='per notebook (default 600)')
    parser.add_argument('--jobs', type=int, choices=range(1, 65), default=1, metavar='N', help='notebooks at a time')
    return parser.parse_args()


def read_exercises(folder, only):
    """The cells of each original, by its name without .ipynb.

    No original is a notebook without a check, or one that has no solution of its name where there are solutions: a copy.
    """
    if not folder.is_dir():
        raise runner.Failure(f'{folder} is not a folder')
    originals = {path.stem: nbformat.read(path, as_version=4).cells for path in runner.notebooks_under(folder)}
    solutions = folder.parent / 'solutions'
    solved = {path.stem for path in solutions.glob('*.ipynb')} if solutions.is_dir() else originals
    exercises = {name: cells for name, cells in originals.items() if checks(cells) and name in solved}
    for selector in only:
        if not any(is_meant(name, selector) for name in exercises):
            raise runner.Failure(f'--only {selector}: no such exercise; there are {", ".join(exercises)}')
    return {name: cells for name, cells in exercises.items() if not only or any(is_meant(name, each) for each in only)}


def is_meant(name, selector):
    return name == selector or name.startswith(f'{selector}-')


def possible(cells):
    return sum(cell.metadata.check.points for cell in checks(cells))


def checks(cells):
    return [cell for cell in cells if 'check' in cell.metadata]


def summary(student, results):
    notes = '; '.join(filter(None, (result.note for result in results)))
    return f'{student}: {sum(result.points for result in results)} points' + (f'; {notes}' if notes else '')


def table(graded):
    """No points where nothing was handed in, which is not the same as none of them."""
    results = next(iter(graded.values()))
    text = io.StringIO()
    writer = csv.writer(text, lineterminator='\n')
    titles = [title for result in results for title in (f'{result.exercise} (of {result.of})', f'{result.exercise} status')]
    writer.writerow(['student', *titles, f'total (of {sum(result.of for result in results)})', 'remarks'])
    for student, results in graded.items():
        cells = [cell for result in results for cell in (result.points if result.status != 'missing' else '', result.status)]
        notes = '; '.join(filter(None, (result.note for result in results)))
        total = sum(result.points for result in results)
        writer.writerow([guarded(cell) for cell in (student, *cells, total, notes)])
    return text.getvalue()


def guarded(value):
    """A text that a spreadsheet does not take for a formula."""
    return f"'{value}" if isinstance(value, str) and value.startswith(('=', '+', '-', '@')) else value


def write_feedback(folder, graded):
    """A folder for each student, as platforms want them back."""
    for student, results in graded.items():
        own = folder / feedback.folder_name(student)
        own.mkdir(parents=True, exist_ok=True)
        runner.replace(own / 'feedback.html', feedback.page(student, results).encode())


def grade(student, name, original, limit):
    """The result of one student in one exercise."""
    result = Result(name, of=possible(original))
    found = student.handed_in(name)
    if not found:
        return result
    chosen = f'{found[-1].name} is graded, the last of {len(found)} files' if len(found) > 1 else ''
    try:
        notebook = nbformat.read(found[-1], as_version=4)
        graded = nbformat.v4.new_notebook(cells=graded_cells(notebook.cells, original))
    except Exception as error:  # whatever a torn or strange file makes of it
        result.status, result.remark = 'unreadable', f'not a notebook: {runner.first_line(str(error))}'
        return result
    try:
        problem = execute(graded, limit)
    except Exception as error:  # this student's notebook must not end the grading of the others
        problem = f'could not be run: {runner.first_line(str(error)) or type(error).__name__}'
    result.points = sum(points(cell) for cell in checks(graded.cells))
    result.verdicts = [verdict for cell in checks(graded.cells) for verdict in verdicts(cell)]
    problem = problem or first_error(graded)
    result.status = status(result, problem)
    result.remark = '; '.join(filter(None, [chosen, problem]))
    return result


def status(result, problem):
    if result.points == result.of:
        return 'right'
    if result.points:
        return 'partly right'
    untouched = not problem and result.verdicts and all(verdict['status'] == 'not attempted' for verdict in result.verdicts)
    return 'not attempted' if untouched else 'wrong'


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
    """Imports what it calls again, for a cell before it may have given that name to something else."""
    names = sorted(set(EXERCISE_IMPORT.findall(check.source)))
    imports = f"import {{ {', '.join(names)} }} from 'focal-loss-lab';\n" if names else ''
    return nbformat.v4.new_code_cell(imports + check.source, metadata={'check': check.metadata.check})


def execute(notebook, limit):
    """Runs all cells. Returns what ended it early, or None."""
    with tempfile.TemporaryDirectory(prefix='grading-', ignore_cleanup_errors=True) as folder:

        def create(**start):
            resources = {'metadata': {'path': folder}}
            return Grader(notebook, allow_errors=True, timeout_func=seconds_left, resources=resources, **start)

        def seconds_left(_cell):
            return max(1, deadline - time.monotonic())

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


def said_once(cell):
    """What a check has said that has ended and said one thing: what it calls is the student's, who might speak for it."""
    said = runner.points_of(cell)
    failed = any(output.output_type == 'error' for output in cell.outputs)
    return said[0] if len(said) == 1 and isinstance(said[0], dict) and not failed else {}


def points(cell):
    given = said_once(cell).get('points')
    return given if isinstance(given, int) and 0 <= given <= cell.metadata.check.points else 0


def verdicts(cell):
    """The sentences of a check for the student's page; a student's own words in their place need not have their form."""
    said = said_once(cell).get('verdicts')
    if not isinstance(said, list):
        return []
    known = ('question', 'status', 'remark')
    return [
        {key: verdict[key] for key in known}
        for verdict in said
        if isinstance(verdict, dict) and all(isinstance(verdict.get(key), str) for key in known)
    ]


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
