import path from 'node:path';
import { root } from '../setup/project.mjs';
import { torchPython } from './torch.mjs';

const program = (name) => path.join(root, 'scripts/bench/models', name);

/** Whole training steps of the notebooks' networks: forward, loss, backward, update, and the loss read. */
export const models = {
  title: 'milliseconds per training step of the networks, next to PyTorch',
  works: [
    { name: 'CNN, 32x32x3, batch 128', model: 'lenet', batch: 128, options: { size: 32, channels: 3 } },
    unet({ width: 8, depth: 2 }),
    unet({ width: 16, depth: 4 }),
    vit({ patch: 8 }),
    vit({ patch: 4 }),
  ],
  async contestants() {
    const torch = [await torchPython(), program('torch_step.py')];
    const ours = [process.execPath, program('ours.cjs')];
    return [
      { name: 'ours', command: [...ours, 'compiled'] },
      { name: 'ours, eager', command: [...ours, 'eager'] },
      { name: 'PyTorch', command: [...torch, 'contiguous_format', 'eager'] },
      { name: 'PyTorch, channels_last', command: [...torch, 'channels_last', 'eager'] },
      { name: 'torch.compile', command: [...torch, 'contiguous_format', 'compiled'] },
      { name: 'torch.compile, channels_last', command: [...torch, 'channels_last', 'compiled'] },
    ];
  },
};

function unet({ width, depth }) {
  return {
    name: `U-Net, width ${width}, depth ${depth}, 28x28x1, batch 64`,
    model: 'unet',
    batch: 64,
    options: { size: 28, channels: 1, width, depth },
  };
}

function vit({ patch }) {
  return {
    name: `ViT, width 64, depth 2, patch ${patch}, 32x32x3, batch 64`,
    model: 'vit',
    batch: 64,
    options: { size: 32, channels: 3, patch, width: 64, depth: 2, heads: 4 },
  };
}
