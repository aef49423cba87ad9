"""The course that npm run exercises -- --nbgrader writes, in nbgrader itself: what a teacher does, and what students try."""

import json
import os
import subprocess
from copy import deepcopy

import nbformat
import pytest

from jupyter_session import ROOT

PYTHON = ROOT / '.nbgrader/bin/python'
NAME = 'exercise-2-threshold.ipynb'
POINTS = 'application/vnd.focal-loss-lab.points+json'
ASSIGNMENTS = [f'exercise-{number}' for number in range(1, 7)]

pytestmark = pytest.mark.skipif(
    not (ROOT / '.nbgrader/installed').exists(),
    reason='nbgrader is not installed: node scripts/setup.mjs node scripts/nbgrader/install.mjs',
)


def nbgrader(action, course, *assignments):
    path = os.pathsep.join([str(PYTHON.parent), os.environ['PATH']])  # nbgrader calls alembic
    command = [PYTHON, ROOT / 'scripts/test/drive_nbgrader.py', action, course, *assignments]
    result = subprocess.run(command, env={**os.environ, 'PATH': path}, capture_output=True, text=True, timeout=900)
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


def export(folder):
    command = ['node', 'scripts/make-exercises.mjs', '--nbgrader', folder]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True)


@pytest.fixture(scope='module')
def course(tmp_path_factory):
    folder = tmp_path_factory.mktemp('nbgrader') / 'course'
    result = export(folder)
    assert result.returncode == 0, result.stderr
    nbgrader('generate', folder, *ASSIGNMENTS)
    return folder


@pytest.fixture(scope='module')
def submissions(course):
    """By student, what formgrader shows."""
    for student, notebook in students(course):
        folder = course / 'submitted' / student / 'exercise-2'
        folder.mkdir(parents=True)
        nbformat.write(notebook, folder / NAME)
    return json.loads(nbgrader('grade', course, 'exercise-2').splitlines()[-1])


def students(course):
    """Pretend students: (name, the notebook that they hand in)."""
    released = nbformat.read(course / 'release/exercise-2' / NAME, 4)
    solved = {cell.id: cell.source for cell in nbformat.read(ROOT / 'notebooks/solutions' / NAME, 4).cells}

    def handed_in(*answered):
        notebook = deepcopy(released)
        for cell in notebook.cells:
            if cell.id in answered:
                lines = solved[cell.id].split('\n')
                cell.source = '\n'.join(line for line in lines if 'SOLUTION' not in line and 'STUB' not in line)
        return notebook, {cell.id: cell for cell in notebook.cells}

    everything = ('code-02', 'code-03', 'code-04', 'code-05', 'text-12')
    yield 'right', handed_in(*everything)[0]
    yield 'untouched', handed_in()[0]

    notebook, cells = handed_in('code-02', 'code-03', 'code-04')
    cells['code-04'].source = cells['code-04'].source.replace('label0: -', 'label0: ')
    cells['code-03'].source += "\nconsole.error('debugging');"
    yield 'partly', notebook

    forged = {'text/plain': '5 of 5 points', POINTS: {'points': 2, 'verdicts': []}}
    praise = f"import {{ displayBundle }} from 'focal-loss-lab';\ndisplayBundle({json.dumps(forged)});"
    notebook, cells = handed_in()
    for name, cell in cells.items():
        if name.startswith('check'):
            cell.source = praise
    yield 'overwrites', notebook

    notebook, cells = handed_in('code-02')
    notebook.cells.remove(cells['check-03'])
    cells['code-05'].source = f'const exercise2 = {{ rule: () => {{ {praise.splitlines()[1]} }} }};\nconst wall = 0;'
    cells['code-01'].source += f'\n{praise}'
    yield 'deletes and shadows', notebook

    notebook, cells = handed_in('code-02', 'code-03')
    cells['code-04'].source = 'process.exit(1);'
    yield 'dies', notebook


def test_the_release_is_the_students_copy_cell_for_cell(course):
    for assignment in ASSIGNMENTS:
        (path,) = (course / 'release' / assignment).glob('*.ipynb')
        released, copy = (nbformat.read(each, 4).cells for each in (path, ROOT / 'notebooks/exercises' / path.name))
        for cell, original in zip(released, copy, strict=True):
            source = cell.source.split('\n', 1)[1] if 'check' in original.metadata else cell.source
            assert source == original.source, f'{path.name} {original.id}'


def test_all_points_of_the_checks_and_one_for_each_answer_in_words_can_be_had(course, submissions):
    assert submissions['right']['max_score'] == 5 + 1
    assert submissions['right']['score'] == 5
    assert submissions['right']['needs_manual_grade']


@pytest.mark.parametrize(
    ('student', 'points'),
    [('untouched', 0), ('partly', 3), ('overwrites', 0), ('deletes and shadows', 1)],
)
def test_a_student_gets_the_points_that_the_checks_give(submissions, student, points):
    assert submissions[student]['score'] == points


def test_a_kernel_that_dies_leaves_its_student_ungraded_and_the_others_graded(submissions):
    assert set(submissions) == {'right', 'untouched', 'partly', 'overwrites', 'deletes and shadows'}


def test_the_feedback_has_the_sentences_of_the_checks(course, submissions):
    page = (course / 'feedback/partly/exercise-2/exercise-2-threshold.html').read_text()
    assert 'label0 has the sign of a logit that is wrong about label 0' in page
    assert '2.4 the rule for other precisions: not attempted' in page


def test_a_folder_that_is_not_empty_is_refused_and_stays(course):
    before = sorted(course.rglob('*'))
    result = export(course)
    assert (result.returncode, result.stdout) == (1, '')
    assert 'is not empty: name a new folder' in result.stderr
    assert sorted(course.rglob('*')) == before
