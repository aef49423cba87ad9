"""In nbgrader's own environment: generate COURSE ASSIGNMENT..., or grade COURSE ASSIGNMENT, which prints what formgrader shows."""

import json
import os
import sys
from pathlib import Path

from nbgrader.apps import NbGraderAPI
from nbgrader.coursedir import CourseDirectory
from traitlets.config.loader import PyFileConfigLoader

action, course, *assignments = sys.argv[1:]
os.chdir(course)
config = PyFileConfigLoader('nbgrader_config.py', path=course).load_config()
api = NbGraderAPI(CourseDirectory(config=config), config=config)


def must(result):
    if not result['success']:
        sys.exit(result.get('error') or result.get('log'))


for assignment in assignments:
    if action == 'generate':
        must(api.generate_assignment(assignment))
        continue
    for student in sorted(path.name for path in Path('submitted').iterdir()):
        if api.autograde(assignment, student)['success']:  # it gives up where a kernel dies
            must(api.generate_feedback(assignment, student))
    print(json.dumps({each['student']: each for each in api.get_submissions(assignment) if each['autograded']}))
