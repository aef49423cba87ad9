import fs from 'node:fs';
import path from 'node:path';
import v8 from 'node:v8';
import { run } from './processes.mjs';
import { fingerprint, log, read, root, say, unlessDone, write } from './project.mjs';

const NEWS = '@jupyterlab/apputils-extension:notification';
const SNAPSHOTS = path.join(root, 'node_modules/.cache/kernel');
const SOURCES = ['scripts/kernel/snapshot.cjs', 'scripts/kernel/program.cjs'];

/** How Jupyter starts the kernel of this clone; it puts the name of a file in the place of the last word. */
export const kernelCommand = (node) => [
  '/bin/sh',
  path.join(root, 'scripts/kernel/start.sh'),
  node,
  '{connection_file}',
];

/**
 * Tells Jupyter about the kernel of this clone. `tslab install` would add a JavaScript kernel and could not set
 * variables; the name is tslab's, so that the notebooks open on any tslab.
 */
export function registerKernel({ folder }) {
  const jupyter = path.join(folder, 'share/jupyter');
  const kernel = {
    argv: kernelCommand(process.execPath),
    display_name: 'TypeScript',
    language: 'typescript',
    interrupt_mode: 'signal',
    env: { TF_CPP_MIN_LOG_LEVEL: '2', NODE_NO_WARNINGS: '1' },
  };
  write(path.join(jupyter, 'kernels/tslab/kernel.json'), JSON.stringify(kernel, null, 2) + '\n');

  const overrides = path.join(jupyter, 'lab/settings/overrides.json');
  const settings = {
    ...JSON.parse(read(overrides) ?? '{}'),
    [NEWS]: { fetchNews: 'false', checkForUpdates: false },
  };
  write(overrides, JSON.stringify(settings, null, 2) + '\n');
}

/** Writes what kernels start from; where that fails they start without, and take some seconds more. */
export async function snapshotKernel() {
  const name = path.join(SNAPSHOTS, `${process.version}-${v8.cachedDataVersionTag()}`); // as in start.sh
  const ingredients = fingerprint(root, read('package-lock.json'), SOURCES.map(read));
  await unlessDone(`${name}.stamp`, ingredients, async () => {
    say('preparing the kernel: ten seconds');
    fs.rmSync(`${name}.blob`, { force: true });
    fs.mkdirSync(SNAPSHOTS, { recursive: true });
    const partial = `${name}.${process.pid}.partial`;
    const kernel = path.join(root, 'scripts/kernel.cjs');
    const args = ['--snapshot-blob', partial, '--build-snapshot', SOURCES[0], kernel];
    const { ok } = await run(process.execPath, args, { log });
    if (ok) fs.renameSync(partial, `${name}.blob`);
    else say(`kernels will start some seconds more slowly: ${path.relative(root, log)} says why`);
  });
}
