import { readFileSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';

/** The library has its handler of Stop some turns of the event loop after it was loaded. */
export async function handlerIsThere(): Promise<void> {
  while (process.listenerCount('SIGINT') === 0) await wait(1);
}

/** Sends this process the signal of Stop, and waits until one of its other threads has received it. */
export function pressStop(): void {
  process.kill(process.pid, 'SIGINT');
  const isPending = () => /^ShdPnd:.*[2367abef]$/m.test(readFileSync('/proc/self/status', 'utf8')); // SIGINT is bit 1
  while (isPending());
  for (const end = performance.now() + 5; performance.now() < end;); // its handler
}
