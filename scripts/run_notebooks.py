"""Executes notebooks from top to bottom, each in a fresh kernel, and writes their outputs into them.

Fails on an error, on any text on stderr, on a cell that takes too long and on a kernel that dies; then the notebook is
left as it was. The environment reaches the kernel: FOCAL_PROFILE=paper python scripts/run_notebooks.py 03
What a notebook finds replaces the committed results in data/results; with --check they stay as they are.

Coursework: in the folder solutions every check has to give full points. In exercises, the students' copies, what each
check says is printed; a copy in which nothing is attempted is left as it was, and with --check all have to be such.
"""

import argparse
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from base64 import b64decode
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path

import nbclient
import nbformat
from jupyter_client.kernelspec import NoSuchKernel
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

import command

ROOT = Path(__file__).resolve().parent.parent
NOTEBOOKS = ROOT / 'notebooks'
RESULTS = ROOT / 'data/results'
POINTS = 'application/vnd.focal-loss-lab.points+json'  # what a check of the coursework leaves (lib/src/coursework)

# Errors of what the last cell has left behind come after it has ended.
SETTLE = 'await new Promise((resolve) => setTimeout(resolve, 300));'

# How long a kernel may take to answer, at each attempt: rarely one never does, and another will.
KERNEL_START_SECONDS = (60, 120)


class Failure(Exception):
    """What is wrong with a notebook, in lines for the reader."""


def main():
    signal.signal(signal.SIGINT, interrupt_once)
    signal.signal(signal.SIGTERM, interrupt_once)
    options = parse_arguments()
    try:
        paths = select(options.selectors)
    except Failure as failure:
        command.fail('notebooks', failure)
    jobs = min(options.jobs, len(paths))
    failed = sum(one_by_one(paths, options) if jobs == 1 else side_by_side(paths, options, jobs))
    print(f'{len(paths) - failed} passed, {failed} failed')
    sys.exit(1 if failed else 0)


def one_by_one(paths, options):
    """For each notebook, whether it failed."""
    for path in paths:
        start = time.monotonic()
        remarks, failure = [], None
        try:
            remarks = execute_file(path, options.timeout, write=not options.check)
        except Failure as error:
            failure = str(error)
        except KeyboardInterrupt:
            print(f'interrupted in {display_name(path)}, which is left as it was', flush=True)
            os._exit(command.INTERRUPTED)  # at once: nbclient has nothing left to clean up
        print(f'{"FAIL" if failure else "ok  "} {display_name(path)} {time.monotonic() - start:.1f} s', flush=True)
        for remark in remarks:
            print(f'     {remark}', flush=True)
        if failure:
            kept = '' if options.check else '\nThe file keeps the outputs that it had.'
            print('     ' + (failure + kept).replace('\n', '\n     '), flush=True)
        yield failure is not None


def side_by_side(paths, options, jobs):
    """The same, each notebook in a process of its own, which prints for itself."""
    check = ['--check'] if options.check else []
    program = [sys.executable, __file__, *check, '--timeout', str(options.timeout)]

    processes = []

    def execute_alone(path):
        process = subprocess.Popen([*program, str(path)], stdout=subprocess.PIPE, text=True)
        processes.append(process)
        report = process.communicate()[0].rstrip('\n').rpartition('\n')[0]  # the last line sums up this one notebook
        print(report or f'FAIL {display_name(path)}: ended without a report', flush=True)
        return process.returncode != 0

    with ThreadPoolExecutor(jobs) as pool:
        running = [pool.submit(execute_alone, path) for path in paths]
        try:
            yield from (result.result() for result in running)
        except KeyboardInterrupt:
            for process in processes:
                process.terminate()  # those that the terminal has not reached
            print('interrupted', flush=True)
            os._exit(command.INTERRUPTED)


def interrupt_once(_signal, _frame):
    """Ctrl-C reaches this process from the terminal and once more through npm: the second must not break the clean-up."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    raise KeyboardInterrupt


def parse_arguments():
    parser = command.Parser('notebooks', description=__doc__.split('\n')[0])
    parser.add_argument('selectors', nargs='*', metavar='NOTEBOOK', help='03, index, a file or a folder (default: all)')
    parser.add_argument('--check', action='store_true', help='leave the files alone')
    parser.add_argument('--jobs', type=int, choices=range(1, 65), default=1, metavar='N', help='notebooks at a time')
    parser.add_argument('--timeout', type=seconds, default=1800, metavar='SECONDS', help='per cell; 0 means no limit')
    return parser.parse_args()


def seconds(text):
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f'{text!r} is not a whole number of seconds')
    return int(text)


def select(selectors):
    """The notebooks meant, the map first, each once."""
    found = {path: None for selector in selectors or [NOTEBOOKS] for path in matches(selector)}
    return list(found)


def matches(selector):
    path = Path(selector)
    if path.is_file():
        return [path.resolve()]
    if path.is_dir():
        return notebooks_under(path.resolve())
    everything = {path: short_name(path) for path in notebooks_under(NOTEBOOKS)}
    begins = re.compile(rf'(.*/)?{re.escape(selector)}(-.*)?')
    chosen = [path for path, name in everything.items() if begins.fullmatch(name)]
    if not chosen:
        raise Failure(f'no notebook {str(selector)!r}; there are {", ".join(everything.values())}')
    return chosen


def short_name(path):
    """'03-mnist-classification', 'exercises/exercise-1-gradient'"""
    return str(path.relative_to(NOTEBOOKS).with_suffix(''))


def notebooks_under(folder):
    paths = [p for p in folder.rglob('*.ipynb') if '.ipynb_checkpoints' not in p.parts]
    if not paths:
        raise Failure(f'no notebook in {folder}')
    return sorted(paths, key=lambda p: (p.parent, p.stem != 'index', p.name))


def display_name(path):
    return path.relative_to(ROOT) if path.is_relative_to(ROOT) else path


def execute_file(path, timeout, write):
    """Executes one notebook, and replaces it if all went well. Raises Failure otherwise.

    Returns what the checks of an exercise say, in lines for the reader.
    """
    try:
        notebook = nbformat.read(path, as_version=4)
        nbformat.validate(notebook)
    except Exception as error:
        raise Failure(f'not a notebook: {first_line(str(error))}') from None
    coursework = path.parent.name
    try:
        if write and coursework != 'exercises':
            execute(notebook, path.parent, timeout, {'FOCAL_RESULTS_DIR': str(RESULTS)})  # the committed ones
        else:
            with tempfile.TemporaryDirectory(prefix='results-') as results:
                execute(notebook, path.parent, timeout, {'FOCAL_RESULTS_DIR': results})
    except Failure as failure:  # of a later cell: what the checks before it have said is worth knowing
        said = [told(verdict) for cell in code_cells(notebook) for verdict in said_by(cell)]
        raise Failure('\n'.join([str(failure), *said])) from None
    verdicts = verdicts_of(notebook)
    if coursework == 'solutions':
        expect(verdicts, 'right')
    if coursework == 'exercises' and not write:
        expect(verdicts, 'not attempted')
    untouched = coursework == 'exercises' and all(verdict['status'] == 'not attempted' for verdict in verdicts)
    if not write or untouched:
        return []
    replace_all(path, notebook)
    return [told(verdict) for verdict in verdicts] if coursework == 'exercises' else []


def replace_all(path, notebook):
    """The notebook, and the pictures that other pages show."""
    make_reproducible(notebook)
    pictures = figures(notebook)
    replace(path, (nbformat.writes(notebook) + '\n').encode())
    for name, picture in pictures.items():
        folder = path.parent / 'figures'
        folder.mkdir(exist_ok=True)
        replace(folder / f'{name}.png', picture)


def verdicts_of(notebook):
    """What the checks of coursework say, one for each point."""
    verdicts = []
    for cell in code_cells(notebook):
        if 'check' not in cell.metadata:
            continue
        found = said_by(cell)
        of = cell.metadata.check.points
        if len(found) != of:
            raise Failure(f'check {cell.id} gives {len(found)} verdicts, and its metadata {of} points')
        verdicts += found
    return verdicts


def said_by(cell):
    return [verdict for points in points_of(cell) for verdict in points['verdicts']]


def expect(verdicts, status):
    for verdict in verdicts:
        if verdict['status'] != status:
            raise Failure(f'{verdict["question"]}: expected {status}, got {verdict["status"]}: {verdict["remark"]}')


def told(verdict):
    return f'{verdict["question"]}: {verdict["status"]}' + (f': {verdict["remark"]}' if verdict['remark'] else '')


def points_of(cell):
    return [output.data[POINTS] for output in cell.outputs if POINTS in output.get('data', {})]


def execute(notebook, folder, timeout, variables):
    for cell in code_cells(notebook):
        cell.outputs, cell.execution_count = [], None

    def create(**start):
        resources = {'metadata': {'path': str(folder)}}
        return nbclient.NotebookClient(notebook, timeout=timeout or None, resources=resources, **start)

    with started(create, {**os.environ, **variables}) as client:
        execute_cells(client, notebook)


@contextmanager
def started(create, variables):
    """A client of a kernel that answers: in nbclient's words, `create` makes one that is not started yet."""
    for start_seconds in KERNEL_START_SECONDS:
        client = create(kernel_name='tslab', startup_timeout=start_seconds, record_timing=False, shutdown_kernel='immediate')
        with ExitStack() as stack:
            try:
                stack.enter_context(client.setup_kernel(env=variables))
            except NoSuchKernel:
                raise Failure("Jupyter has no kernel 'tslab': npm start installs it") from None
            except RuntimeError as error:
                reason = error
                continue
            yield client
            return
    raise Failure(f'the kernel did not start: {reason}')


def execute_cells(client, notebook):
    stderr = listen_to_stderr(client)
    reply = client.wait_for_reply(client.kc.kernel_info())
    notebook.metadata.language_info = reply['content']['language_info']
    number = 0
    for index, cell in enumerate(notebook.cells):
        if cell.cell_type == 'code' and cell.source.strip():
            number += 1
            execute_cell(client, cell, index, stderr, f'cell [{number}]: {first_line(cell.source)}')
    settle = nbformat.v4.new_code_cell(SETTLE)
    notebook.cells.append(settle)
    execute_cell(client, settle, len(notebook.cells) - 1, stderr, 'after the last cell')
    notebook.cells.pop()


def listen_to_stderr(client):
    """A list that grows with every text on stderr: nbclient drops what arrives between two cells."""
    texts = []
    channel = client.kc.iopub_channel
    receive = channel.get_msg

    async def get_msg(*args, **kwargs):
        message = await receive(*args, **kwargs)
        if message['msg_type'] == 'stream' and message['content']['name'] == 'stderr':
            texts.append(message['content']['text'])
        return message

    channel.get_msg = get_msg
    return texts


def execute_cell(client, cell, index, stderr, title):
    problem = None
    try:
        client.execute_cell(cell, index)
    except CellExecutionError:
        error = next(output for output in cell.outputs if output.output_type == 'error')
        problem = plain('\n'.join(error.traceback))
    except CellTimeoutError:
        problem = f'took more than {client.timeout} s (--timeout)'
    except DeadKernelError:
        problem = 'the kernel died'
    printed = f'wrote to stderr: {plain("".join(stderr)).rstrip()}' if stderr else None
    if problem or printed:
        raise Failure('\n'.join(filter(None, [title, problem, printed])))


def plain(text):
    return re.sub(r'\x1b\[[0-9;]*m', '', text)


def first_line(text):
    return next((line.strip() for line in text.split('\n') if line.strip()), '')


def make_reproducible(notebook):
    """Leaves only what the next execution gives again, in the form in which JupyterLab writes it."""
    language_info = notebook.metadata.language_info
    kernelspec = {'name': 'tslab', 'display_name': 'TypeScript', 'language': 'typescript'}
    notebook.metadata.update(kernelspec=kernelspec, language_info=language_info)
    for cell in notebook.cells:
        cell.metadata.pop('execution', None)
        cell.metadata.pop('trusted', None)
    for cell in code_cells(notebook):
        cell.outputs = merge_streams(cell.outputs)


def merge_streams(outputs):
    """How a stream is cut into messages is a matter of timing."""
    merged = []
    for output in outputs:
        last = merged[-1] if merged else None
        if output.output_type == 'stream' and last and last.output_type == 'stream' and last.name == output.name:
            last.text += output.text
        else:
            merged.append(output)
    return merged


def figures(notebook):
    """The pictures of cells whose metadata name a figure, {"figure": "NAME"}, by that name: the README shows them."""
    found = {}
    for cell in code_cells(notebook):
        if name := cell.metadata.get('figure'):
            pictures = [output.data['image/png'] for output in cell.outputs if 'image/png' in output.get('data', {})]
            if len(pictures) != 1:
                raise Failure(f'the cell of figure {name!r} shows {len(pictures)} pictures instead of one')
            found[name] = b64decode(pictures[0])
    return found


def code_cells(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == 'code']


def replace(path, content):
    """Writes the whole file or nothing."""
    partial = path.with_name(f'.{path.name}.{os.getpid()}.partial')
    try:
        partial.write_bytes(content)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


if __name__ == '__main__':
    main()
