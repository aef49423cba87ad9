// tfjs-node-gpu reaches TensorFlow through a native addon. Its own installer would fetch the TensorFlow of 2022, which
// today's GPUs do not run; its sources compile just as well against the TensorFlow that pip has installed.
import fs from 'node:fs';
import path from 'node:path';
import { adviceFor, SetupFailure } from './failure.mjs';
import { isMac, linkerArguments, tensorflowLibraries, zigTarget } from './platform.mjs';
import { failureLine, run } from './processes.mjs';
import { fingerprint, log, read, root, say, stateFolder, unlessDone } from './project.mjs';
import { pip } from './python.mjs';

const PACKAGE = path.join(root, 'node_modules/@tensorflow/tfjs-node-gpu');
const OWN_SOURCES = ['scripts/setup/signals.cc', 'scripts/setup/functions.cc']; // each says why
const EMPTY_LIBRARIES = path.join(stateFolder, 'empty-libraries');
export const ADDON = path.join(PACKAGE, 'lib/napi-v8/tfjs_binding.node');

/** Compiles the addon with the compiler at hand, or with the one that pip can install. */
export async function compileAddon(environment, device) {
  const tensorflow = path.join(environment.packages, 'tensorflow');
  const stamp = path.join(root, 'node_modules/.setup/addon');
  if (!fs.existsSync(ADDON)) fs.rmSync(stamp, { force: true });
  const ingredients = fingerprint(
    compilerArguments(tensorflow, device),
    read(path.join(PACKAGE, 'package.json')),
    OWN_SOURCES.map((file) => read(path.join(root, file))),
    read(environment.stamp),
  );
  await unlessDone(stamp, ingredients, async () => {
    const partial = path.join(path.dirname(ADDON), 'partial.node');
    fs.mkdirSync(path.dirname(ADDON), { recursive: true });
    await compile({ tensorflow, device, addon: partial }, environment.python);
    await requireLoadable(partial);
    fs.renameSync(partial, ADDON);
  });
}

/**
 * Compiles the addon with g++, clang++, or what takes their arguments.
 * @param compiler  its words, such as ['ccache', 'g++']
 * @param addon  the file that is made
 * @returns {Promise<{ ok: boolean, output: string }>}
 */
export async function compileWith([command, ...words], { tensorflow, device, addon, env }) {
  const compile = (args, file) => run(command, [...words, ...args, '-o', file], { log, env });
  if (!isMac()) {
    fs.mkdirSync(EMPTY_LIBRARIES, { recursive: true });
    for (const name of tensorflowLibraries()) {
      const args = ['-shared', '-nostdlib', `-Wl,-soname,${name}`, '-x', 'c++', '/dev/null'];
      const made = await compile(args, path.join(EMPTY_LIBRARIES, name));
      if (!made.ok) return made;
    }
  }
  return compile(compilerArguments(tensorflow, device), addon);
}

function compilerArguments(tensorflow, device) {
  // To read TensorFlow's 800 MB takes GNU ld half a minute. On Linux an addon need only name the libraries, for its functions
  // are looked up when it is loaded: it is linked with empty ones of the same names.
  const libraries = linkerArguments(tensorflow, isMac() ? tensorflow : EMPTY_LIBRARIES);
  // TensorFlow 2.21 opens libcusolver by name from libtensorflow_framework, whose search path lacks the folder in which
  // pip puts it, and turns the GPU off; so does Python. Linked here, it is in the process before TensorFlow asks.
  const cusolver = path.join(tensorflow, '../nvidia/cusolver/lib');
  if (device === 'gpu') libraries.push(`-L${cusolver}`, '-l:libcusolver.so.11', `-Wl,-rpath,${cusolver}`);
  // prettier-ignore
  return [
    '-std=c++17', '-O2', '-fPIC', '-shared', '-DNAPI_VERSION=8', '-DNODE_GYP_MODULE_NAME=tfjs_binding',
    `-I${root}/node_modules/node-api-headers/include`, `-I${PACKAGE}`, `-I${tensorflow}/include`,
    `${PACKAGE}/binding/tfjs_backend.cc`, ...OWN_SOURCES.map((file) => `${root}/${file}`), ...libraries,
  ];
}

async function compile(wanted, python) {
  for (const compiler of [process.env.CXX, 'g++', 'clang++', 'c++'].filter(Boolean)) {
    const [command, ...words] = compiler.split(' '); // CXX may be 'ccache g++'
    if (!(await run(command, [...words, '--version'])).ok) continue;
    say(`compiling the TensorFlow addon with ${compiler}: some seconds`);
    const { ok, output } = await compileWith([command, ...words], wanted);
    if (ok) return;
    if (adviceFor(output)) throw new SetupFailure(failureLine('compiling the TensorFlow addon', output, log));
    say(`${compiler} does not compile it (Details: ${path.relative(root, log)})`);
  }
  await compileWithZig(wanted, python);
}

async function compileWithZig(wanted, python) {
  say(
    'no C++ compiler that works: getting one from PyPI (ziglang, 80 MB), then compiling the TensorFlow addon: about 2 minutes',
  );
  await pip(python, ['install', '-c', 'constraints.txt', 'ziglang'], {
    what: 'no C++ compiler is found, and installing ziglang instead',
  });
  const cache = path.join(stateFolder, 'zig-cache');
  const zig = [python, '-m', 'ziglang', 'c++', '-target', zigTarget()];
  const env = { ...process.env, ZIG_GLOBAL_CACHE_DIR: cache, ZIG_LOCAL_CACHE_DIR: cache };
  const { ok, output } = await compileWith(zig, { ...wanted, env });
  fs.rmSync(cache, { recursive: true, force: true });
  const install = isMac() ? 'xcode-select --install' : 'Debian, Ubuntu: apt install g++';
  if (!ok)
    throw new SetupFailure(
      `${failureLine('compiling the TensorFlow addon', output, log)} A C++ compiler of the system may help (${install}).`,
    );
}

async function requireLoadable(addon) {
  const { ok, output } = await run(process.execPath, ['-e', 'require(process.argv[1])', addon], { log });
  if (!ok) throw new SetupFailure(failureLine('loading the compiled TensorFlow addon', output, log));
}
