import fs from 'node:fs';
import { SetupFailure } from './failure.mjs';
import { run } from './processes.mjs';

/**
 * Which TensorFlow fits this machine, and why: the GPU variant where an NVIDIA driver is found; TF_DEVICE decides
 * where it is set.
 *
 * @returns {Promise<{ device: 'cpu' | 'gpu', reason: string }>}
 */
export async function chooseDevice() {
  const forced = process.env.TF_DEVICE || null;
  if (forced && forced !== 'cpu' && forced !== 'gpu')
    throw new SetupFailure(
      `TF_DEVICE is '${forced}': set it to cpu or gpu, or leave it out and an NVIDIA driver is looked for.`,
    );
  if (process.arch === 'arm64') {
    if (forced === 'gpu')
      throw new SetupFailure(
        'TF_DEVICE is gpu, but TensorFlow has no GPU package for arm64: leave TF_DEVICE out.',
      );
    return { device: 'cpu', reason: 'the only package for arm64, where these notebooks have not been tried' };
  }
  if (forced === 'cpu') return { device: 'cpu', reason: 'TF_DEVICE says so' };
  const driver = await hasNvidiaDriver();
  if (forced)
    return {
      device: 'gpu',
      reason: driver
        ? 'TF_DEVICE says so'
        : 'TF_DEVICE says so, but no NVIDIA driver is found: it will compute on the CPU',
    };
  return driver
    ? { device: 'gpu', reason: 'an NVIDIA driver is found; TF_DEVICE=cpu chooses the other' }
    : { device: 'cpu', reason: 'no NVIDIA driver is found; TF_DEVICE=gpu chooses the other' };
}

// Under WSL 2 there is no /proc entry, only nvidia-smi.
const hasNvidiaDriver = async () =>
  fs.existsSync('/proc/driver/nvidia/version') || (await run('nvidia-smi', ['-L'])).ok;
