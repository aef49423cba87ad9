// Import this before the library: it makes the library take this process for a tslab kernel.
import Module from 'node:module';
import path from 'node:path';

/** What a cell has sent to the front end. */
export interface Output {
  data: Record<string, unknown> & { 'text/plain': string };
  metadata: Record<string, Record<string, unknown>>;
  transient: { display_id?: string };
  update: boolean;
}

export const outputs: Output[] = [];

const kernel: { lastWriteDisplayData: unknown } = { lastWriteDisplayData: null };
const file = path.join(path.sep, 'nowhere', 'tslab', 'dist', 'jupyter.js');
require.cache[file] = Object.assign(new Module(file), { exports: kernel, loaded: true });
startCell();

/** As in tslab, each cell has a function of its own to send displays with. */
export function startCell(): void {
  kernel.lastWriteDisplayData = (content: Omit<Output, 'update'>, update: boolean) =>
    outputs.push({ ...content, update });
}

/** What is sent while `action` runs. */
export async function outputsOf(action: () => void | Promise<void>): Promise<Output[]> {
  const before = outputs.length;
  await action();
  return outputs.slice(before);
}

/** The one thing that is sent while `action` runs. */
export async function outputOf(action: () => void | Promise<void>): Promise<Output> {
  const sent = await outputsOf(action);
  if (sent.length !== 1) throw new Error(`expected one output, got ${sent.length}`);
  return sent[0];
}
