"""python census.py MODULE FUNCTION...: measures the implementations that these functions of a module return.

Prints one line of JSON: {settings, versions, rows}, with an infinite error as the text "Infinity".
"""

import importlib
import json
import math
import platform
import sys

from measure import ERRORS, SETTINGS, measure


def rows_of(implementation):
    for dtype in SETTINGS['dtypes']:
        for gamma in SETTINGS['gammas']:
            for label in SETTINGS['labels']:
                row = implementation.description() | measure(implementation.evaluate, label, gamma, dtype)
                if label not in implementation.focal:
                    row |= dict.fromkeys(ERRORS)
                yield {name: 'Infinity' if value == math.inf else value for name, value in row.items()}


def main(module, names):
    losses = importlib.import_module(module)
    framework, version = losses.FRAMEWORK
    rows = []
    for name in names:
        found = getattr(losses, name)()
        for implementation in found if isinstance(found, list) else [found]:
            rows += [row | {'framework': f'{framework} {version}'} for row in rows_of(implementation)]
    versions = {framework: version, 'Python': platform.python_version()}
    print(json.dumps({'settings': SETTINGS, 'versions': versions, 'rows': rows}, allow_nan=False))


if __name__ == '__main__':
    main(sys.argv[1], sys.argv[2:])
