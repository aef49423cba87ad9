// Asks TensorFlow's GPU package which operations it has kernels for. --help tells the rest.
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { runCommand } from '../command.mjs';
import { SetupFailure } from '../setup/failure.mjs';
import { catchInterrupts, mustRun, run } from '../setup/processes.mjs';
import { log, read, requireDiskSpace, root, write } from '../setup/project.mjs';
import { pip, pythonEnvironment } from '../setup/python.mjs';
import { compiledTests } from '../unit-tests.mjs';

const FOLDER = path.join(root, '.gpu-package');
const GIGABYTES = 3;
const OUT = path.join(root, 'data/results/gpu-placement.csv');
const [, VERSION] = /^tensorflow==(\S+)$/m.exec(read(path.join(root, 'constraints.txt')));

/** Tests that compute, and do so in their own process. */
const COMPUTING =
  /(datasets|evaluation|losses|models|tf|training)\/|grid\/(lenetBatch|trainGrid)|sweep\/compareLosses/;

const COMMAND = {
  name: 'placement',
  call: 'node scripts/setup.mjs node scripts/gpu-check/placement.mjs',
  about: `
Says for each operation and its types that the tests and a little of everything run on a GPU whether TensorFlow's GPU
package has a kernel. To be run again when TensorFlow's version changes; it needs no GPU. That package, 570 MB, goes into
.gpu-package.`,
};

await runCommand(COMMAND, async () => {
  catchInterrupts();
  process.chdir(root);
  const python = await gpuPackage();
  const operations = await record();
  const { status, stdout, stderr } = spawnSync(python, ['scripts/gpu-check/kernels.py'], {
    input: JSON.stringify(operations),
    encoding: 'utf8',
    maxBuffer: 2 ** 26,
    env: {
      ...process.env,
      TF_CPP_MIN_LOG_LEVEL: '2',
      CUDA_VISIBLE_DEVICES: '-1',
      PYTHONDONTWRITEBYTECODE: '1',
    },
  });
  if (status !== 0)
    throw new SetupFailure(`the registry cannot be asked: ${stderr.trim().split('\n').at(-1)}`);
  const rows = JSON.parse(stdout).filter(({ op }) => op !== 'NoSuchKernel'); // a test asks for it to see the error
  write(OUT, csv(rows));
  const missing = rows.filter(({ gpu }) => !gpu);
  for (const { op, types } of missing) console.log(`no kernel for a GPU: ${op} (${inWords(types)})`);
  console.log(
    `${rows.length} operations with their types, ${missing.length} without a kernel for a GPU: ${path.relative(root, OUT)}`,
  );
});

/** A Python with the package whose kernels are asked for. */
async function gpuPackage() {
  const python = path.join(FOLDER, 'bin/python');
  const stamp = path.join(FOLDER, 'tensorflow');
  if (read(stamp) === VERSION) return python;
  requireDiskSpace(root, GIGABYTES, "TensorFlow's GPU package and what it needs");
  console.log(
    `installing TensorFlow ${VERSION} with the kernels of a GPU into ${path.relative(root, FOLDER)}: 0.7 GB to download`,
  );
  const { python: ours } = await pythonEnvironment();
  const what = "installing TensorFlow's GPU package";
  await mustRun(ours, ['-m', 'venv', '--clear', FOLDER], { what, log });
  await pip(python, ['install', '--progress-bar=off', '-c', 'constraints.txt', 'tensorflow'], { what });
  write(stamp, VERSION);
  return python;
}

/** Runs the tests of lib and the small programme as a GPU would, and collects what they ask TensorFlow for. */
async function record() {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'placement-'));
  const env = { ...process.env, FOCAL_RECORD: folder, FOCAL_EAGER: '1', TF_CPP_MIN_LOG_LEVEL: '2' };
  const preload = ['--require', path.join(root, 'scripts/gpu-check/recorder.cjs')];
  const tests = compiledTests().filter((file) => COMPUTING.test(file));
  const programme = ['-e', "require('./scripts/gpu-check/programme.cjs').everything()"];
  try {
    for (const args of [programme, ...tests.map((file) => [file])]) {
      console.log(`recording ${args.at(-1)}`);
      await run(process.execPath, [...preload, ...args], { env, log }); // whether a test passes does not matter here
    }
    const calls = fs.readdirSync(folder).flatMap((name) => JSON.parse(read(path.join(folder, name))));
    const distinct = new Map(calls.map((call) => [JSON.stringify(call), call]));
    if (distinct.size === 0)
      throw new SetupFailure(`nothing was recorded. Details: ${path.relative(root, log)}.`);
    return [...distinct.keys()].sort().map((key) => distinct.get(key));
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
}

function csv(rows) {
  const header = JSON.stringify({ tensorflow: VERSION, date: new Date().toISOString().slice(0, 10) });
  const lines = rows.map(({ op, types, cpu, gpu, hostMemory }) =>
    [op, inWords(types), cpu ? 'yes' : 'no', gpu ? 'yes' : 'no', hostMemory.join(' ')].join(','),
  );
  return [header, 'operation,types,cpu,gpu,argumentsOnHost', ...lines, ''].join('\n');
}

function inWords(types) {
  const each = Object.entries(types).map(([name, type]) => `${name}=${type.replaceAll(',', '+')}`);
  return each.join(' ');
}
