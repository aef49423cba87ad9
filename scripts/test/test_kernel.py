"""The kernel through Jupyter's own client. Run by kernel.test.mjs; one test: python scripts/test/test_kernel.py Kernel.test_..."""

import os
import signal
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

from jupyter_session import REPLY_SECONDS, ROOT, Session, ends_within, register_kernels


def setUpModule():
    unittest.addModuleCleanup(register_kernels().cleanup)


class Kernel(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.session = Session()
        cls.addClassCleanup(cls.session.close)

    def run_cell(self, code):
        return self.session.run(code)

    def test_cells_are_numbered(self):
        first, second = self.run_cell('1'), self.run_cell('null!.x')
        count = first.reply['execution_count']
        self.assertEqual(first.contents('execute_input'), [{'code': '1', 'execution_count': count}])
        self.assertEqual(second.reply['execution_count'], count + 1, 'a cell that fails has a number too')

    def test_a_thrown_error_is_an_error_output_that_names_the_line(self):
        result = self.run_cell("const lost: number = 1;\n\nthrow new TypeError(`boom ${lost}`);")
        self.assertEqual(result.status, 'error')
        (error,) = result.contents('error')
        self.assertEqual((error['ename'], error['evalue']), ('TypeError', 'boom 1'))
        count = result.reply['execution_count']
        self.assertEqual(error['traceback'], ['TypeError: boom 1', f'    at cell [{count}], line 3'])
        self.assertEqual(result.text('stderr'), '')

    def test_a_stack_names_the_cells_it_goes_through_and_a_cause_is_shown(self):
        defining = self.run_cell(
            'function half(x: number): number {\n  if (x < 0)\n    throw new RangeError(`x is ${x}`);\n  return x / 2;\n}'
        )
        calling = self.run_cell("try {\n  half(-1);\n} catch (cause) {\n  throw new Error('no half', { cause });\n}")
        a, b = defining.reply['execution_count'], calling.reply['execution_count']
        text = '\n'.join(calling.error)
        self.assertTrue(text.startswith(f'Error: no half\n    at cell [{b}], line 4\n'), text)
        self.assertIn(f'RangeError: x is -1\n      at half (cell [{a}], line 3)\n      at cell [{b}], line 2', text)
        self.assertNotIn('tslab', text)
        self.assertNotIn('node:', text)

    def test_a_rejected_promise_fails_the_cell_that_awaits_it(self):
        result = self.run_cell("await Promise.reject(new Error('rejected'));")
        self.assertEqual(result.error[0], 'Error: rejected')

    def test_anything_can_be_thrown(self):
        self.assertEqual(self.run_cell("throw 'a %s word';").error, ["Thrown: 'a %s word'"])
        self.assertEqual(self.run_cell('throw { code: 7 };').error, ['Thrown: { code: 7 }'])
        self.assertEqual(self.run_cell('throw undefined;').error, ['Thrown: undefined'])

    def test_a_type_error_shows_its_place_and_nothing_is_run(self):
        result = self.run_cell("console.log('ran');\nconst word: string = 1;")
        self.assertEqual(result.status, 'error')
        self.assertEqual(
            result.error,
            [
                "Line 2: Type 'number' is not assignable to type 'string'.",
                '  const word: string = 1;',
                '        ^',
            ],
        )
        self.assertEqual(result.text(), '')

    def test_late_errors_reach_stderr_and_name_their_cell(self):
        late = self.run_cell("setTimeout(() => {\n  throw new Error('late');\n}, 50);\nvoid 0;")
        rejected = self.run_cell("void Promise.reject(new Error('nobody listens'));")
        later = self.run_cell('await new Promise((resolve) => setTimeout(resolve, 200));')
        printed = self.session.printed('stderr')
        self.assertIn(f'Uncaught, begun in cell [{late.reply["execution_count"]}]: Error: late\n', printed)
        self.assertIn(
            f'Unhandled rejection, begun in cell [{rejected.reply["execution_count"]}]: Error: nobody listens\n', printed
        )
        self.assertEqual(later.status, 'ok')

    def test_console_error_is_stderr_and_no_failure(self):
        result = self.run_cell("console.log('out');\nconsole.error('careful');")
        self.assertEqual((result.status, result.text(), result.text('stderr')), ('ok', 'out\n', 'careful\n'))

    def test_cells_that_wait_behind_a_failed_one_are_aborted_and_a_later_run_works(self):
        requests = [self.session.send(code) for code in ["throw new Error('first');", "console.log('ran');", '1']]
        failed, *waiting = [self.session.result(request) for request in requests]
        self.assertEqual(failed.status, 'error')
        for result in waiting:
            self.assertEqual(result.reply, {'status': 'aborted'})
            self.assertEqual(result.messages, [])
        time.sleep(0.3)
        self.assertEqual(self.session.result(self.session.send('2 + 3')).text(), '5\n')

    def test_cells_that_wait_behind_a_failure_that_was_allowed_run(self):
        failing = self.session.send("throw new Error('allowed');", stop_on_error=False)
        waiting = self.session.send("console.log('ran');")
        self.assertEqual(self.session.result(failing).status, 'error')
        self.assertEqual(self.session.result(waiting).text(), 'ran\n')

    def test_no_message_is_lost_however_many_a_cell_sends_at_once(self):
        result = self.run_cell('for (let i = 0; i < 3000; i++) console.log(i);')
        self.assertEqual(result.text(), ''.join(f'{i}\n' for i in range(3000)))

    def test_lines_printed_in_quick_succession_are_few_messages_in_their_order(self):
        result = self.run_cell(
            'for (let i = 0; i < 3000; i++) (i % 1000 === 999 ? console.error : console.log)(i);\nthrow new Error("end");'
        )
        streams = [content for kind, content in result.messages if kind == 'stream']
        self.assertLess(len(streams), 200)
        self.assertEqual(''.join(content['text'] for content in streams), ''.join(f'{i}\n' for i in range(3000)))
        self.assertEqual(result.text('stderr'), '999\n1999\n2999\n')
        self.assertEqual(result.messages[-1][0], 'error', 'what was printed before it comes before it')

    def test_the_first_lines_are_seen_while_a_computation_blocks(self):
        request = self.session.send(
            "for (let i = 1; i <= 10; i++) console.log(i === 10 ? 'started' : i);\n"
            'const end = Date.now() + 2000;\nwhile (Date.now() < end);\nconsole.log(end);'
        )
        self.session.wait_until()
        seen = time.time()
        end = int(self.session.result(request).text().split()[-1]) / 1000
        self.assertLess(seen, end)

    def test_the_last_lines_of_a_kernel_that_dies_are_seen(self):
        session = Session()
        self.addCleanup(session.close)
        request = session.send('for (let i = 0; i < 3000; i++) console.log(i);\nprocess.exit(1);')
        while '2999\n' not in session.printed('stdout'):
            session.receive()
        self.assertTrue(request)

    def test_cells_are_checked_against_what_node_20_has(self):
        result = self.run_cell(
            'const numbers = [3, 1, 2];\n'
            'const sorted: number[] = numbers.toSorted((a, b) => a - b).with(0, 7).toReversed();\n'
            'const floats: Float32Array = new Float32Array(numbers).toSorted();\n'
            'const last: number | undefined = numbers.findLast((n) => n > 1);\n'
            "console.log(sorted.join(), floats.join(), last, numbers.toSpliced(0, 2).join(), 'x'.isWellFormed());"
        )
        self.assertEqual((result.status, result.text()), ('ok', '3,2,7 1,2,3 2 2 true\n'), result.messages)

    def test_rows_as_the_last_expression_are_a_table_and_other_values_are_printed(self):
        (table,) = self.run_cell("const rows = [{ loss: 'exact', epoch: 3 }];\nrows").contents('display_data')
        self.assertIn('<table class="dataframe">', table['data']['text/html'])
        self.assertEqual(table['data']['text/plain'], 'loss   epoch\nexact      3')
        for code, text in (('[1, 2]', '[ 1, 2 ]'), ('({ a: 1 })', '{ a: 1 }'), ('[{ a: [1] }]', '[ { a: [ 1 ] } ]'), ("'x'", 'x')):
            result = self.run_cell(code)
            self.assertEqual((result.text(), result.contents('display_data')), (f'{text}\n', []))

    def test_completion_and_inspection_know_earlier_cells(self):
        self.run_cell('const learningRate = 1e-3;')
        matches = self.session.reply(self.session.client.complete('learn', 5))['matches']
        self.assertIn('learningRate', matches)
        found = self.session.reply(self.session.client.inspect('learningRate', 5))
        self.assertIn('const learningRate: 0.001', found['data']['text/plain'])

    def test_the_short_form_of_a_property_finds_what_earlier_cells_have_declared(self):
        self.run_cell('let shortA = 1;\nconst shortB = 2;')
        result = self.run_cell('const both = { shortA, ...{ shortB } };\n({ shortA = 5 } = { shortA: 3 });\n[both, shortA];')
        self.assertEqual(result.text('stdout').strip(), '[ { shortA: 1, shortB: 2 }, 3 ]')

    def test_requests_that_tslab_does_not_know_are_answered_without_a_word_in_the_notebook(self):
        history = self.session.reply(self.session.client.history(hist_access_type='tail', n=3))
        self.assertEqual(history, {'status': 'ok', 'history': []})
        self.session.client.comm_info()
        self.assertEqual(self.session.client.get_shell_msg(timeout=REPLY_SECONDS)['msg_type'], 'comm_info_reply')
        self.assertEqual(self.run_cell('void 0;').text('stderr'), '')

    def test_its_language_version_is_the_one_in_the_committed_notebooks(self):
        info = self.session.reply(self.session.client.kernel_info())['language_info']
        self.assertEqual((info['name'], info['version']), ('typescript', '3.7.2'))


class Processes(unittest.TestCase):
    def test_two_kernels_know_nothing_of_each_other_and_a_restarted_one_nothing_of_itself(self):
        one, other = Session(cwd=ROOT), Session()
        self.addCleanup(one.close)
        self.addCleanup(other.close)
        one.run('const mine = 1;')
        self.assertEqual(other.run('mine').error[0], "Line 1: Cannot find name 'mine'.")
        self.assertEqual(one.run('mine').text(), '1\n')
        one.restart()
        again = one.run('mine')
        self.assertEqual(again.error[0], "Line 1: Cannot find name 'mine'.")
        self.assertEqual(again.reply['execution_count'], 1)

    def test_shutdown_ends_the_process_also_while_a_cell_runs(self):
        session = Session()
        pid = session.pid
        session.send("console.log('started');\nwhile (true) await new Promise((resolve) => setTimeout(resolve, 10));")
        session.wait_until()
        start = time.monotonic()
        session.manager.shutdown_kernel()
        self.assertTrue(ends_within(pid, 1))
        self.assertLess(time.monotonic() - start, 2, 'it had to be killed')
        session.client.stop_channels()

    def test_a_kernel_whose_jupyter_was_killed_ends(self):
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
        self.assertTrue(gone)

    def test_what_could_not_be_imported_can_be_once_it_is_there(self):
        folder = tempfile.TemporaryDirectory(prefix='kernel-')
        self.addCleanup(folder.cleanup)
        package = Path(folder.name, 'node_modules/late')
        module = Path(folder.name, 'helper.ts')
        package.parent.mkdir()
        session = Session(cwd=folder.name)
        self.addCleanup(session.close)
        imports = {"import { one } from 'late';\none": '1\n', "import { two } from './helper';\ntwo": '2\n'}
        for code in imports:
            self.assertIn('Cannot find module', session.run(code).error[0])
        package.mkdir()
        (package / 'index.js').write_text('exports.one = 1;')
        (package / 'index.d.ts').write_text('export const one: number;')
        module.write_text('export const two = 2;')
        time.sleep(1)  # TypeScript notices
        self.assertEqual({code: session.run(code).text() for code in imports}, imports)
        module.write_text('export const two = 3;')
        time.sleep(1)
        self.assertEqual(session.run("import { two as changed } from './helper';\nchanged").text(), '3\n')

    def test_a_plain_tslab_runs_the_same_cells(self):
        session = Session(kernel='stock')
        self.addCleanup(session.close)
        result = session.run(
            "import { breathe, check, Progress } from 'focal-loss-lab';\n"
            'const progress = new Progress(3);\n'
            'for (let step = 1; step <= 3; step++) {\n  await breathe();\n  progress.update(step);\n}\n'
            "progress.done('done');\ncheck({ 'three is three': 1 + 2 === 3 });"
        )
        self.assertEqual((result.status, result.text('stderr')), ('ok', ''))
        self.assertEqual(result.contents('display_data')[-1]['data']['text/plain'], '✓ three is three')


class Outside(unittest.TestCase):
    """A notebook in a folder that is not in the clone: a student's home, a course's exchange, a download."""

    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory(prefix='home-')
        cls.addClassCleanup(folder.cleanup)
        cls.folder = Path(folder.name)
        cls.session = Session(cwd=folder.name)
        cls.addClassCleanup(cls.session.close)
        cls.imported = cls.session.run(
            "import { sigmoidFocalLoss, tf, toDataFrame } from 'focal-loss-lab';\nconst tensor = tf.tensor1d([-1.4e-13, 2]);"
        )

    def test_it_finds_the_library_and_its_packages(self):
        self.assertEqual(self.imported.status, 'ok', self.imported.messages)
        result = self.session.run(
            "import { DataFrame } from 'danfojs-node';\nimport * as vega from 'vega-lite';\nimport fs from 'node:fs';\n"
            '[typeof DataFrame, typeof vega.compile, typeof fs.readFileSync].join()'
        )
        self.assertEqual(result.text(), 'function,function,function\n', result.messages)

    def test_its_types_are_checked_and_completed_as_in_the_clone(self):
        result = self.session.run("const wrong: string = tf.scalar(1);\nsigmoidFocalLoss('x');")
        self.assertRegex(result.error[0], r"^Line 1: Type 'Scalar' is not assignable to type 'string'")
        code = 'sigmoidF'
        self.assertEqual(self.session.reply(self.session.client.complete(code, len(code)))['matches'], ['sigmoidFocalLoss'])

    def test_a_package_of_the_same_name_beside_it_comes_first_in_types_as_in_values(self):
        package = self.folder / 'node_modules/papaparse'
        package.mkdir(parents=True)
        (package / 'index.js').write_text('exports.own = 1;')
        (package / 'index.d.ts').write_text('export const own: number;')
        result = self.session.run("import { own } from 'papaparse';\nown")
        self.assertEqual(result.text(), '1\n', result.messages)

    def test_a_tensor_as_the_last_expression_is_a_table_and_stays_the_readers(self):
        self.session.run('const before = tf.memory().numTensors;')
        (table,) = self.session.run('tensor').contents('display_data')
        self.assertEqual(table['data']['text/plain'], 'float32 [2]\n        value\n0  -1.400e-13\n1           2')
        result = self.session.run('[tf.memory().numTensors - before, tensor.isDisposed].join()')
        self.assertEqual(result.text(), '0,false\n')
        self.session.run('tensor.dispose();')
        self.assertEqual(self.session.run('tensor').status, 'ok')

    def test_frames_and_series_as_the_last_expression_are_tables(self):
        for code, text in (
            ("const frame = toDataFrame([{ index: 1, x: 0.5 }]);\nframe", 'index    x\n    1  0.5'),
            ("frame['x']", '  x\n0.5'),
        ):
            result = self.session.run(code)
            (table,) = result.contents('display_data')
            self.assertEqual((table['data']['text/plain'], result.text()), (text, ''))


class Stop(unittest.TestCase):
    """Pressing Stop, in a kernel that has imported the library."""

    @classmethod
    def setUpClass(cls):
        cls.session = Session(cwd=ROOT)
        cls.addClassCleanup(cls.session.close)
        setup = cls.session.run(
            "import { breathe, lenet, sigmoidFocalLoss, tf, train } from 'focal-loss-lab';\n"
            'let steps = 0;\n'
            'const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));\n'
            'const loop = async (ms: number) => {\n'
            '  for (;;) {\n    await breathe();\n    steps++;\n    await sleep(ms);\n  }\n};'
        )
        assert setup.status == 'ok', setup.messages

    def assert_stopped(self, result, seconds, line='Interrupted: stopped by the user'):
        self.assertLess(seconds, 2)
        self.assertEqual(result.status, 'error')
        self.assertEqual(result.error, [line])
        self.assertEqual(result.text('stderr'), '')
        time.sleep(0.3)

    def assert_frozen(self, code):
        """The next cell works, and what it prints stays the same."""
        first = self.session.run(code)
        self.assertEqual(first.status, 'ok', first.messages)
        time.sleep(0.5)
        second = self.session.run(code)
        self.assertEqual(first.text(), second.text())
        self.assertEqual(second.text('stderr'), '')

    def test_a_loop_that_breathes_ends_and_nothing_goes_on(self):
        result, seconds = self.session.stop("console.log('started');\nawait loop(1);")
        self.assert_stopped(result, seconds)
        self.assert_frozen('steps')

    def test_a_training_ends_and_the_weights_stay(self):
        self.session.run(
            'const model = lenet();\n'
            "const images = tf.randomUniform<tf.Rank.R4>([640, 28, 28, 1], 0, 1, 'float32', 7);\n"
            "const labels = tf.cast(tf.greater(tf.randomUniform([640], 0, 1, 'float32', 8), 0.5), 'float32');"
        )
        result, seconds = self.session.stop(
            'await train(model, {\n'
            '  images: images, labels: labels, loss: (logits, y) => sigmoidFocalLoss(logits, y, { reduction: "mean" }) as tf.Scalar,\n'
            '  epochs: 100000, batchSize: 64, learningRate: 1e-3, momentum: 0.9, seed: 1,\n'
            '});',
            underway=lambda kind, _: kind == 'update_display_data',
        )
        self.assert_stopped(result, seconds)
        self.assert_frozen(
            '[tf.memory().numTensors, tf.tidy(() => tf.addN(model.getWeights().map((w) => tf.sum(w))).dataSync()[0])]'
        )

    def test_it_is_heeded_when_pressed_before_the_loop_begins(self):
        result, seconds = self.session.stop("console.log('started');\nawait sleep(400);\nawait loop(1);")
        self.assert_stopped(result, seconds)
        self.assert_frozen('steps')

    def test_a_synchronous_infinite_loop_ends_with_what_the_cell_has_begun_before(self):
        result, seconds = self.session.stop("void loop(1);\nconsole.log('started');\nfor (;;) {}")
        self.assert_stopped(result, seconds)
        self.assert_frozen('steps')

    def test_a_cell_that_waits_for_what_never_comes_is_given_up(self):
        result, seconds = self.session.stop("console.log('started');\nawait new Promise(() => {});")
        self.assert_stopped(
            result,
            seconds,
            'Interrupted: given up; what the cell has begun may go on until its next breathe(): '
            'restart the kernel to be sure',
        )
        self.assert_frozen('steps')

    def test_a_loop_of_a_cell_that_was_given_up_ends_at_its_next_step_though_another_cell_runs(self):
        before = int(self.session.run('steps').text())
        result, seconds = self.session.stop("console.log('started');\nawait loop(2500);")
        self.assertLess(seconds, 2)
        self.assertIn('given up', result.error[0])
        time.sleep(0.3)
        other = self.session.run('for (let i = 0; i < 30; i++) {\n  await breathe();\n  await sleep(100);\n}\nsteps')
        self.assertEqual((other.status, other.text('stderr')), ('ok', ''), 'Stop is not for this cell')
        self.assertEqual(int(other.text()), before + 1)

    def test_cells_that_wait_are_aborted_and_a_later_run_works(self):
        running = self.session.send("console.log('started');\nawait loop(1);")
        waiting = self.session.send("console.log('ran');")
        self.session.press_stop()
        self.assertEqual(self.session.result(running).status, 'error')
        self.assertEqual(self.session.result(waiting).reply, {'status': 'aborted'})
        time.sleep(0.3)
        later = self.session.run('1 + 1')
        self.assertEqual((later.status, later.text()), ('ok', '2\n'), later.messages)

    def test_when_no_cell_runs_it_does_nothing(self):
        self.session.manager.interrupt_kernel()
        time.sleep(0.2)
        result = self.session.run('await breathe();\n6 * 7')
        self.assertEqual((result.status, result.text()), ('ok', '42\n'), result.messages)


if __name__ == '__main__':
    unittest.main()
