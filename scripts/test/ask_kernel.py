"""ask_kernel.py NODE CELL...: what the kernel answers, and whether it has started from a snapshot."""

import json
import sys
from pathlib import Path

from jupyter_session import ROOT, Session, kernel_command, register_kernel, register_kernels

folder = register_kernels()
register_kernel('other', kernel_command(ROOT, sys.argv[1]))
session = Session(kernel='other')
snapshot = '--snapshot-blob' in Path(f'/proc/{session.pid}/cmdline').read_text()
results = [session.run(code) for code in sys.argv[2:]]
answers = [{'text': r.text(), 'errors': [error['evalue'] for error in r.contents('error')]} for r in results]
print(json.dumps({'snapshot': snapshot, 'results': answers}))
session.close()
folder.cleanup()
