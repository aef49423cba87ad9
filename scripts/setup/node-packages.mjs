import fs from 'node:fs';
import { SetupFailure } from './failure.mjs';
import { ask, mustRun } from './processes.mjs';
import { fingerprint, log, read, requireDiskSpace, root, say, unlessDone } from './project.mjs';

const OLDEST_NPM = 9; // comes with Node 20; older ones know no overrides
const GIGABYTES = 0.8;

/** `npm ci`, without the packages' own install scripts. */
export async function installNodePackages() {
  await unlessDone('node_modules/.setup/node-packages', fingerprint(read('package-lock.json')), async () => {
    const version = await ask('npm', ['--version']);
    if (version === null)
      throw new SetupFailure(
        'npm is not found: it comes with Node 20 or newer; install that, then run the same command again.',
      );
    if (Number(version.split('.')[0]) < OLDEST_NPM)
      throw new SetupFailure(
        `npm ${OLDEST_NPM} or newer is needed, this is ${version}: run npm install -g npm@10, then the same command again.`,
      );
    if (!fs.existsSync('node_modules')) requireDiskSpace(root, GIGABYTES, 'the Node packages');
    say('installing the Node packages: half a minute');
    await mustRun(
      'npm',
      [
        'ci',
        '--ignore-scripts',
        '--include=dev',
        '--include=optional',
        '--no-fund',
        '--no-audit',
        '--loglevel=error',
      ],
      {
        what: 'installing the Node packages',
        log,
      },
    );
  });
}
