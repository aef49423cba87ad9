import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

const VARIANT = require.resolve('focal-loss-lab/dist/tf/variant');

/** What nvidia-smi prints of a card, in the order in which it is asked. */
export const CARDS = {
  P100: '0, GPU-aa, Tesla P100-PCIE-16GB, 570.86.15, 16000, 6.0',
  V100: '0, GPU-bb, Tesla V100-SXM2-32GB, 535.54.03, 32000, 7.0',
  T4: '0, GPU-cc, Tesla T4, 525.60.13, 15000, 7.5',
  H100: '0, GPU-dd, NVIDIA H100 80GB HBM3, 560.35.03, 81000, 9.0',
  H100oldDriver: '0, GPU-dd, NVIDIA H100 80GB HBM3, 535.104.05, 81000, 9.0',
  RTX5090: '0, GPU-ee, NVIDIA GeForce RTX 5090, 572.16, 32000, 12.0',
  RTX5090oldDriver: '0, GPU-ee, NVIDIA GeForce RTX 5090, 565.57.01, 32000, 12.0',
  GTX980: '0, GPU-ff, NVIDIA GeForce GTX 980, 535.54.03, 4000, 5.2',
};

/** An old card for the screen, and one to compute on. */
export const TWO_CARDS = `${CARDS.GTX980}\n1, GPU-gg, NVIDIA RTX A6000, 535.54.03, 48000, 8.6`;

export interface PretendMachine {
  /** The lines of nvidia-smi; undefined: there is none. */
  cards?: string;
  /** What nvidia-smi complains of instead. */
  problem?: string;
  /** It is of a driver too old to know compute_cap. */
  knowsNoCapability?: boolean;
  variant?: 'cpu' | 'gpu';
  env?: Record<string, string>;
}

/** What a program prints, as JSON, on such a machine: `code` is JavaScript with its value. */
export function onMachine<T>(
  { cards, problem, knowsNoCapability, variant = 'gpu', env = {} }: PretendMachine,
  code: string,
): T {
  const folder = mkdtempSync(path.join(tmpdir(), 'machine-'));
  try {
    const lines = knowsNoCapability ? cards?.replace(/, [0-9.]+$/gm, '') : cards;
    const refusal = `case "$1" in *compute_cap*) echo 'Field "compute_cap" is not a valid field to query.'; exit 2 ;; esac`;
    const script = `#!/bin/sh\n${knowsNoCapability ? refusal : ''}\n${problem ? `echo '${problem}'; exit 9` : `cat <<'END'\n${lines}\nEND`}\n`;
    if (cards !== undefined || problem !== undefined)
      writeFileSync(path.join(folder, 'nvidia-smi'), script, { mode: 0o755 });
    const preload = path.join(folder, 'pretend.cjs');
    writeFileSync(
      preload,
      `require.cache[${JSON.stringify(VARIANT)}] = { id: 'variant', loaded: true, exports: { installedVariant: () => '${variant}' } };`,
    );
    const own = Object.entries(process.env).filter(([name]) => !/^(TF_|CUDA_|NVIDIA_|XDG_)/.test(name));
    const printed = execFileSync(
      process.execPath,
      ['-r', preload, '-e', `process.stdout.write(JSON.stringify(${code}))`],
      {
        env: {
          ...Object.fromEntries(own),
          TF_CPP_MIN_LOG_LEVEL: '2',
          ...env,
          PATH: `${folder}:/usr/bin:/bin`,
        },
        encoding: 'utf8',
        cwd: path.dirname(VARIANT), // where focal-loss-lab is found
      },
    );
    return JSON.parse(printed) as T;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** The variables as they are in the process at the moment when TensorFlow's addon is loaded, which is not loaded. */
export function variablesAtLoad(machine: PretendMachine): Record<string, string> {
  const code = `(() => {
    const { dlopen } = process;
    let seen;
    process.dlopen = (module, file, ...rest) => {
      if (!file.endsWith('tfjs_binding.node')) return dlopen.call(process, module, file, ...rest);
      seen = { ...process.env };
      throw new Error('seen');
    };
    try { require('focal-loss-lab'); } catch (error) { if (error.message !== 'seen') throw error; }
    return seen;
  })()`;
  return onMachine(machine, code);
}
