import fs from 'node:fs';
import path from 'node:path';
import { compileAddon } from './addon.mjs';
import { verifyData } from './data.mjs';
import { chooseDevice } from './device.mjs';
import { adviceFor, Interrupted, SetupFailure } from './failure.mjs';
import { registerKernel, snapshotKernel } from './kernel.mjs';
import { compileLibrary } from './library.mjs';
import { alone } from './lock.mjs';
import { installNodePackages } from './node-packages.mjs';
import { catchInterrupts, exitCodeOf, runInForeground, together } from './processes.mjs';
import { log, root, say } from './project.mjs';
import { requirePlatform } from './platform.mjs';
import { installedVariant, installPythonPackages, pythonEnvironment, pythonVariables } from './python.mjs';

/** Sets up whatever is missing, then runs the command inside the environment and exits with its exit code. */
export async function main([command, ...args]) {
  process.chdir(root);
  catchInterrupts();
  let environment;
  try {
    environment = await setUp();
  } catch (error) {
    process.exit(explain(error));
  }
  if (command) process.exit(await runInEnvironment(environment, command, args));
}

async function setUp() {
  requirePlatform();
  requireWritable();
  return alone(async () => {
    fs.rmSync(log, { force: true });
    const environment = await pythonEnvironment();
    const { device, reason, warning } = chooseDevice(installedVariant(environment));
    if (warning) say(`WARNING: ${warning}`);
    await together(
      () => installPythonPackages(environment, device),
      async () => {
        await installNodePackages();
        await verifyData();
        await compileLibrary();
        await snapshotKernel();
      },
    );
    await compileAddon(environment, device); // needs both
    registerKernel(environment);
    const where = environment.isConda ? environment.folder : path.relative(root, environment.folder);
    say(
      `ready: Node ${process.version}, Python ${environment.version} in ${where}, TensorFlow for ${device.toUpperCase()} (${reason})`,
    );
    return environment;
  });
}

function requireWritable() {
  try {
    fs.accessSync(root, fs.constants.W_OK);
  } catch {
    throw new SetupFailure(`${root} is not writable for you: clone the project into a folder of your own.`);
  }
}

function runInEnvironment(environment, command, args) {
  const folders = [path.join(environment.folder, 'bin'), path.dirname(process.execPath), process.env.PATH];
  const variables = {
    ...pythonVariables(),
    PATH: folders.join(path.delimiter),
    JUPYTER_PREFER_ENV_PATH: '1',
  };
  if (!environment.isConda) variables.VIRTUAL_ENV = environment.folder;
  return runInForeground(command === 'node' ? process.execPath : command, args, { env: variables });
}

/** Says in one line why the set-up ended, and returns the exit code. */
function explain(error) {
  if (error instanceof Interrupted) {
    console.error('[setup] interrupted: the next run goes on from here.');
    return exitCodeOf(error.signal);
  }
  const advice = adviceFor(`${error.code}`);
  if (error instanceof SetupFailure) console.error(`[setup] ${error.message}`);
  else if (advice)
    console.error(`[setup] ${error.path ?? 'a file'}: ${advice}, then run the same command again.`);
  else console.error(`[setup] an error in the set-up itself: ${error.message} (please report it)`);
  return 1;
}
