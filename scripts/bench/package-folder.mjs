import fs from 'node:fs';
import path from 'node:path';
import { read, requireDiskSpace, root, say, unlessDone } from '../setup/project.mjs';
import { pip } from '../setup/python.mjs';

/**
 * Installs packages, without what they depend on, into a folder that a Python can be told to look into.
 *
 * @param target  the folder
 * @param wanted  what pip is given: 'name==version', or '-r' and a file
 * @param gigabytes  of disk that it needs
 * @returns {Promise<string>} the folder
 * @throws SetupFailure, Interrupted
 */
export async function packageFolder(python, target, wanted, { gigabytes = 0.5 } = {}) {
  const ingredients = JSON.stringify([python, wanted.map((each) => read(each) ?? each)]);
  await unlessDone(path.join(target, 'installed'), ingredients, async () => {
    const name = path.relative(root, target);
    requireDiskSpace(root, gigabytes, name);
    const what = `installing ${path.basename(target)} into ${path.dirname(name)}`;
    say(what);
    fs.rmSync(target, { recursive: true, force: true });
    await pip(python, ['install', '--no-deps', '--target', target, ...wanted], { what });
  });
  return target;
}
