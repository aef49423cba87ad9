"""A page for each student: the points, and what the checks have said."""

import re
from html import escape

MARKS = {'right': '✓', 'wrong': '✗', 'not attempted': '–'}

PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
body {{ font: 16px/1.5 sans-serif; max-width: 45em; margin: 2em auto; padding: 0 1em; color: #222; background: white }}
h2 {{ margin: 1.5em 0 .3em; font-size: 1.1em }}
ul {{ list-style: none; padding: 0; margin: 0 }}
li {{ padding-left: 1.5em; text-indent: -1.5em; margin: .3em 0 }}
.remark {{ color: #555 }}
</style>
<h1>{title}</h1>
<p>{total}</p>
{exercises}
</html>
"""

EXERCISE = """<h2>{name}: {points}</h2>
{remark}<ul>
{lines}
</ul>"""


def page(student, results):
    """HTML; nothing in it comes from a student without being escaped."""
    title = f'Feedback for {escape(student)}'
    points, of = sum(result.points for result in results), sum(result.of for result in results)
    exercises = '\n'.join(map(section, results))
    return PAGE.format(title=title, total=f'{points} of {of} points in all', exercises=exercises)


def section(result):
    remark = f'<p class="remark">{escape(result.remark)}</p>\n' if result.remark else ''
    lines = '\n'.join(f'<li>{escape(line)}</li>' for line in map(told, result.verdicts))
    points = 'missing' if result.status == 'missing' else f'{result.points} of {result.of} points'
    return EXERCISE.format(name=escape(result.exercise), points=points, remark=remark, lines=lines)


def told(verdict):
    mark = MARKS.get(verdict['status'], '')
    said = [verdict['status'] if verdict['status'] == 'not attempted' else '', verdict['remark']]
    return ': '.join(filter(None, [f'{mark} {verdict["question"]}'.strip(), *said]))


def folder_name(student):
    """A name that is one folder, wherever it is unpacked."""
    return re.sub(r'[\\/:*?"<>|\x00-\x1f]', '_', student).strip('. ') or '_'
