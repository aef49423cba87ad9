"""What nbgrader has to know about these notebooks. The exporter puts this file next to nbgrader_config.py.

Without it nbgrader gives full points to everybody: a check of these notebooks says what is wrong and does not throw, and
nbgrader takes a cell that does not throw for a right answer.
"""

import re

from nbformat.v4 import new_output
from nbgrader.preprocessors import NbGraderPreprocessor

POINTS = 'application/vnd.focal-loss-lab.points+json'
MARK = re.compile(r'\s*(?:// |<!-- )(BEGIN SOLUTION|END SOLUTION)(?: -->)?')
STUB = re.compile(r'(\s*)(?:// STUB: (.*)|<!-- STUB: (.*) -->)')


class StudentsCopy(NbGraderPreprocessor):
    """Leaves out what is between BEGIN SOLUTION and END SOLUTION; the STUB lines after it take its place.

    In the place of nbgrader's ClearSolutions, which has one stub for all cells.
    """

    def preprocess_cell(self, cell, resources, index):
        kept, inside = [], False
        for line in cell.source.split('\n'):
            if mark := MARK.fullmatch(line):
                inside = mark[1].startswith('BEGIN')
            elif stub := STUB.fullmatch(line):
                kept.append(stub[1] + (stub[2] or stub[3] or ''))
            elif not inside:
                kept.append(line)
        if inside:
            raise ValueError(f'cell {cell.id}: a solution has no end')
        cell.source = '\n'.join(kept)
        return cell, resources


class PointsOfChecks(NbGraderPreprocessor):
    """Gives a check the one output in which nbgrader looks for partial credit: the points that it has shown.

    A check that says nothing, fails, or says two things (what it calls is the student's) gives no points.
    """

    def preprocess_cell(self, cell, resources, index):
        ours = cell.metadata.get('nbgrader', {})
        if cell.cell_type != 'code' or not ours.get('grade') or ours.get('solution'):
            return cell, resources
        points = points_of(cell, ours['points'])
        for output in cell.outputs:
            if output.output_type == 'stream':
                output.name = 'stdout'  # nbgrader takes a word on stderr for a failure
        kept = [output for output in cell.outputs if output.output_type not in ('execute_result', 'error')]
        failures = [output for output in cell.outputs if output.output_type == 'error']
        credit = new_output('execute_result', {'text/plain': str(points)}, execution_count=cell.execution_count)
        cell.outputs = [*failures, credit, *kept]
        return cell, resources


def points_of(cell, most):
    said = [output.data[POINTS] for output in cell.outputs if POINTS in output.get('data', {})]
    failed = any(output.output_type == 'error' for output in cell.outputs)
    points = said[0].get('points') if len(said) == 1 and isinstance(said[0], dict) and not failed else None
    return points if isinstance(points, int) and 0 <= points <= most else 0
