// What differs between the systems on which TensorFlow's packages bring its C++ library.
import path from 'node:path';
import { SetupFailure } from './failure.mjs';

const ELSEWHERE = 'take the browser edition, which needs nothing installed (README)';

/** @throws SetupFailure on a system for which there is no such package */
export function requirePlatform() {
  const { platform, arch } = process;
  if (platform === 'win32')
    throw new SetupFailure(
      `on Windows TensorFlow’s packages bring no C++ library: use WSL 2 (wsl --install, then clone and start in there), or ${ELSEWHERE}.`,
    );
  if (platform !== 'linux' && platform !== 'darwin')
    throw new SetupFailure(
      `TensorFlow has packages for Linux and macOS, and this is ${platform}: ${ELSEWHERE}.`,
    );
  if (platform === 'darwin' && arch !== 'arm64')
    throw new SetupFailure(
      `TensorFlow has no package for Intel Macs any more: use a Linux container or virtual machine, or ${ELSEWHERE}. (On a Mac with Apple silicon, install the arm64 build of Node.)`,
    );
  if (arch !== 'x64' && arch !== 'arm64')
    throw new SetupFailure(
      `TensorFlow has packages for x64 and arm64 processors, and this is ${arch}: use another machine, or ${ELSEWHERE}.`,
    );
}

export const isMac = () => process.platform === 'darwin';

/** TensorFlow without CUDA: on x64 Linux a package of its own. */
export const cpuRequirement = () => (isMac() || process.arch === 'arm64' ? 'tensorflow' : 'tensorflow-cpu');

/** The C++ library and what it rests on, as they are called in the package's folder. */
export const tensorflowLibraries = () =>
  ['cc', 'framework'].map((name) =>
    isMac() ? `libtensorflow_${name}.2.dylib` : `libtensorflow_${name}.so.2`,
  );

/**
 * What links an addon with TensorFlow; the functions of Node it finds when it is loaded, for which macOS has to be asked.
 * @param libraries  the folder that has them for the linker
 */
export const linkerArguments = (tensorflow, libraries) => [
  ...(isMac() ? ['-undefined', 'dynamic_lookup'] : ['-Wl,--no-as-needed']),
  ...tensorflowLibraries().map((name) => path.join(libraries, name)),
  `-Wl,-rpath,${tensorflow}`,
];

/** For zig: the oldest system on which TensorFlow runs. */
export const zigTarget = () =>
  `${process.arch === 'arm64' ? 'aarch64' : 'x86_64'}-${isMac() ? 'macos.12.0' : 'linux-gnu.2.28'}`;
