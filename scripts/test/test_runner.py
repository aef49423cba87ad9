"""scripts/run_notebooks.py, from outside but for what cannot be made to happen."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import nbformat
import pytest

import run_notebooks as runner
from jupyter_session import ROOT, ends_within

# These parts of the library load no TensorFlow, which a test of the runner would wait for.
IMPORTS = ''.join(
    f"import {{ {name} }} from 'focal-loss-lab/dist/display/{file}';\n"
    for name, file in (('breathe', 'breathe'), ('check', 'check'), ('Progress', 'progress'), ('show', 'table'))
)
POINTS = 'application/vnd.focal-loss-lab.points+json'
RUNNER = [sys.executable, str(ROOT / 'scripts/run_notebooks.py')]


def write_notebook(folder, name, *cells):
    v4 = nbformat.v4
    notebook = v4.new_notebook(cells=[v4.new_markdown_cell('# A notebook'), *map(v4.new_code_cell, cells)])
    path = Path(folder, f'{name}.ipynb')
    nbformat.write(notebook, path)
    return path


def says(status):
    """A cell that says it of question 1.1, as the checks of the coursework do."""
    said = {'text/plain': status, POINTS: {'verdicts': [{'question': '1.1', 'status': status, 'remark': 'boom'}]}}
    return f"import {{ displayBundle }} from 'focal-loss-lab/dist/display/bundle';\ndisplayBundle({json.dumps(said)});"


def run(*arguments):
    return subprocess.run([*RUNNER, *map(str, arguments)], capture_output=True, text=True, timeout=900)


def test_it_fails_on_each_thing_that_a_reader_would_stumble_over_and_leaves_the_file_alone(tmp_path):
    bad = {
        'error': (
            [says('right'), "// The next line throws.\nthrow new RangeError('boom');"],
            'cell [2]: // The next line throws.\nRangeError: boom\n    at cell [2], line 2\n1.1: right: boom\n',
        ),
        'types': (['const word: string = 1;'], "cell [1]: const word: string = 1;\nLine 1: Type 'number' is not"),
        'stderr': (["console.error('careful');"], "cell [1]: console.error('careful');\nwrote to stderr: careful"),
        'late': (
            ["setTimeout(() => { throw new Error('late'); }, 100);\nvoid 0;"],
            'after the last cell\nwrote to stderr: Uncaught, begun in cell [1]: Error: late',
        ),
        'rejected': (
            ["void Promise.reject(new Error('lost'));", '2'],
            'wrote to stderr: Unhandled rejection, begun in cell [1]: Error: lost',
        ),
        'unmet': (
            ["import { check } from 'focal-loss-lab/dist/display/check';\ncheck({ 'one is two': 1 + 0 === 2 });"],
            'Error: does not hold: one is two',
        ),
        'dead': (['1', 'process.exit(3);'], 'cell [2]: process.exit(3);\nthe kernel died'),
    }
    paths = {name: write_notebook(tmp_path, name, *cells) for name, (cells, _) in bad.items()}
    before = {name: path.read_bytes() for name, path in paths.items()}
    result = run(tmp_path)
    assert result.returncode == 1, result.stderr
    assert result.stdout.split('\n')[-2] == f'0 passed, {len(bad)} failed'
    reports = re.split(r'^FAIL .*/(\w+)\.ipynb \d+\.\d s\n', result.stdout, flags=re.M)
    reports = {name: re.sub('^     ', '', text, flags=re.M) for name, text in zip(reports[1::2], reports[2::2], strict=True)}
    for name, (_, expected) in bad.items():
        assert expected in reports[name]
        assert paths[name].read_bytes() == before[name]
    assert {path.name for path in tmp_path.iterdir()} == {f'{name}.ipynb' for name in bad}


def test_a_cell_that_takes_too_long_fails(tmp_path):
    path = write_notebook(tmp_path, 'slow', '1', 'await new Promise(() => {});')
    result = run('--timeout', 3, path)
    assert result.returncode == 1
    assert 'cell [2]: await new Promise(() => {});\n     took more than 3 s (--timeout)\n' in result.stdout


def test_a_good_notebook_refreshes_the_committed_results_is_written_the_same_every_time_and_not_at_all_with_check(tmp_path):
    path = write_notebook(
        tmp_path,
        'good',
        f"{IMPORTS}console.log('a');\nconsole.log(process.env.FOCAL_RESULTS_DIR);",
        '',
        'const progress = new Progress(50);\n'
        'for (let step = 1; step <= 50; step++) {\n'
        '  await breathe();\n  await new Promise((resolve) => setTimeout(resolve, 5));\n  progress.update(step);\n}\n'
        "progress.done('50 steps');\nshow([{ x: 1, y: 0.5 }]);\ncheck({ 'one is one': 1 + 0 === 1 });",
    )
    empty = path.read_bytes()
    ids = [cell.id for cell in nbformat.read(path, 4).cells]
    result = run('--check', path)
    assert result.returncode == 0, result.stdout
    assert re.search(r'^ok   .*/good\.ipynb \d+\.\d s\n1 passed, 0 failed\n$', result.stdout)
    assert path.read_bytes() == empty

    assert run(path).returncode == 0
    once = path.read_bytes()
    assert run(path).returncode == 0
    assert path.read_bytes().decode() == once.decode()

    notebook = nbformat.read(path, 4)
    assert [cell.id for cell in notebook.cells] == ids
    assert [c.execution_count for c in notebook.cells if c.cell_type == 'code'] == [1, None, 2]
    assert notebook.metadata.kernelspec == {'name': 'tslab', 'display_name': 'TypeScript', 'language': 'typescript'}
    assert notebook.metadata.language_info.version == '3.7.2'
    assert [output.text for output in notebook.cells[1].outputs] == [f'a\n{ROOT / "data/results"}\n']
    done, table, claims = (output.data for output in notebook.cells[3].outputs)
    assert done == {'text/plain': '50 steps'}
    assert 'text/html' in table
    assert claims == {'text/plain': '✓ one is one'}


def test_with_check_a_notebook_keeps_its_results_apart_from_the_committed_ones(tmp_path):
    empty = write_notebook(
        tmp_path,
        'checked',
        "import { readdirSync, writeFileSync } from 'node:fs';\n"
        'const folder = process.env.FOCAL_RESULTS_DIR!;\n'
        "if (readdirSync(folder).length > 0) throw new Error('not empty');\n"
        "writeFileSync(`${folder}/written-by-a-check`, '');",
    )
    result = run('--check', empty)
    assert result.returncode == 0, result.stdout
    assert not (ROOT / 'data/results/written-by-a-check').exists()


def test_coursework_has_full_points_in_the_solutions_and_is_not_attempted_in_the_exercises(tmp_path):
    def write_check(folder, name, status, points=1):
        (tmp_path / folder).mkdir(exist_ok=True)
        path = write_notebook(tmp_path / folder, name, says(status))
        notebook = nbformat.read(path, 4)
        notebook.cells[1].metadata.check = {'points': points}
        nbformat.write(notebook, path)
        return path

    written = write_check('solutions', 'a', 'right')
    left = write_check('exercises', 'a', 'not attempted')
    before = left.read_bytes()
    write_check('solutions', 'b', 'wrong')
    write_check('solutions', 'c', 'right', points=2)
    solved = write_check('exercises', 'd', 'wrong')
    unsolved = solved.read_bytes()
    result = run('--check', solved)
    assert solved.read_bytes() == unsolved
    assert '1.1: expected not attempted, got wrong: boom' in result.stdout
    result = run(tmp_path)
    assert result.stdout.count('\nFAIL') == 2, result.stdout
    assert result.stdout.endswith('3 passed, 2 failed\n'), result.stdout
    assert '1.1: expected right, got wrong: boom' in result.stdout
    assert re.search(r'check \w+ gives 1 verdicts, and its metadata 2 points', result.stdout)
    assert re.search(r'(?m)^ok   .*/exercises/d\.ipynb .* s\n     1\.1: wrong: boom$', result.stdout)
    assert nbformat.read(solved, 4).cells[1].execution_count == 1
    assert nbformat.read(written, 4).cells[1].execution_count == 1
    assert left.read_bytes() == before


def test_ctrl_c_ends_it_at_once_with_its_kernel_and_writes_nothing(tmp_path):
    marker = tmp_path / 'kernel.pid'
    path = write_notebook(
        tmp_path,
        'long',
        f"require('node:fs').writeFileSync({str(marker)!r}, String(process.pid));\nfor (;;) {{}}",
    )
    before = path.read_bytes()
    with subprocess.Popen([*RUNNER, str(path)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        while not (marker.exists() and marker.read_text()):
            assert process.poll() is None, process.communicate()
            time.sleep(0.05)
        kernel = int(marker.read_text())
        process.send_signal(signal.SIGINT)
        process.send_signal(signal.SIGINT)
        output, errors = process.communicate(timeout=30)
    gone = ends_within(kernel, 10)
    if not gone:
        os.kill(kernel, signal.SIGKILL)
    assert gone
    assert process.returncode == 130
    assert 'left as it was' in output
    assert 'Traceback' not in errors
    assert path.read_bytes() == before


def test_with_jobs_it_runs_notebooks_side_by_side_and_reports_each_as_it_ends(tmp_path):
    meet = "import fs from 'node:fs';\nfs.writeFileSync(MINE, '');\nwhile (!fs.existsSync(OTHER)) await new Promise((r) => setTimeout(r, 50));"
    flags = [repr(str(tmp_path / name)) for name in 'xy']  # each waits for the other: alone it would time out
    write_notebook(tmp_path, 'a', meet.replace('MINE', flags[0]).replace('OTHER', flags[1]))
    write_notebook(tmp_path, 'b', meet.replace('MINE', flags[1]).replace('OTHER', flags[0]), "throw new Error('b');")
    result = run('--jobs', 2, '--timeout', 300, tmp_path)
    assert result.returncode == 1
    assert re.search(r'(?m)^ok   \S+a\.ipynb .* s$', result.stdout)
    assert re.search(r'(?m)^FAIL \S+b\.ipynb .* s\n     cell \[2\]: .*\n     Error: b$', result.stdout)
    assert result.stdout.endswith('\n1 passed, 1 failed\n'), result.stdout


def test_a_file_that_is_no_notebook_fails(tmp_path):
    tmp_path.joinpath('torn.ipynb').write_text('{"cells": [')
    result = run(tmp_path)
    assert result.returncode == 1
    assert 'not a notebook' in result.stdout


def test_a_selector_that_matches_nothing_is_a_clear_error(tmp_path):
    for arguments in (['99'], [tmp_path]):
        result = run(*arguments)
        assert (result.returncode, result.stdout) == (1, '')
        assert re.search(r"^\[notebooks\] no notebook ('99'; there are index, 01-|in /)", result.stderr)
        assert result.stderr.count('\n') == 1


def pretend(failures):
    """Makes clients of a kernel that does not answer the first times, and says how long each would wait."""
    waits = []

    class Client:
        @contextmanager
        def setup_kernel(self, env):
            if len(waits) <= failures:
                raise RuntimeError("Kernel didn't respond")
            yield

    def create(startup_timeout, **_):
        waits.append(startup_timeout)
        return Client()

    return create, waits


def test_a_kernel_that_does_not_answer_is_replaced_once():
    for failures, expected in ((0, [60]), (1, [60, 120])):
        create, waits = pretend(failures)
        with runner.started(create, {}):
            assert waits == expected
    create, waits = pretend(2)
    message = "the kernel did not start: Kernel didn't respond"
    with pytest.raises(runner.Failure, match=message), runner.started(create, {}):
        pytest.fail('it has not started')


def test_what_fails_in_a_started_kernel_is_not_repeated():
    create, waits = pretend(0)
    with pytest.raises(RuntimeError, match='later'), runner.started(create, {}):
        raise RuntimeError('later')
    assert waits == [60]
