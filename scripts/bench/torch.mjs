// PyTorch, which only the benchmark needs, in an environment of its own.
import path from 'node:path';
import { ask, mustRun } from '../setup/processes.mjs';
import { log, read, requireDiskSpace, root, say, unlessDone } from '../setup/project.mjs';
import { pip, pythonVariables } from '../setup/python.mjs';

const folder = path.join(root, '.bench/torch');
const requirements = path.join(root, 'scripts/bench/torch-requirements.txt');

/**
 * Installs PyTorch where it is missing.
 *
 * @returns {Promise<string>} the Python that can import it
 * @throws SetupFailure, Interrupted
 */
export async function torchPython() {
  const python = path.join(folder, 'bin/python');
  await unlessDone(path.join(folder, 'installed'), read(requirements), async () => {
    const what = 'installing PyTorch for the benchmark';
    requireDiskSpace(root, 2.5, 'PyTorch and its download');
    say(`${what} into .bench: 0.2 or 0.5 GB to download`);
    await mustRun('python', ['-m', 'venv', '--clear', folder], { what, log, env: pythonVariables() });
    await pip(python, ['install', '--no-deps', '-r', requirements], { what });
    if (await importsTorch(python)) return;
    // PyPI's package for Linux on x86-64 is built for CUDA, and its libraries are looked for even where it is not used.
    requireDiskSpace(root, 8, 'the CUDA libraries that this PyTorch needs');
    say('this PyTorch does not start without its CUDA libraries: 2 GB more to download');
    await pip(python, ['install', '-r', requirements], { what });
    await mustRun(python, ['-c', 'import torch'], { what, log, env: pythonVariables() });
  });
  return python;
}

const importsTorch = async (python) =>
  (await ask(python, ['-c', 'import torch; print("yes")'], { env: pythonVariables() })) !== null;
