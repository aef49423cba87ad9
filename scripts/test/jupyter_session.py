"""A kernel for tests, driven through Jupyter's own client."""

import json
import os
import shutil
import tempfile
import time
from pathlib import Path

from jupyter_client.manager import KernelManager

ROOT = Path(__file__).resolve().parents[2]
REPLY_SECONDS = 60


def register_kernels():
    """Registers this clone's kernel as 'tslab', and the one it wraps as 'stock'. Returns a folder to delete."""
    folder = tempfile.TemporaryDirectory(prefix='kernels-')
    os.environ['JUPYTER_PATH'] = folder.name
    node = shutil.which('node')
    register_kernel('tslab', kernel_command(ROOT, node))
    stock = [node, str(ROOT / 'node_modules/tslab/bin/tslab'), 'kernel', '--config-path', '{connection_file}']
    register_kernel('stock', stock)
    return folder


def kernel_command(clone, node):
    return ['/bin/sh', str(clone / 'scripts/kernel/start.sh'), node, '{connection_file}']


def register_kernel(name, argv):
    spec = Path(os.environ['JUPYTER_PATH'], 'kernels', name, 'kernel.json')
    spec.parent.mkdir(parents=True)
    variables = {'TF_CPP_MIN_LOG_LEVEL': '2', 'NODE_NO_WARNINGS': '1'}
    spec.write_text(
        json.dumps({'argv': argv, 'display_name': name, 'language': 'typescript', 'interrupt_mode': 'signal', 'env': variables})
    )


def has_printed_started(kind, content):
    return kind == 'stream' and 'started' in content['text']


class Result:
    """What a cell gave: the reply, and the messages of Jupyter's iopub channel, as (type, content)."""

    def __init__(self, reply, messages):
        self.reply = reply
        self.status = reply['status']
        self.messages = messages

    def contents(self, message_type):
        return [content for kind, content in self.messages if kind == message_type]

    def text(self, stream='stdout'):
        return ''.join(content['text'] for content in self.contents('stream') if content['name'] == stream)

    @property
    def error(self):
        """The lines of the one error output."""
        (error,) = self.contents('error')
        return error['traceback']


class Session:
    def __init__(self, cwd=ROOT / 'notebooks', kernel='tslab'):
        self.manager = KernelManager(kernel_name=kernel)
        self.manager.start_kernel(cwd=str(cwd))
        self.connect()

    def connect(self):
        self.log = []
        self.client = self.manager.blocking_client()
        self.client.start_channels()
        self.client.wait_for_ready(timeout=REPLY_SECONDS)

    @property
    def pid(self):
        return self.manager.provisioner.pid

    def send(self, code, stop_on_error=True):
        return self.client.execute(code, stop_on_error=stop_on_error)

    def receive(self):
        """Logs the next message as (the request it belongs to, type, content)."""
        message = self.client.get_iopub_msg(timeout=REPLY_SECONDS)
        self.log.append((message['parent_header'].get('msg_id'), message['msg_type'], message['content']))

    def wait_until(self, underway=has_printed_started):
        """Until a message comes that says so."""
        while True:
            self.receive()
            _, kind, content = self.log[-1]
            if underway(kind, content):
                return
            assert kind != 'error', content

    def printed(self, stream):
        """By all cells, in the messages received so far."""
        contents = (content for _, kind, content in self.log if kind == 'stream')
        return ''.join(content['text'] for content in contents if content['name'] == stream)

    def result(self, request):
        """Waits for the end of a cell."""
        while (request, 'status', {'execution_state': 'idle'}) not in self.log:
            self.receive()
        messages = [(kind, content) for parent, kind, content in self.log if parent == request and kind != 'status']
        return Result(self.reply(request), messages)

    def reply(self, request):
        while True:
            message = self.client.get_shell_msg(timeout=REPLY_SECONDS)
            if message['parent_header'].get('msg_id') == request:
                return message['content']

    def run(self, code):
        """Runs a cell whose failure does not keep the next from running."""
        return self.result(self.send(code, stop_on_error=False))

    def stop(self, code, underway=has_printed_started):
        """Runs a cell, presses Stop when it is under way, and returns the result and the seconds from then on."""
        request = self.send(code)
        pressed = self.press_stop(underway)
        return self.result(request), time.monotonic() - pressed

    def press_stop(self, underway=has_printed_started):
        """Returns when that was. Not in the instant in which a cell's synchronous part ends, where Node dies of it."""
        self.wait_until(underway)
        time.sleep(0.2)
        self.manager.interrupt_kernel()
        return time.monotonic()

    def restart(self):
        self.client.stop_channels()
        self.manager.restart_kernel()
        self.connect()

    def close(self):
        self.client.stop_channels()
        self.manager.shutdown_kernel(now=True)


def is_running(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return Path(f'/proc/{pid}/stat').read_text().rsplit(')', 1)[1].split()[0] != 'Z'


def ends_within(pid, seconds):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if not is_running(pid):
            return True
        time.sleep(0.05)
    return False
