// Installs nbgrader into an environment of its own. --help tells the rest.
import path from 'node:path';
import { runCommand } from '../command.mjs';
import { catchInterrupts, mustRun } from '../setup/processes.mjs';
import { log, read, root, say, unlessDone } from '../setup/project.mjs';
import { pip, pythonVariables } from '../setup/python.mjs';

const folder = path.join(root, '.nbgrader');
const requirements = path.join(root, 'scripts/nbgrader/requirements.txt');
const what = 'installing nbgrader into .nbgrader';

const COMMAND = {
  name: 'nbgrader',
  call: 'node scripts/setup.mjs node scripts/nbgrader/install.mjs',
  about: 'Installs nbgrader, which only its test needs, into .nbgrader (0.3 GB).',
};

await runCommand(COMMAND, async () => {
  catchInterrupts();
  await unlessDone(path.join(folder, 'installed'), read(requirements), async () => {
    say(`${what}: 0.3 GB on disk`);
    await mustRun('python', ['-m', 'venv', '--clear', folder], { what, log, env: pythonVariables() });
    await pip(path.join(folder, 'bin/python'), ['install', '-r', requirements], { what });
  });
});
