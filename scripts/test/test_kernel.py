"""The kernel through Jupyter's own client."""

import os
import re
import signal
import subprocess
import sys
import time
from types import SimpleNamespace

import pytest

from jupyter_session import REPLY_SECONDS, ROOT, Session, ends_within

IMPORTS = (
    "import { breathe, lastRun, lenet, sigmoidFocalLoss, tf, toDataFrame, train } from 'focal-loss-lab';\n"
    'let steps = 0;\n'
    'const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));\n'
    'const loop = async (ms: number) => {\n'
    '  for (;;) {\n    await breathe();\n    steps++;\n    await sleep(ms);\n  }\n};\n'
    'const tensor = tf.tensor1d([-1.4e-13, 2]);'
)


@pytest.fixture(scope='module')
def home(tmp_path_factory):
    """A folder that is not in the clone: a student's home, a course's exchange, a download."""
    folder = tmp_path_factory.mktemp('home')
    (folder / 'node_modules').mkdir()  # of the student's own
    return folder


@pytest.fixture(scope='module')
def kernel(home, kernels):
    """A kernel that most tests share, since a start takes seconds; and what the first cell gave."""
    session = Session(cwd=home)
    yield SimpleNamespace(session=session, imported=session.run(IMPORTS))
    session.close()


@pytest.fixture
def session(kernel):
    return kernel.session


@pytest.fixture
def start():
    """Starts a kernel for one test."""
    sessions = []

    def started(**options):
        sessions.append(Session(**options))
        return sessions[-1]

    yield started
    for session in sessions:
        session.close()


def test_cells_are_numbered(session):
    first, second = session.run('1'), session.run('null!.x')
    count = first.reply['execution_count']
    assert first.contents('execute_input') == [{'code': '1', 'execution_count': count}]
    assert second.reply['execution_count'] == count + 1, 'a cell that fails has a number too'


def test_a_thrown_error_is_an_error_output_that_names_the_line(session):
    result = session.run('const lost: number = 1;\n\nthrow new TypeError(`boom ${lost}`);')
    assert result.status == 'error'
    (error,) = result.contents('error')
    assert (error['ename'], error['evalue']) == ('TypeError', 'boom 1')
    count = result.reply['execution_count']
    assert error['traceback'] == ['TypeError: boom 1', f'    at cell [{count}], line 3']
    assert result.text('stderr') == ''


def test_a_stack_names_the_cells_it_goes_through_and_a_cause_is_shown(session):
    defining = session.run(
        'function half(x: number): number {\n  if (x < 0)\n    throw new RangeError(`x is ${x}`);\n  return x / 2;\n}'
    )
    calling = session.run("try {\n  half(-1);\n} catch (cause) {\n  throw new Error('no half', { cause });\n}")
    a, b = defining.reply['execution_count'], calling.reply['execution_count']
    text = '\n'.join(calling.error)
    assert text.startswith(f'Error: no half\n    at cell [{b}], line 4\n'), text
    assert f'RangeError: x is -1\n      at half (cell [{a}], line 3)\n      at cell [{b}], line 2' in text
    assert 'tslab' not in text
    assert 'node:' not in text


def test_a_rejected_promise_fails_the_cell_that_awaits_it(session):
    result = session.run("await Promise.reject(new Error('rejected'));")
    assert result.error[0] == 'Error: rejected'


def test_anything_can_be_thrown(session):
    assert session.run("throw 'a %s word';").error == ["Thrown: 'a %s word'"]
    assert session.run('throw { code: 7 };').error == ['Thrown: { code: 7 }']
    assert session.run('throw undefined;').error == ['Thrown: undefined']


def test_a_type_error_shows_its_place_and_nothing_is_run(session):
    result = session.run("console.log('ran');\nconst word: string = 1;")
    assert result.status == 'error'
    assert result.error == [
        "Line 2: Type 'number' is not assignable to type 'string'.",
        '  const word: string = 1;',
        '        ^',
    ]
    assert result.text() == ''


def test_late_errors_reach_stderr_and_name_their_cell(session):
    late = session.run("setTimeout(() => {\n  throw new Error('late');\n}, 50);\nvoid 0;")
    rejected = session.run("void Promise.reject(new Error('nobody listens'));")
    later = session.run('await new Promise((resolve) => setTimeout(resolve, 200));')
    printed = session.printed('stderr')
    assert f'Uncaught, begun in cell [{late.reply["execution_count"]}]: Error: late\n' in printed
    assert f'Unhandled rejection, begun in cell [{rejected.reply["execution_count"]}]: Error: nobody listens\n' in printed
    assert later.status == 'ok'


def test_console_error_is_stderr_and_no_failure(session):
    result = session.run("console.log('out');\nconsole.error('careful');")
    assert (result.status, result.text(), result.text('stderr')) == ('ok', 'out\n', 'careful\n')


def test_cells_that_wait_behind_a_failed_one_are_aborted_and_a_later_run_works(session):
    requests = [session.send(code) for code in ["throw new Error('first');", "console.log('ran');", '1']]
    failed, *waiting = [session.result(request) for request in requests]
    assert failed.status == 'error'
    for result in waiting:
        assert result.reply == {'status': 'aborted'}
        assert result.messages == []
    time.sleep(0.3)
    assert session.result(session.send('2 + 3')).text() == '5\n'


def test_cells_that_wait_behind_a_failure_that_was_allowed_run(session):
    failing = session.send("throw new Error('allowed');", stop_on_error=False)
    waiting = session.send("console.log('ran');")
    assert session.result(failing).status == 'error'
    assert session.result(waiting).text() == 'ran\n'


def test_no_message_is_lost_however_many_a_cell_sends_at_once(session):
    result = session.run('for (let i = 0; i < 3000; i++) console.log(i);')
    assert result.text() == ''.join(f'{i}\n' for i in range(3000))


def test_lines_printed_in_quick_succession_are_few_messages_in_their_order(session):
    result = session.run(
        'for (let i = 0; i < 3000; i++) (i % 1000 === 999 ? console.error : console.log)(i);\nthrow new Error("end");'
    )
    streams = [content for kind, content in result.messages if kind == 'stream']
    assert len(streams) < 200
    assert ''.join(content['text'] for content in streams) == ''.join(f'{i}\n' for i in range(3000))
    assert result.text('stderr') == '999\n1999\n2999\n'
    assert result.messages[-1][0] == 'error', 'what was printed before it comes before it'


def test_the_first_lines_are_seen_while_a_computation_blocks(session):
    request = session.send(
        "for (let i = 1; i <= 10; i++) console.log(i === 10 ? 'started' : i);\n"
        'const end = Date.now() + 2000;\nwhile (Date.now() < end);\nconsole.log(end);'
    )
    session.wait_until()
    seen = time.time()
    end = int(session.result(request).text().split()[-1]) / 1000
    assert seen < end


def test_the_last_lines_of_a_kernel_that_dies_are_seen(start):
    session = start()
    request = session.send('for (let i = 0; i < 3000; i++) console.log(i);\nprocess.exit(1);')
    while '2999\n' not in session.printed('stdout'):
        session.receive()
    assert request


def test_cells_are_checked_against_what_node_20_has(session):
    result = session.run(
        'const numbers = [3, 1, 2];\n'
        'const sorted: number[] = numbers.toSorted((a, b) => a - b).with(0, 7).toReversed();\n'
        'const floats: Float32Array = new Float32Array(numbers).toSorted();\n'
        'const last: number | undefined = numbers.findLast((n) => n > 1);\n'
        "console.log(sorted.join(), floats.join(), last, numbers.toSpliced(0, 2).join(), 'x'.isWellFormed());"
    )
    assert (result.status, result.text()) == ('ok', '3,2,7 1,2,3 2 2 true\n'), result.messages


def test_rows_as_the_last_expression_are_a_table_and_other_values_are_printed(session):
    (table,) = session.run("const rows = [{ loss: 'exact', epoch: 3 }];\nrows").contents('display_data')
    assert '<table class="dataframe">' in table['data']['text/html']
    assert table['data']['text/plain'] == 'loss   epoch\nexact      3'
    for code, text in (
        ('[1, 2]', '[ 1, 2 ]'),
        ('({ a: 1 })', '{ a: 1 }'),
        ('[{ a: [1] }]', '[ { a: [ 1 ] } ]'),
        ("'x'", 'x'),
    ):
        result = session.run(code)
        assert (result.text(), result.contents('display_data')) == (f'{text}\n', [])


def test_completion_and_inspection_know_earlier_cells(session):
    session.run('const learningRate = 1e-3;')
    matches = session.reply(session.client.complete('learn', 5))['matches']
    assert 'learningRate' in matches
    found = session.reply(session.client.inspect('learningRate', 5))
    assert 'const learningRate: 0.001' in found['data']['text/plain']


def test_the_short_form_of_a_property_finds_what_earlier_cells_have_declared(session):
    session.run('let shortA = 1;\nconst shortB = 2;')
    result = session.run('const both = { shortA, ...{ shortB } };\n({ shortA = 5 } = { shortA: 3 });\n[both, shortA];')
    assert result.text('stdout').strip() == '[ { shortA: 1, shortB: 2 }, 3 ]'


def test_a_property_of_what_an_earlier_cell_has_declared_can_be_given_another_name(session):
    session.run('const renamed = { a: 1, b: [{ c: 2, d: 3 }], e: undefined as number | undefined };')
    result = session.run(
        'const { a: first, e: byDefault = first } = renamed;\n'
        'const [{ c: second }] = renamed.b;\n'
        'const third = renamed.b.map(({ d: each }) => each + second);\n'
        'for (const { d: looped } of renamed.b) console.log([first, byDefault, second, third[0], looped].join());'
    )
    assert (result.status, result.text('stdout').strip()) == ('ok', '1,1,2,5,3')


def test_requests_that_tslab_does_not_know_are_answered_without_a_word_in_the_notebook(session):
    history = session.reply(session.client.history(hist_access_type='tail', n=3))
    assert history == {'status': 'ok', 'history': []}
    session.client.comm_info()
    assert session.client.get_shell_msg(timeout=REPLY_SECONDS)['msg_type'] == 'comm_info_reply'
    assert session.run('void 0;').text('stderr') == ''


def test_its_language_version_is_the_one_in_the_committed_notebooks(session):
    info = session.reply(session.client.kernel_info())['language_info']
    assert (info['name'], info['version']) == ('typescript', '3.7.2')


# Processes


def test_two_kernels_know_nothing_of_each_other_and_a_restarted_one_nothing_of_itself(session, start):
    one, other = start(cwd=ROOT), session
    one.run('const mine = 1;')
    assert other.run('mine').error[0] == "Line 1: Cannot find name 'mine'."
    assert one.run('mine').text() == '1\n'
    one.restart()
    again = one.run('mine')
    assert again.error[0] == "Line 1: Cannot find name 'mine'."
    assert again.reply['execution_count'] == 1


def test_shutdown_ends_the_process_also_while_a_cell_runs(start):
    session = start()
    pid = session.pid
    session.send("console.log('started');\nwhile (true) await new Promise((resolve) => setTimeout(resolve, 10));")
    session.wait_until()
    start = time.monotonic()
    session.manager.shutdown_kernel()
    assert ends_within(pid, 1)
    assert time.monotonic() - start < 2, 'it had to be killed'
    session.client.stop_channels()


def test_a_kernel_whose_jupyter_was_killed_ends():
    program = (
        'from jupyter_client.manager import KernelManager; import time\n'
        "manager = KernelManager(kernel_name='tslab'); manager.start_kernel()\n"
        'client = manager.blocking_client(); client.start_channels(); client.wait_for_ready(timeout=60)\n'
        'print(manager.provisioner.pid, flush=True); time.sleep(600)\n'
    )
    with subprocess.Popen([sys.executable, '-c', program], stdout=subprocess.PIPE, text=True) as jupyter:
        pid = int(jupyter.stdout.readline())
        jupyter.kill()
    gone = ends_within(pid, 6)
    if not gone:
        os.kill(pid, signal.SIGKILL)
    assert gone


def test_what_could_not_be_imported_can_be_once_it_is_there(home, session):
    package, module = home / 'node_modules/late', home / 'helper.ts'
    imports = {"import { one } from 'late';\none": '1\n', "import { two } from './helper';\ntwo": '2\n'}
    for code in imports:
        assert 'Cannot find module' in session.run(code).error[0]
    package.mkdir(parents=True)
    (package / 'index.js').write_text('exports.one = 1;')
    (package / 'index.d.ts').write_text('export const one: number;')
    module.write_text('export const two = 2;')
    time.sleep(1)  # TypeScript notices
    assert {code: session.run(code).text() for code in imports} == imports
    module.write_text('export const two = 3;')
    time.sleep(1)
    assert session.run("import { two as changed } from './helper';\nchanged").text() == '3\n'


def test_a_plain_tslab_runs_the_same_cells(start):
    session = start(kernel='stock')
    result = session.run(
        "import { breathe, check, Progress } from 'focal-loss-lab';\n"
        'const progress = new Progress(3);\n'
        'for (let step = 1; step <= 3; step++) {\n  await breathe();\n  progress.update(step);\n}\n'
        "progress.done('done');\ncheck({ 'three is three': 1 + 2 === 3 });"
    )
    assert (result.status, result.text('stderr')) == ('ok', '')
    assert result.contents('display_data')[-1]['data']['text/plain'] == '✓ three is three'


# Outside the clone, and what the last expression shows


def test_a_notebook_outside_the_clone_finds_the_library_and_its_packages(kernel, session):
    assert kernel.imported.status == 'ok', kernel.imported.messages
    result = session.run(
        "import { DataFrame } from 'danfojs-node';\nimport * as vega from 'vega-lite';\nimport fs from 'node:fs';\n"
        '[typeof DataFrame, typeof vega.compile, typeof fs.readFileSync].join()'
    )
    assert result.text() == 'function,function,function\n', result.messages


def test_there_types_are_checked_and_completed_as_in_the_clone(session):
    result = session.run("const wrong: string = tf.scalar(1);\nsigmoidFocalLoss('x');")
    assert re.search(r"^Line 1: Type 'Scalar' is not assignable to type 'string'", result.error[0])
    code = 'sigmoidF'
    assert session.reply(session.client.complete(code, len(code)))['matches'] == ['sigmoidFocalLoss']


def test_there_the_types_of_node_are_the_clones_before_anything_is_imported(home, start):
    result = start(cwd=home).run("let ofNode20: typeof import('node:util').styleText;")
    assert result.status == 'ok', 'tslab has those of Node 18'


def test_a_package_of_the_same_name_beside_it_comes_first_in_types_as_in_values(home, session):
    package = home / 'node_modules/papaparse'
    package.mkdir(parents=True)
    (package / 'index.js').write_text('exports.own = 1;')
    (package / 'index.d.ts').write_text('export const own: number;')
    result = session.run("import { own } from 'papaparse';\nown")
    assert result.text() == '1\n', result.messages


def test_a_tensor_as_the_last_expression_is_a_table_and_stays_the_readers(session):
    session.run('const before = tf.memory().numTensors;')
    (table,) = session.run('tensor').contents('display_data')
    assert table['data']['text/plain'] == 'float32 [2]\n        value\n0  -1.400e-13\n1           2'
    result = session.run('[tf.memory().numTensors - before, tensor.isDisposed].join()')
    assert result.text() == '0,false\n'
    session.run('tensor.dispose();')
    assert session.run('tensor').status == 'ok'


def test_frames_and_series_as_the_last_expression_are_tables(session):
    for code, text in (
        ('const frame = toDataFrame([{ index: 1, x: 0.5 }]);\nframe', 'index    x\n    1  0.5'),
        ("frame['x']", '  x\n0.5'),
    ):
        result = session.run(code)
        (table,) = result.contents('display_data')
        assert (table['data']['text/plain'], result.text()) == (text, '')


# Stop


def assert_stopped(result, seconds, line='Interrupted: stopped by the user'):
    assert seconds < 2
    assert result.status == 'error'
    assert result.error == [line]
    assert result.text('stderr') == ''
    time.sleep(0.3)


def assert_frozen(session, code):
    """The next cell works, and what it prints stays the same."""
    first = session.run(code)
    assert first.status == 'ok', first.messages
    time.sleep(0.5)
    second = session.run(code)
    assert first.text() == second.text()
    assert second.text('stderr') == ''


def test_a_loop_that_breathes_ends_and_nothing_goes_on(session):
    result, seconds = session.stop("console.log('started');\nawait loop(1);")
    assert_stopped(result, seconds)
    assert_frozen(session, 'steps')


def test_a_training_ends_the_weights_stay_and_its_records_are_there(session):
    session.run(
        'const model = lenet();\n'
        "const images = tf.randomUniform<tf.Rank.R4>([640, 28, 28, 1], 0, 1, 'float32', 7);\n"
        "const labels = tf.cast(tf.greater(tf.randomUniform([640], 0, 1, 'float32', 8), 0.5), 'float32');"
    )
    result, seconds = session.stop(
        'await train(model, {\n'
        '  images: images, labels: labels,\n'
        '  loss: (logits, y) => sigmoidFocalLoss(logits, y, { reduction: "mean" }) as tf.Scalar,\n'
        '  epochs: 100000, batchSize: 64, learningRate: 1e-3, momentum: 0.9, seed: 1,\n'
        '});',
        underway=lambda kind, _: kind == 'update_display_data',
    )
    assert_stopped(result, seconds)
    assert_frozen(
        session, '[tf.memory().numTensors, tf.tidy(() => tf.addN(model.getWeights().map((w) => tf.sum(w))).dataSync()[0])]'
    )
    line = result.contents('update_display_data')[-1]['data']['text/plain']
    steps = re.fullmatch(r'training: stopped after step (\d+); lastRun\(model\) has its records', line)[1]
    code = 'const { records, diverged } = lastRun(model);\nconst last = records[records.length - 1];\n'
    found = session.run(f'{code}[diverged, last.step, last.loss > 0, records.length === Math.ceil(last.step / 10)].join()')
    assert found.text() == f',{steps},true,true\n', found.messages


def test_it_is_heeded_when_pressed_before_the_loop_begins(session):
    result, seconds = session.stop("console.log('started');\nawait sleep(400);\nawait loop(1);")
    assert_stopped(result, seconds)
    assert_frozen(session, 'steps')


def test_a_synchronous_infinite_loop_ends_with_what_the_cell_has_begun_before(session):
    result, seconds = session.stop("void loop(1);\nconsole.log('started');\nfor (;;) {}")
    assert_stopped(result, seconds)
    assert_frozen(session, 'steps')


def test_a_cell_that_waits_for_what_never_comes_is_given_up(session):
    result, seconds = session.stop("console.log('started');\nawait new Promise(() => {});")
    assert_stopped(
        result,
        seconds,
        'Interrupted: given up; what the cell has begun may go on until its next breathe(): restart the kernel to be sure',
    )
    assert_frozen(session, 'steps')


def test_a_loop_of_a_cell_that_was_given_up_ends_at_its_next_step_though_another_cell_runs(session):
    before = int(session.run('steps').text())
    result, seconds = session.stop("console.log('started');\nawait loop(2500);")
    assert seconds < 2
    assert 'given up' in result.error[0]
    time.sleep(0.3)
    other = session.run('for (let i = 0; i < 30; i++) {\n  await breathe();\n  await sleep(100);\n}\nsteps')
    assert (other.status, other.text('stderr')) == ('ok', ''), 'Stop is not for this cell'
    assert int(other.text()) == before + 1


def test_cells_that_wait_are_aborted_and_a_later_run_works(session):
    running = session.send("console.log('started');\nawait loop(1);")
    waiting = session.send("console.log('ran');")
    session.press_stop()
    assert session.result(running).status == 'error'
    assert session.result(waiting).reply == {'status': 'aborted'}
    time.sleep(0.3)
    later = session.run('1 + 1')
    assert (later.status, later.text()) == ('ok', '2\n'), later.messages


def test_when_no_cell_runs_it_does_nothing(session):
    session.manager.interrupt_kernel()
    time.sleep(0.2)
    result = session.run('await breathe();\n6 * 7')
    assert (result.status, result.text()) == ('ok', '42\n'), result.messages
