import { readFileSync } from 'node:fs';
import path from 'node:path';

const ADDON = 'lib/napi-v8/tfjs_binding.node';
/** The set-up links it into the addon of the GPU variant only (scripts/setup/addon.mjs). */
const CUDA_LIBRARY = 'libcusolver.so';

/** For which TensorFlow the addon is linked: that with CUDA's kernels, or that without. Loads nothing. */
export function installedVariant(): 'cpu' | 'gpu' {
  const folder = path.dirname(require.resolve('@tensorflow/tfjs-node-gpu/package.json'));
  try {
    return readFileSync(path.join(folder, ADDON)).includes(CUDA_LIBRARY) ? 'gpu' : 'cpu';
  } catch {
    return 'cpu'; // not compiled: tfjs says what is missing
  }
}
