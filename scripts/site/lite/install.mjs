// What the browser edition is built with, in a folder of its own.
import fs from 'node:fs';
import path from 'node:path';
import { packageFolder } from '../../bench/package-folder.mjs';
import { mustRun } from '../../setup/processes.mjs';
import { log, read, root, say, unlessDone } from '../../setup/project.mjs';

const here = path.join(root, 'scripts/site/lite');

/** node_modules and python-packages are in it. */
export const tools = path.join(root, '.lite');

/**
 * Installs JupyterLite and esbuild where they are missing.
 *
 * @returns {Promise<string>} the folder of Python packages
 * @throws SetupFailure, Interrupted
 */
export async function installTools() {
  const lock = read(path.join(here, 'package-lock.json'));
  await unlessDone(path.join(tools, 'node_modules/installed'), lock, async () => {
    const what = "installing the browser edition's tools into .lite";
    say(`${what}: 30 MB on disk`);
    fs.mkdirSync(tools, { recursive: true });
    for (const name of ['package.json', 'package-lock.json'])
      fs.copyFileSync(path.join(here, name), path.join(tools, name));
    const quiet = ['--ignore-scripts', '--no-fund', '--no-audit', '--loglevel=error'];
    await mustRun('npm', ['ci', '--include=dev', '--include=optional', ...quiet], { cwd: tools, what, log });
  });
  return packageFolder('python', path.join(tools, 'python-packages'), [
    '-r',
    path.join(here, 'requirements.txt'),
  ]);
}
