import path from 'node:path';

/** What the running tslab kernel is asked for: its public API sends one MIME type at a time and knows no updates. */
interface Kernel {
  /** Sends to the cell that runs, or ran last; a new function for every cell; null before the first. */
  lastWriteDisplayData: DisplaySender | null;
}

export type DisplaySender = (content: Record<string, unknown>, update: boolean) => void;

// The kernel is loaded before any cell can import this file. Importing tslab by name would start a second copy of it.
const KERNEL_FILE = path.join(path.sep, 'tslab', 'dist', 'jupyter.js');
const loadedFrom = Object.keys(require.cache).find((file) => file.endsWith(KERNEL_FILE));
const kernel = loadedFrom === undefined ? null : (require.cache[loadedFrom]?.exports as Kernel);

/** Whether this process is a tslab kernel. */
export const insideKernel = kernel !== null;

/** The sender of the running cell, which also identifies the cell; null outside a kernel. */
export function runningCell(): DisplaySender | null {
  return kernel?.lastWriteDisplayData ?? null;
}
