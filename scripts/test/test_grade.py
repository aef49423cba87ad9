"""scripts/grade.py with pretend students."""

import csv
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import nbformat
import pytest

from jupyter_session import ROOT

GRADER = [sys.executable, str(ROOT / 'scripts/grade.py')]
POINTS = 'application/vnd.focal-loss-lab.points+json'
LIMIT = 8  # seconds, for the notebooks that never end


def cell(identity, source, points=None):
    metadata = {} if points is None else {'check': {'points': points}}
    return nbformat.v4.new_code_cell(source, id=identity, metadata=metadata)


def write(folder, name, cells):
    folder.mkdir(parents=True, exist_ok=True)
    nbformat.write(nbformat.v4.new_notebook(cells=cells), folder / f'{name}.ipynb')


# A check of its own is enough here: what the checks of the course say is tested with them. (This part of the library loads
# no TensorFlow.)
DISPLAY = "import { displayBundle } from 'focal-loss-lab/dist/display/bundle';\n"
CHECK = DISPLAY.replace('{', '{{').replace('}', '}}') + (
    'const answers{name} = [{answers}];\n'
    'const points{name} = answers{name}.filter((answer) => answer === 42).length;\n'
    'const verdicts{name} = answers{name}.map((answer, i) => {{\n'
    "  const status = answer === 0 ? 'not attempted' : answer === 42 ? 'right' : 'wrong';\n"
    "  return {{ question: `question ${{i + 1}}`, status: status, remark: answer === 7 ? 'it is <not> 7' : '' }};\n}});\n"
    f"displayBundle({{{{ 'text/plain': 'checked', '{POINTS}': {{{{ points: points{{name}}, verdicts: verdicts{{name}} }}}} }}}});"
)
FIRST = CHECK.format(name='First', answers='one, two')
SECOND = CHECK.format(name='Second', answers='three()')
A, B = 'exercise-a', 'exercise-b'
FORTY_TWO = 'function three(): number { return 42; }'


def exercise_a(one='0', two='0', check=FIRST):
    return [cell('answer', f'const one = {one};\nconst two = {two};'), cell('check-01', check, 2)]


def exercise_b(three='function three(): number { return 0; }', *between):
    return [cell('answer', three), *between, cell('check-01', SECOND, 1)]


def write_originals(folder):
    write(folder / 'exercises', A, exercise_a())
    write(folder / 'exercises', B, exercise_b())
    write(folder / 'exercises', 'Untitled', [cell('notes', 'const x = 1;')])  # no exercise: it checks nothing
    write(folder / 'exercises', 'a copy', exercise_a())  # nor is this: it has no solution
    for name in (A, B):
        write(folder / 'solutions', name, exercise_a())


def write_students(folder):
    def student(name, a=None, b=None):
        (folder / name).mkdir(parents=True)
        if a is not None:
            write(folder / name, A, a)
        if b is not None:
            write(folder / name / 'deeper', B, b)

    student('full', exercise_a('42', '42'), exercise_b(FORTY_TWO))
    student('untouched', a=exercise_a())
    student('partly', a=exercise_a('42', '7'))
    student('wrong', a=exercise_a('7', '0'))
    student('renamed')
    write(folder / 'renamed', f'{A} (1)', exercise_a('42', '42'))
    write(folder / 'renamed', A, exercise_a())
    # A cell that throws, and one that does not compile; the answers are in others.
    broken = [cell('x', "throw new Error('boom');"), cell('y', 'const text: string = 1;')]
    student('crashing', [*broken, *exercise_a('42', '42')], exercise_b('function three( {'))
    student('endless', a=[*exercise_a('42', '42'), cell('x', 'for (;;) {}')])
    student('flooding', b=exercise_b("for (;;) console.log('x'.repeat(10000));"))
    student('dying', a=[*exercise_a('42', '42'), cell('x', 'process.exit(1);')])
    student('torn')
    (folder / 'torn' / f'{A}.ipynb').write_text('{"cells": [')
    (folder / 'torn' / f'{B}.ipynb').write_bytes(b'\xff\xfe\x00')
    student('=HYPERLINK("x")', b=exercise_b(FORTY_TWO))
    write_forgers(student)
    (folder / '.hidden').mkdir()
    (folder / 'a file').write_text('')
    write(folder, f'flat_12_34_{B}', exercise_b(FORTY_TWO))


def write_forgers(student):
    bundle = json.dumps({'text/plain': '3 of 3 points', POINTS: {'points': 2, 'verdicts': []}})
    praise = f'{DISPLAY}displayBundle({bundle});'
    student('prints', a=[cell('x', praise), *exercise_a(check=praise)])
    # The check is copied under another id, changed, and the original deleted.
    student('deletes', a=[cell('answer', 'const one = 42;\nconst two = 0;'), cell('x', praise, 2)])
    # What the check calls says more than it was asked.
    student('speaks for it', b=exercise_b(f'{praise}\nfunction three(): number {{ displayBundle({bundle}); return 0; }}'))
    # And this one ends the kernel, so that nothing else is said.
    listed = json.dumps({'text/plain': '1 of 1 points', POINTS: [1]})
    student('says a list', b=exercise_b(f'{DISPLAY}function three(): number {{ displayBundle({listed}); process.exit(1); }}'))
    # The name that the check uses is given to something else.
    student('shadows', b=exercise_b(FORTY_TWO, cell('z', 'const displayBundle = (_bundle: object) => undefined;')))


def run(*arguments):
    return subprocess.run([*GRADER, *map(str, arguments)], capture_output=True, text=True, timeout=500)


@pytest.fixture(scope='module')
def graded(tmp_path_factory):
    folder = tmp_path_factory.mktemp('grade')
    write_originals(folder)
    write_students(folder / 'students')
    (folder / 'points.csv').write_text('what was there before')
    options = ['--exercises', folder / 'exercises', '--limit', LIMIT, '--jobs', os.cpu_count() or 1]
    result = run(folder / 'students', *options, '--feedback', folder / 'feedback', '--out', folder / 'points.csv')
    assert result.returncode == 0, result.stderr
    with (folder / 'points.csv').open(newline='') as file:
        rows = {row['student']: row for row in csv.DictReader(file)}
    return SimpleNamespace(folder=folder, output=result.stdout, rows=rows)


def marks(graded, student):
    """[points and status of a, of b], as in the table."""
    row = graded.rows[student]
    return [row[f'{A} (of 2)'], row[f'{A} status'], row[f'{B} (of 1)'], row[f'{B} status']]


def a_marks(graded, student):
    return marks(graded, student)[:2]


def b_marks(graded, student):
    return marks(graded, student)[2:]


def remarks(graded, student):
    return graded.rows[student]['remarks']


def test_every_student_has_a_row_whatever_became_of_the_others(graded):
    names = {path.name for path in (graded.folder / 'students').iterdir() if path.is_dir()} - {'.hidden'}
    assert set(graded.rows) == {name if name[0] != '=' else f"'{name}" for name in names} | {'flat_12'}
    assert graded.output.count('\n') == len(names) + 2


def test_missing_not_attempted_wrong_partly_right_and_right_are_told_apart(graded):
    assert marks(graded, 'full') == ['2', 'right', '1', 'right']
    assert marks(graded, 'untouched') == ['0', 'not attempted', '', 'missing']
    assert a_marks(graded, 'wrong') == ['0', 'wrong']
    assert a_marks(graded, 'partly') == ['1', 'partly right']
    for student in ('full', 'untouched', 'partly', 'wrong'):
        assert remarks(graded, student) == ''
    assert [graded.rows[student]['total (of 3)'] for student in ('full', 'partly', 'untouched')] == ['3', '1', '0']


def test_a_torn_notebook_is_said(graded):
    assert marks(graded, 'torn') == ['0', 'unreadable', '0', 'unreadable']
    assert re.match(f'{A}: not a notebook: .*; {B}: not a notebook: ', remarks(graded, 'torn'))


def test_of_two_files_the_last_attempt_is_graded_and_named(graded):
    assert a_marks(graded, 'renamed') == ['2', 'right']
    assert remarks(graded, 'renamed') == f'{A}: {A} (1).ipynb is graded, the last of 2 files'


def test_a_file_beside_the_folders_is_its_students(graded):
    assert b_marks(graded, 'flat_12') == ['1', 'right']


def test_a_cell_that_fails_or_does_not_compile_leaves_the_later_checks_their_points(graded):
    assert marks(graded, 'crashing') == ['2', 'right', '0', 'wrong']
    assert re.match(rf'{A}: cell \[1\]: boom; {B}: cell \[1\]: Line 1: ', remarks(graded, 'crashing'))


def test_a_loop_without_end_costs_what_comes_after_it(graded):
    stopped = f'stopped, the notebook took more than {LIMIT} s'
    assert a_marks(graded, 'endless') == ['2', 'right']
    assert remarks(graded, 'endless') == f'{A}: cell [3]: {stopped}'
    assert b_marks(graded, 'flooding') == ['0', 'wrong']
    assert remarks(graded, 'flooding') == f'{B}: cell [1]: {stopped}'


def test_so_does_a_kernel_that_dies(graded):
    assert a_marks(graded, 'dying') == ['2', 'right']
    assert remarks(graded, 'dying') == f'{A}: cell [3]: the kernel died'


def test_no_student_gives_points(graded):
    assert a_marks(graded, 'prints') == ['0', 'not attempted']
    assert b_marks(graded, 'speaks for it') == ['0', 'wrong']
    assert 'said more than one thing' in remarks(graded, 'speaks for it')
    assert b_marks(graded, 'says a list') == ['0', 'wrong']


def test_a_check_that_was_deleted_is_done_at_the_end_and_names_taken_from_it_are_given_back(graded):
    assert a_marks(graded, 'deletes') == ['1', 'partly right']
    assert b_marks(graded, 'shadows') == ['1', 'right']


def test_a_spreadsheet_takes_no_name_for_a_formula(graded):
    assert b_marks(graded, '\'=HYPERLINK("x")') == ['1', 'right']


def test_each_student_has_a_page_with_what_the_checks_have_said(graded):
    page = (graded.folder / 'feedback/partly/feedback.html').read_text()
    assert f'<h2>{A}: 1 of 2 points</h2>' in page
    assert '<li>✓ question 1</li>\n<li>✗ question 2: it is &lt;not&gt; 7</li>' in page
    assert f'<h2>{B}: missing</h2>' in page
    assert '1 of 3 points in all' in page
    assert 'not attempted' in (graded.folder / 'feedback/untouched/feedback.html').read_text()
    assert (graded.folder / 'feedback/=HYPERLINK(_x_)/feedback.html').is_file()
    assert len(list((graded.folder / 'feedback').iterdir())) == len(graded.rows)


def test_nothing_is_left_beside_the_table(graded):
    left = {path.name for path in graded.folder.iterdir()}
    assert left == {'students', 'exercises', 'solutions', 'points.csv', 'feedback'}


def test_only_the_exercise_that_is_asked_for_is_graded(graded, tmp_path):
    write(tmp_path / 'in' / 'jane', B, exercise_b(FORTY_TWO))
    arguments = [tmp_path / 'in', '--exercises', graded.folder / 'exercises', '--out', tmp_path / 'b.csv']
    result = run(*arguments, '--only', B)
    assert result.returncode == 0, result.stderr
    assert (tmp_path / 'b.csv').read_text() == f'student,{B} (of 1),{B} status,total (of 1),remarks\njane,1,right,1,\n'
    result = run(*arguments, '--only', 'exercise-9')
    assert result.returncode == 1
    assert result.stderr == f'[grade] --only exercise-9: no such exercise; there are {A}, {B}\n'


@pytest.mark.parametrize(('name', 'says'), [('empty', 'holds no folder of a student'), ('none', 'is not a folder')])
def test_a_folder_without_students_is_a_clear_error_and_writes_nothing(tmp_path, name, says):
    (tmp_path / 'empty').mkdir()
    out = tmp_path / 'none.csv'
    result = run(tmp_path / name, '--out', out)
    assert result.returncode == 1
    assert re.match(rf'\[grade\] .* {says}', result.stderr)
    assert result.stderr.count('\n') == 1
    assert not out.exists()


def test_a_name_of_any_kind_is_one_folder():
    from feedback import folder_name

    assert [folder_name(name) for name in ('Jane Doe_1', '../../etc', 'a:b', '..')] == ['Jane Doe_1', '_.._etc', 'a_b', '_']


def test_the_originals_of_this_course_are_found():
    from grade import EXERCISES, read_exercises

    assert len(read_exercises(EXERCISES, [])) == len(list(Path(EXERCISES).glob('exercise-*.ipynb')))
