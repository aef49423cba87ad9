"""scripts/grade.py with pretend students. Run by grade.test.mjs."""

import csv
import json
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

import nbformat

from jupyter_session import ROOT, register_kernels

GRADER = [sys.executable, str(ROOT / 'scripts/grade.py')]
POINTS = 'application/vnd.focal-loss-lab.points+json'


def setUpModule():
    unittest.addModuleCleanup(register_kernels().cleanup)


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
    "const answers{name} = [{answers}];\n"
    "const points{name} = answers{name}.filter((answer) => answer === 42).length;\n"
    "const verdicts{name} = answers{name}.map((answer) => {{\n"
    "  return {{ status: answer === 0 ? 'not attempted' : answer === 42 ? 'right' : 'wrong' }};\n}});\n"
    "displayBundle({{ 'text/plain': 'checked', '%s': {{ points: points{name}, verdicts: verdicts{name} }} }});" % POINTS
)
FIRST = CHECK.format(name='First', answers='one, two')
SECOND = CHECK.format(name='Second', answers='three()')


def exercise_a(one='0', two='0', check=FIRST):
    return [cell('answer', f'const one = {one};\nconst two = {two};'), cell('check-01', check, 2)]


def exercise_b(three='function three(): number { return 0; }', *between):
    return [cell('answer', three), *between, cell('check-01', SECOND, 1)]


FORTY_TWO = 'function three(): number { return 42; }'


class Grades(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory(prefix='grade-')
        cls.addClassCleanup(folder.cleanup)
        cls.folder = Path(folder.name)
        cls.students = cls.folder / 'students'
        cls.pretend_students()
        write(cls.folder / 'exercises', 'a', exercise_a())
        write(cls.folder / 'exercises', 'b', exercise_b())
        write(cls.folder / 'exercises', 'Untitled', [cell('notes', 'const x = 1;')])  # no exercise: it checks nothing
        write(cls.folder / 'exercises', 'a copy', exercise_a())  # nor is this: it has no solution
        for name in 'ab':
            write(cls.folder / 'solutions', name, exercise_a())
        cls.out = cls.folder / 'points.csv'
        cls.out.write_text('what was there before')
        arguments = ['--exercises', cls.folder / 'exercises', '--limit', '12', '--jobs', '2', '--out', cls.out]
        cls.result = subprocess.run(
            [*GRADER, *map(str, arguments), str(cls.students)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            timeout=500,
        )
        if cls.result.returncode == 0:
            with open(cls.out, newline='') as file:
                cls.rows = {row['student']: row for row in csv.DictReader(file)}

    @classmethod
    def pretend_students(cls):
        def student(name, a=None, b=None):
            folder = cls.students / name
            folder.mkdir(parents=True)
            if a is not None:
                write(folder, 'a', a)
            if b is not None:
                write(folder / 'deeper', 'b', b)

        student('full', exercise_a('42', '42'), exercise_b(FORTY_TWO))
        student('untouched', exercise_a(), exercise_b())
        student('partly', exercise_a('42', '7'), exercise_b(FORTY_TWO))
        student('missing', a=exercise_a('42', '42'))
        student('renamed', a=exercise_a('42', '42'))
        write(cls.students / 'renamed', 'b (1)', exercise_b(FORTY_TWO))
        # A cell that throws, and one that does not compile; the answers are in others.
        broken = [cell('x', "throw new Error('boom');"), cell('y', 'const text: string = 1;')]
        student('crashing', [*broken, *exercise_a('42', '42')], exercise_b('function three( {'))
        student('endless', [*exercise_a('42', '42'), cell('x', 'for (;;) {}')], exercise_b('for (;;) {}'))
        student('flooding', exercise_a('42', '42'), exercise_b("for (;;) console.log('x'.repeat(10000));"))
        student('dying', [*exercise_a('42', '42'), cell('x', 'process.exit(1);')], exercise_b(FORTY_TWO))
        cls.pretend_forgers(student)
        student('torn')
        cls.students.joinpath('torn/a.ipynb').write_text('{"cells": [')
        cls.students.joinpath('torn/b.ipynb').write_bytes(b'\xff\xfe\x00')
        student('=HYPERLINK("x")', exercise_a('42', '42'), exercise_b(FORTY_TWO))
        cls.students.joinpath('.hidden').mkdir()
        cls.students.joinpath('a file').write_text('')

    @staticmethod
    def pretend_forgers(student):
        bundle = json.dumps({'text/plain': '3 of 3 points', POINTS: {'points': 2, 'verdicts': []}})
        praise = f'{DISPLAY}displayBundle({bundle});'
        student('prints', [cell('x', praise), *exercise_a(check=praise)], exercise_b(cell('x', praise).source))
        # The check is copied under another id, changed, and the original deleted.
        student('deletes', [cell('answer', 'const one = 42;\nconst two = 0;'), cell('x', praise, 2)], exercise_b()[:1])
        # What the check calls says more than it was asked.
        forger = f'{praise}\nfunction three(): number {{ displayBundle({bundle}); return 0; }}'
        student('speaks for it', exercise_a(), exercise_b(forger))
        # And this one ends the kernel, so that nothing else is said.
        listed = json.dumps({'text/plain': '1 of 1 points', POINTS: [1]})
        liar = f'{DISPLAY}function three(): number {{ displayBundle({listed}); process.exit(1); }}'
        student('says a list', exercise_a('42', '42'), exercise_b(liar))
        # The name that the check uses is given to something else.
        shadow = cell('z', 'const displayBundle = (_bundle: object) => undefined;')
        student('shadows', exercise_a(), exercise_b(FORTY_TWO, shadow))

    def points(self, student):
        row = self.rows[student]
        return [int(row[column]) for column in ('a (of 2)', 'b (of 1)', 'total (of 3)')]

    def remarks(self, student):
        return self.rows[student]['remarks']

    def test_every_student_has_a_row_whatever_became_of_the_others(self):
        self.assertEqual(self.result.returncode, 0, self.result.stderr)
        names = {path.name for path in self.students.iterdir() if path.is_dir()} - {'.hidden'}
        self.assertEqual(set(self.rows), {name if name[0] != '=' else f"'{name}" for name in names})
        self.assertEqual(self.result.stdout.count('\n'), len(names) + 1)

    def test_answers_are_points(self):
        self.assertEqual(self.points('full'), [2, 1, 3])
        self.assertEqual(self.points('untouched'), [0, 0, 0])
        self.assertEqual(self.points('partly'), [1, 1, 2])
        for student in ('full', 'partly'):
            self.assertEqual(self.remarks(student), '')
        self.assertEqual(self.remarks('untouched'), 'a: not attempted; b: not attempted')

    def test_a_missing_or_torn_notebook_is_said_and_the_other_counts(self):
        self.assertEqual(self.points('missing'), [2, 0, 2])
        self.assertEqual(self.remarks('missing'), 'b: missing')
        self.assertEqual(self.points('torn'), [0, 0, 0])
        self.assertRegex(self.remarks('torn'), '^a: not a notebook: .*; b: not a notebook: ')

    def test_a_notebook_of_another_name_is_not_graded_but_named(self):
        self.assertEqual(self.points('renamed'), [2, 0, 2])
        self.assertIn('missing, but there is b (1).ipynb', self.remarks('renamed'))

    def test_a_cell_that_fails_or_does_not_compile_leaves_the_later_checks_their_points(self):
        self.assertEqual(self.points('crashing'), [2, 0, 2])
        self.assertRegex(self.remarks('crashing'), r'^a: cell \[1\]: boom; b: cell \[1\]: Line 1: ')

    def test_a_loop_without_end_costs_what_comes_after_it(self):
        self.assertEqual(self.points('endless'), [2, 0, 2])
        self.assertEqual(
            self.remarks('endless'),
            'a: cell [3]: stopped, the notebook took more than 12 s; b: cell [1]: stopped, the notebook took more than 12 s',
        )
        self.assertEqual(self.points('flooding'), [2, 0, 2])
        self.assertIn('b: cell [1]: stopped', self.remarks('flooding'))

    def test_so_does_a_kernel_that_dies(self):
        self.assertEqual(self.points('dying'), [2, 1, 3])
        self.assertEqual(self.remarks('dying'), 'a: cell [3]: the kernel died')

    def test_no_student_gives_points(self):
        self.assertEqual(self.points('prints'), [0, 0, 0])
        self.assertEqual(self.points('speaks for it'), [0, 0, 0])
        self.assertIn('said more than one thing', self.remarks('speaks for it'))
        self.assertEqual(self.points('says a list'), [2, 0, 2])

    def test_a_check_that_was_deleted_is_done_at_the_end_and_names_taken_from_it_are_given_back(self):
        self.assertEqual(self.points('deletes'), [1, 0, 1])
        self.assertEqual(self.points('shadows'), [0, 1, 1])

    def test_a_spreadsheet_takes_no_name_for_a_formula(self):
        self.assertEqual(self.points('\'=HYPERLINK("x")'), [2, 1, 3])

    def test_nothing_is_left_beside_the_table(self):
        self.assertEqual({path.name for path in self.folder.iterdir()}, {'students', 'exercises', 'solutions', 'points.csv'})
        self.assertEqual(list((ROOT / 'data/cache').glob('grading-*')), [])

    def test_a_folder_without_students_is_a_clear_error_and_writes_nothing(self):
        out = self.folder / 'none.csv'
        for folder, says in ((self.folder / 'exercises', 'holds no folder'), (self.folder / 'none', 'is not a folder')):
            result = subprocess.run(
                [*GRADER, str(folder), '--out', str(out)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
            )
            self.assertEqual(result.returncode, 1)
            self.assertRegex(result.stderr, f'^grade: .* {says}')
            self.assertEqual(result.stderr.count('\n'), 1)
            self.assertFalse(out.exists())


if __name__ == '__main__':
    unittest.main()
