// tfjs-node-gpu reaches TensorFlow through a native addon. Its own installer would fetch the TensorFlow of 2022, which
// today's GPUs do not run; its sources compile just as well against the TensorFlow that pip has installed.
import fs from 'node:fs';
import path from 'node:path';
import { adviceFor, SetupFailure } from './failure.mjs';
import { isMac, linkerArguments, zigTarget } from './platform.mjs';
import { failureLine, run } from './processes.mjs';
import { fingerprint, log, read, root, say, stateFolder, unlessDone } from './project.mjs';
import { pip } from './python.mjs';

const PACKAGE = path.join(root, 'node_modules/@tensorflow/tfjs-node-gpu');
const OWN_SOURCES = ['scripts/setup/signals.cc', 'scripts/setup/functions.cc']; // each says why
export const ADDON = path.join(PACKAGE, 'lib/napi-v8/tfjs_binding.node');

/** Compiles the addon with the compiler at hand, or with the one that pip can install. */
export async function compileAddon(environment, device) {
  const tensorflow = path.join(environment.packages, 'tensorflow');
  const args = compilerArguments(tensorflow, device);
  const stamp = path.join(root, 'node_modules/.setup/addon');
  if (!fs.existsSync(ADDON)) fs.rmSync(stamp, { force: true });
  const ingredients = fingerprint(
    args,
    read(path.join(PACKAGE, 'package.json')),
    OWN_SOURCES.map((file) => read(path.join(root, file))),
    read(environment.stamp),
  );
  await unlessDone(stamp, ingredients, async () => {
    const partial = path.join(path.dirname(ADDON), 'partial.node');
    fs.mkdirSync(path.dirname(ADDON), { recursive: true });
    await compile([...args, '-o', partial], environment.python);
    await requireLoadable(partial);
    fs.renameSync(partial, ADDON);
  });
}

/** For g++ or clang++, without the name of the result. */
export function compilerArguments(tensorflow, device) {
  const libraries = linkerArguments(tensorflow);
  // TensorFlow 2.21 opens libcusolver by name from libtensorflow_framework, whose search path lacks the folder in which
  // pip puts it, and turns the GPU off; so does Python. Linked here, it is in the process before TensorFlow asks.
  const cusolver = path.join(tensorflow, '../nvidia/cusolver/lib');
  if (device === 'gpu')
    libraries.push('-Wl,--no-as-needed', `-L${cusolver}`, '-l:libcusolver.so.11', `-Wl,-rpath,${cusolver}`);
  // prettier-ignore
  return [
    '-std=c++17', '-O2', '-fPIC', '-shared', '-DNAPI_VERSION=8', '-DNODE_GYP_MODULE_NAME=tfjs_binding',
    `-I${root}/node_modules/node-api-headers/include`, `-I${PACKAGE}`, `-I${tensorflow}/include`,
    `${PACKAGE}/binding/tfjs_backend.cc`, ...OWN_SOURCES.map((file) => `${root}/${file}`), ...libraries,
  ];
}

async function compile(args, python) {
  for (const compiler of [process.env.CXX, 'g++', 'clang++', 'c++'].filter(Boolean)) {
    const [command, ...prefix] = compiler.split(' '); // CXX may be 'ccache g++'
    if (!(await run(command, [...prefix, '--version'])).ok) continue;
    say(`compiling the TensorFlow addon with ${compiler}: about half a minute`);
    const { ok, output } = await run(command, [...prefix, ...args], { log });
    if (ok) return;
    if (adviceFor(output)) throw new SetupFailure(failureLine('compiling the TensorFlow addon', output, log));
    say(`${compiler} does not compile it (Details: ${path.relative(root, log)})`);
  }
  await compileWithZig(args, python);
}

async function compileWithZig(args, python) {
  say(
    'no C++ compiler that works: getting one from PyPI (ziglang, 80 MB), then compiling the TensorFlow addon: about 2 minutes',
  );
  await pip(python, ['install', '-c', 'constraints.txt', 'ziglang'], {
    what: 'no C++ compiler is found, and installing ziglang instead',
  });
  const cache = path.join(stateFolder, 'zig-cache');
  const { ok, output } = await run(python, ['-m', 'ziglang', 'c++', '-target', zigTarget(), ...args], {
    log,
    env: { ...process.env, ZIG_GLOBAL_CACHE_DIR: cache, ZIG_LOCAL_CACHE_DIR: cache },
  });
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
