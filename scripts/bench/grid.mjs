import os from 'node:os';
import path from 'node:path';
import { root } from '../setup/project.mjs';
import { torchPython } from './torch.mjs';

const program = (name) => path.join(root, 'scripts/bench/grid', name);
const together = [process.execPath, program('together.mjs')];
const javascript = (name) => [...together, process.execPath, program(name)];

const LENET = {
  name: 'LeNet, 28x28x1, batch 64',
  batch: 64,
  gamma: 0.5,
  alpha: 0.5,
  learningRate: 1e-3,
  momentum: 0.9,
};
const cores = os.availableParallelism();

/** The whole machine at work on one program, in two ways: by threads, and by processes of one thread. */
const byThreads = { processes: 1, threads: cores };
const byProcesses = { processes: cores, threads: 1 };

/** Training steps of the whole grid: forward, loss, backward, update, and the batch fetched. */
export const grid = {
  title: 'milliseconds per step of one LeNet, many at work, next to PyTorch and plain TensorFlow.js',
  works: [LENET],
  async contestants() {
    const torch = [...together, await torchPython(), program('torch_grid.py')];
    const contestant = (name, command, models, ways) =>
      ways.map((way) => ({ name, command, models, ...way }));
    return [
      ...contestant('ours', javascript('ours.cjs'), 27, [byProcesses, byThreads]),
      ...contestant('ours', javascript('ours.cjs'), 9, [byProcesses, byThreads]),
      ...contestant('train', javascript('train.cjs'), 1, [byProcesses, byThreads]),
      ...contestant('tfjs', javascript('tfjs.cjs'), 1, [byProcesses, byThreads]),
      ...contestant('PyTorch', torch, 1, [byProcesses, byThreads, { processes: 1, threads: 1 }]),
      ...contestant('PyTorch vmap', torch, 9, [byProcesses, byThreads]),
      ...contestant('PyTorch vmap', torch, 27, [byProcesses]),
    ];
  },
};

/** What it costs to have more models side by side in one process. */
export const gridSize = {
  title: 'milliseconds per step of one LeNet, by the number side by side in a process of one thread',
  works: [LENET],
  contestants: () =>
    [1, 4, 9, 27, 81, 135].map((models) => ({
      name: 'ours',
      command: javascript('ours.cjs'),
      models,
      processes: 1,
      threads: 1,
    })),
};
