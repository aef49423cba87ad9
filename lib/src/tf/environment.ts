// Variables that TensorFlow and CUDA read when they are loaded or first used: set before that, and never where the user has
// set them. Child processes inherit them.
import path from 'node:path';
import { userCache } from '../cacheFolder';
import { askDriver, reasonAgainst, visibleCards } from './graphicsCards.cjs';
import { installedVariant } from './variant';

const variables: Record<string, string | undefined> = {
  // TensorFlow takes oneDNN's kernels by itself only where the processor has AVX-512 VNNI or better. They are the faster
  // ones on older processors too, several times for the small matrix products and convolutions here.
  TF_ENABLE_ONEDNN_OPTS: '1',
  ...(installedVariant() === 'gpu' ? gpuVariables() : {}),
};
for (const [name, value] of Object.entries(variables)) if (value !== undefined) process.env[name] ??= value;

function gpuVariables(): Record<string, string | undefined> {
  return {
    ...chosenCard(),
    TF_FORCE_GPU_ALLOW_GROWTH: 'true', // else the first process takes nearly all memory, and the next one fails
    NVIDIA_TF32_OVERRIDE: '0', // else products and convolutions round their factors to 10 bits
    TF_DETERMINISTIC_OPS: '1', // else sums are added up in an order that differs from run to run
    TF_ENABLE_MAXPOOL_NANPROP: '1', // else a NaN can vanish in max-pooling
  };
}

/**
 * One card, the first that can be used: of several, tfjs-node sends tensors to the last, and TensorFlow computes on the
 * first. None where none can be used: TensorFlow would fail at the first kernel.
 */
function chosenCard(): Record<string, string | undefined> {
  const { CUDA_DEVICE_ORDER: order = 'PCI_BUS_ID', CUDA_VISIBLE_DEVICES: visible } = process.env;
  const { cards } = askDriver();
  const usable = visibleCards(cards, visible).filter((card) => reasonAgainst(card) === null);
  const capability = usable[0]?.computeCapability;
  const isKnown = order === 'PCI_BUS_ID' || usable.every((card) => card.computeCapability === capability);
  return {
    CUDA_DEVICE_ORDER: 'PCI_BUS_ID', // that of nvidia-smi, by which people and we count
    CUDA_VISIBLE_DEVICES: cards.length === 0 ? undefined : String(usable[0]?.index ?? -1),
    TF_JIT_CACHE_DIR: capability !== undefined && isKnown ? kernelCache(capability) : undefined,
  };
}

/**
 * TensorFlow compiles Exp, Log1p, Sigmoid and others at their first use, a second each. It finds them again by their source
 * alone, so that every architecture needs a folder of its own.
 */
function kernelCache(computeCapability: number): string {
  return path.join(userCache(), `gpu-kernels-${computeCapability.toFixed(1)}`);
}
