"""What a kernel starts from (scripts/kernel/snapshot.cjs), in a clone whose library is a few lines long."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from jupyter_session import ROOT, Session, kernel_command, register_kernel

NODE = shutil.which('node')
IMPORT = "import { one } from 'focal-loss-lab';\n"


@pytest.fixture(scope='module')
def clone(tmp_path_factory):
    folder = tmp_path_factory.mktemp('clone')
    shutil.copytree(ROOT / 'scripts/kernel', folder / 'scripts/kernel')
    for name in ('kernel.cjs', 'node20.d.ts'):
        shutil.copy(ROOT / 'scripts' / name, folder / 'scripts')
    (folder / 'notebooks').mkdir()
    packages = folder / 'node_modules'
    packages.mkdir()
    for path in (ROOT / 'node_modules').iterdir():
        if path.name not in ('focal-loss-lab', '.cache'):
            (packages / path.name).symlink_to(path)
    display = packages / 'focal-loss-lab/dist/display'
    display.mkdir(parents=True)
    (display / 'table.js').write_text('exports.isTable = () => false;')
    (packages / 'focal-loss-lab/index.js').write_text('exports.one = 1;')
    (packages / 'focal-loss-lab/index.d.ts').write_text('export const one: number;\n')
    write_snapshot(folder)
    register_kernel('small', kernel_command(folder, NODE))
    return folder


def write_snapshot(clone):
    name = subprocess.check_output([NODE, '-p', "process.version + '-' + v8.cachedDataVersionTag()"], text=True).strip()
    blob = clone / f'node_modules/.cache/kernel/{name}.blob'
    blob.parent.mkdir(parents=True)
    sources = [clone / 'scripts/kernel/snapshot.cjs', clone / 'scripts/kernel.cjs']
    subprocess.run([NODE, '--snapshot-blob', blob, '--build-snapshot', *sources], check=True, capture_output=True)


@pytest.fixture
def start(clone):
    sessions = []

    def started():
        sessions.append(Session(cwd=clone / 'notebooks', kernel='small'))
        return sessions[-1]

    yield started
    for session in sessions:
        session.close()


def starts_from_snapshot(session):
    return b'--snapshot-blob' in Path(f'/proc/{session.pid}/cmdline').read_bytes()


def test_a_kernel_starts_from_it_and_knows_the_library(start):
    session = start()
    assert starts_from_snapshot(session)
    assert session.run(f'{IMPORT}const same: number = one;\nsame').text() == '1\n'
    assert "Type 'number' is not assignable to type 'string'" in session.run('const other: string = one;').error[0]


def test_a_library_that_has_changed_since_is_seen_also_by_kernels_that_run(clone, start):
    session = start()
    assert session.run(f'{IMPORT}const before: number = one;').status == 'ok'
    types = clone / 'node_modules/focal-loss-lab/index.d.ts'
    written = types.stat()
    try:
        types.write_text('export const one: string;\n')  # as long as before, and dated alike
        os.utime(types, ns=(written.st_atime_ns, written.st_mtime_ns))
        for kernel in (session, start()):
            assert kernel.run(f'{IMPORT}const after: string = one;').status == 'ok'
            assert kernel.run('const still: number = one;').status == 'error'
    finally:
        types.write_text('export const one: number;\n')
    assert session.run(f'{IMPORT}const again: number = one;').status == 'ok'


def test_a_file_that_is_gone_or_new_is_noticed(clone, start):
    library = clone / 'node_modules/focal-loss-lab'
    try:
        (library / 'index.d.ts').write_text("export * from './more';\n")
        (library / 'more.d.ts').write_text('export const one: number;\n')
        session = start()
        assert session.run(f'{IMPORT}const first: number = one;').status == 'ok'
        (library / 'more.d.ts').unlink()
        (library / 'more').mkdir()
        (library / 'more/index.d.ts').write_text('export const one: string;\n')
        assert session.run(f'{IMPORT}const second: string = one;').status == 'ok'
    finally:
        (library / 'index.d.ts').write_text('export const one: number;\n')


def test_a_process_that_a_cell_forks_is_no_kernel(clone, start):
    (clone / 'notebooks/child.js').write_text('process.send(process.execArgv.length);')
    result = start().run(
        "import { fork } from 'node:child_process';\n"
        "console.log(await new Promise((resolve) => fork('./child.js').on('message', resolve)));"
    )
    assert result.text() == '0\n'


def test_other_flags_or_another_program_of_the_kernel_do_without_it(clone, start, monkeypatch):
    with monkeypatch.context() as changed:
        changed.setenv('NODE_OPTIONS', '--expose-gc')  # V8 would refuse the snapshot
        session = start()
        assert not starts_from_snapshot(session)
        assert session.run(f'{IMPORT}one').text() == '1\n'
    program = clone / 'scripts/kernel/program.cjs'
    code = program.read_text()
    try:
        program.write_text(code + '\nglobalThis.isNew = true;\n')
        result = start().run(
            f'{IMPORT}const ours: number = one;\nconsole.log((globalThis as {{ isNew?: boolean }}).isNew, ours);'
        )
        assert result.text() == 'true 1\n'
    finally:
        program.write_text(code)
