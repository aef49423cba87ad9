"""Which file is whose, and which exercise it is, from the names that students and learning platforms give.

A platform puts a folder for each student into one, or puts the students' files side by side with the name of the student
before that of the notebook (Canvas, Moodle, Blackboard); a browser or a second attempt adds a number.
"""

import re
from dataclasses import dataclass, field
from pathlib import Path

from run_notebooks import Failure

# What platforms write between the name of the student and that of the file: numbers that differ from file to file.
CANVAS = re.compile(r'(?P<student>[^_]+)(_LATE)?_(?P<id>\d+)_\d+_')  # doejane_LATE_1234_56789_exercise-…
MOODLE = re.compile(r'(?P<student>[^_]+)_\d+_assignsubmission_[a-z]+_')  # Jane Doe_12345_assignsubmission_file_exercise-…
BLACKBOARD = re.compile(r'.*?_(?P<student>[^_]+)_attempt_[\d-]+_')  # Homework 2_jdoe_attempt_2026-11-28-12-00-00_exercise-…
DOWNLOADED = re.compile(r'notebooks[^A-Za-z0-9]exercises[^A-Za-z0-9]$')  # from the browser edition
COPY = re.compile(r'[ _-]*(?:\((\d+)\)|[-_](\d{1,2})|[-_ ]?copy ?(\d*))$', re.IGNORECASE)  # of a browser, Canvas, JupyterLab


@dataclass
class Student:
    name: str
    files: list[Path] = field(default_factory=list)

    def handed_in(self, exercise):
        """The files that are this exercise by their names, the last attempt last."""
        found = [path for path in self.files if parse(path.stem, exercise)]
        return sorted(found, key=lambda path: (parse(path.stem, exercise)[1], path.stat().st_mtime, path.name))


def parse(stem, exercise):
    """What a name says besides the exercise: (student or '', number of the copy); None if it is another one's name."""
    found = re.search(rf'(?<![A-Za-z0-9]){re.escape(exercise)}(?![A-Za-z0-9])', stem, re.IGNORECASE)
    if not found:
        return None
    before, after = DOWNLOADED.sub('', stem[: found.start()]), stem[found.end() :]
    number = 0
    if copy := COPY.search(after):
        number = int(next((digits for digits in copy.groups() if digits), 1))
        after = after[: copy.start()]
    return student_of(before) or after.strip(' _-'), number


def student_of(before):
    if canvas := CANVAS.fullmatch(before):
        return f'{canvas["student"]}_{canvas["id"]}'
    if other := MOODLE.fullmatch(before) or BLACKBOARD.fullmatch(before):
        return other['student']
    return before.strip(' _-')


def read_submissions(folder, exercises):
    """The students of a folder of folders, of files, or of both, by name.

    A file next to the folders belongs to the student whom its name tells, and where it tells none, all of them are one
    student's: that of the folder. Raises Failure where there is nobody.
    """
    if not folder.is_dir():
        raise Failure(f'{folder} is not a folder')
    students = {}
    for path in sorted(folder.iterdir()):
        if path.name.startswith('.'):
            continue
        if path.is_dir():
            students[path.name] = Student(path.name, notebooks_in(path))
        elif path.suffix == '.ipynb':
            parsed = next(filter(None, (parse(path.stem, exercise) for exercise in exercises)), None)
            if parsed:
                name = parsed[0] or folder.resolve().name
                students.setdefault(name, Student(name)).files.append(path)
    if not students:
        raise Failure(f'{folder} holds no folder of a student, and no notebook of an exercise')
    return [students[name] for name in sorted(students)]


def notebooks_in(folder):
    return sorted(
        path
        for path in folder.rglob('*.ipynb')
        if path.is_file() and not any(part.startswith('.') for part in path.relative_to(folder).parts)
    )
