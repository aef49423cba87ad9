"""Whose a file is, by its name. The names are those that the platforms' documentation and users report."""

import pytest

from submissions import read_submissions

EXERCISES = ['exercise-2-threshold', 'exercise-3-repair']


def handed_in(folder, *names):
    """By student, the names of the files for exercise 2, the last attempt last."""
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text('')
    students = read_submissions(folder, EXERCISES)
    return {student.name: [path.name for path in student.handed_in(EXERCISES[0])] for student in students}


@pytest.mark.parametrize(
    ('name', 'student'),
    [
        ('doejane_1234_56789_exercise-2-threshold.ipynb', 'doejane_1234'),  # Canvas
        ('doejane_LATE_1234_56789_exercise-2-threshold-1.ipynb', 'doejane_1234'),
        ('Jane Doe_12345_assignsubmission_file_exercise-2-threshold.ipynb', 'Jane Doe'),  # Moodle
        ('Homework 2_jdoe_attempt_2026-11-28-12-00-00_exercise-2-threshold.ipynb', 'jdoe'),  # Blackboard
        ('doejane_1234_56789_notebooks_exercises_exercise-2-threshold.ipynb', 'doejane_1234'),  # from the browser edition
        ('notebooks_exercises_exercise-2-threshold.ipynb', 'flat'),
        ('exercise-2-threshold_jane.ipynb', 'jane'),
        ('Jane Doe - Exercise-2-Threshold (3).ipynb', 'Jane Doe'),
        ('exercise-2-threshold-Copy1.ipynb', 'flat'),
        ('exercise-2-threshold.ipynb', 'flat'),
    ],
)
def test_a_file_beside_others_belongs_to_the_student_in_its_name(tmp_path, name, student):
    assert handed_in(tmp_path / 'flat', name) == {student: [name]}


def test_files_of_one_student_are_one_student_however_their_numbers_differ(tmp_path):
    found = handed_in(
        tmp_path,
        'doejane_7_1_exercise-2-threshold.ipynb',
        'doejane_7_2_exercise-3-repair.ipynb',
        'roe_8_3_exercise-3-repair.ipynb',
    )
    assert found == {'doejane_7': ['doejane_7_1_exercise-2-threshold.ipynb'], 'roe_8': []}


def test_the_last_attempt_is_the_one_with_the_highest_number(tmp_path):
    names = ['exercise-2-threshold (10).ipynb', 'exercise-2-threshold (2).ipynb', 'exercise-2-threshold.ipynb']
    assert handed_in(tmp_path, *(f'jane/{name}' for name in names)) == {'jane': names[::-1]}


def test_a_folder_is_a_student_and_its_files_are_found_however_deep_and_renamed(tmp_path):
    found = handed_in(
        tmp_path,
        'Jane Doe_12345_assignsubmission_file_/exercise-2-threshold (1).ipynb',
        'roe/deep/er/exercise-2-threshold.ipynb',
        'roe/.ipynb_checkpoints/exercise-2-threshold-checkpoint.ipynb',
        'other/exercise-22-threshold.ipynb',
        '.hidden/exercise-2-threshold.ipynb',
    )
    assert found == {
        'Jane Doe_12345_assignsubmission_file_': ['exercise-2-threshold (1).ipynb'],
        'other': [],
        'roe': ['exercise-2-threshold.ipynb'],
    }
