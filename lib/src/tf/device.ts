import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { backend } from './rawOps';
import { tf } from './tensorflow';

export interface DeviceName {
  /** Where operations run. */
  kind: 'CPU' | 'GPU';
  /** Model name of the processor or of the graphics card in use. */
  name: string;
}

export interface Device extends DeviceName {
  /** TF_DEVICE, by which set-up was told which TensorFlow to install; undefined: set-up chose. */
  requested: 'cpu' | 'gpu' | undefined;
  /** Measured speed of a float32 matrix product, in 1e9 operations per second. */
  gigaflops: number;
  /** CPU threads a single operation may use. */
  threads: number;
  /** What is wrong, in one sentence: a GPU was asked for, or is present, and is not used. Null if nothing is. */
  warning: string | null;
}

/**
 * The device that computes, measured rather than trusted: a matrix product is timed on it (under half a second).
 *
 * @see notebooks/index.ipynb
 */
export function device(): Device {
  const requested = requestedDevice();
  const graphicsCard = nvidiaCard();
  const { kind, name } = nameOf(graphicsCard);
  return {
    kind,
    name,
    requested,
    gigaflops: measureGigaflops(),
    threads: Number(process.env.TF_NUM_INTRAOP_THREADS) || availableParallelism(),
    warning: kind === 'GPU' ? null : unusedGpu(requested, graphicsCard),
  };
}

/** The device that computes, by name only: nothing is measured. */
export function deviceName(): DeviceName {
  return nameOf(backend.isUsingGpuDevice ? nvidiaCard() : null);
}

function nameOf(graphicsCard: string | null): DeviceName {
  if (backend.isUsingGpuDevice) return { kind: 'GPU', name: graphicsCard ?? 'unknown GPU' };
  return { kind: 'CPU', name: processorName() };
}

function requestedDevice(): Device['requested'] {
  const value = process.env.TF_DEVICE?.toLowerCase();
  if (value === undefined || value === '') return undefined;
  if (value === 'cpu' || value === 'gpu') return value;
  throw new Error(`device: the environment variable TF_DEVICE is '${value}'; expected 'cpu' or 'gpu'`);
}

function unusedGpu(requested: Device['requested'], graphicsCard: string | null): string | null {
  if (requested === 'cpu') return null;
  if (requested === 'gpu' && graphicsCard === null)
    return 'TF_DEVICE=gpu asks for a GPU, but no NVIDIA driver answers: everything runs on the CPU.';
  if (graphicsCard !== null)
    return `${graphicsCard} is present, but TensorFlow does not use it: everything runs on the CPU. Set up again with TF_DEVICE=gpu.`;
  return null;
}

/** Name of the first NVIDIA card, or null if there is no driver. */
function nvidiaCard(): string | null {
  try {
    const names = execFileSync('nvidia-smi', ['--query-gpu=name', '--format=csv,noheader'], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
      timeout: 5000,
    });
    return names.split('\n')[0].trim() || null;
  } catch {
    return null;
  }
}

function processorName(): string {
  try {
    const name = /^(?:model name|Model)\s*:\s*(.+)$/m.exec(readFileSync('/proc/cpuinfo', 'utf8'));
    return name?.[1].trim() ?? `unknown ${process.arch} processor`;
  } catch {
    return `unknown ${process.arch} processor`;
  }
}

/** n x n products, n doubled until one takes 20 ms; the quickest of five counts: the others were disturbed. */
function measureGigaflops(): number {
  for (let n = 256; ; n *= 2) {
    const seconds = Math.min(...secondsOfProducts(n, 2));
    if (seconds < 0.02 && n < 16384) continue;
    const quickest = Math.min(seconds, ...secondsOfProducts(n, seconds < 0.05 ? 3 : 1));
    return (2 * n ** 3) / quickest / 1e9;
  }
}

function secondsOfProducts(n: number, times: number): number[] {
  const a = tf.fill([n, n], 1 / n);
  try {
    return Array.from({ length: times }, () =>
      tf.tidy(() => {
        const start = performance.now();
        tf.slice(tf.matMul(a, a), [0, 0], [1, 1]).dataSync(); // reading one element waits for the product
        return (performance.now() - start) / 1000;
      }),
    );
  } finally {
    a.dispose();
  }
}
