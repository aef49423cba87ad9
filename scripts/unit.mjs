// npm run unit: --help tells the rest.
import path from 'node:path';
import { runCommand, UsageError } from './command.mjs';
import { compileLibrary } from './setup/library.mjs';
import { catchInterrupts, runInForeground } from './setup/processes.mjs';
import { root } from './setup/project.mjs';
import { compiledTests, ONE_THREAD, QUIET, selectTests } from './unit-tests.mjs';

const COMMAND = {
  name: 'unit',
  operands: '[NAME...]',
  about: `
Compiles lib and runs its unit tests, or those that a NAME means: a folder of lib/test (losses), a file (closedForm) or
both (losses/closedForm).`,
  options: { only: ['TEXT', 'of these the tests whose title contains it'] },
};

await runCommand(COMMAND, async ({ only }, names) => {
  const all = compiledTests();
  const files = names.length ? names.flatMap((name) => select(all, name)) : all;
  catchInterrupts();
  await compileLibrary({ tests: true });
  const args = [
    '--test',
    '--test-reporter=spec',
    ...(only ? [`--test-name-pattern=${literally(only)}`] : []),
  ];
  const env = { ...QUIET, ...ONE_THREAD, ...process.env };
  process.exitCode = await runInForeground(process.execPath, [...args, ...new Set(files)], {
    cwd: root,
    env,
  });
});

function select(all, name) {
  const found = selectTests(all, name);
  if (found.length) return found;
  const rooms = new Set(all.map((file) => path.relative('lib/dist/test', file).split(path.sep)[0]));
  throw new UsageError(`there are no tests '${name}'; the folders are ${[...rooms].join(', ')}`);
}

function literally(text) {
  return text.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&');
}
