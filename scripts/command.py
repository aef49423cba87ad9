"""What the commands in Python have in common, and with command.mjs: exit codes, and how a failure is told."""

import argparse
import sys

FAILED, USAGE, INTERRUPTED = 1, 2, 130


class Parser(argparse.ArgumentParser):
    """Of npm run NAME; the options are added by the command."""

    def __init__(self, name, **options):
        super().__init__(prog=f'npm run {name} --', **options)
        self.name = name

    def error(self, message):
        self.exit(USAGE, f'[{self.name}] {message}; --help shows what there is\n')


def fail(name, reason):
    print(f'[{name}] {reason}', file=sys.stderr)
    sys.exit(FAILED)
