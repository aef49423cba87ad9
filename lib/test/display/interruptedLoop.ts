// Run by breathe.test.ts as a process of its own, since signals go to processes: plays one situation inside a fake kernel
// and prints how the loops in it ended.
import { startCell } from './fakeKernel';
import { handlerIsThere, pressStop } from './pressStop';
import { setTimeout as wait } from 'node:timers/promises';
import { breathe } from 'focal-loss-lab/dist/display/breathe'; // TensorFlow would take a second to load

function compute(milliseconds: number): void {
  for (const end = performance.now() + milliseconds; performance.now() < end;);
}

/** Calls step and breathe in turn; 'interrupted at step 3', or 'finished'. */
async function loop(steps: number, step: (i: number) => void | Promise<void>): Promise<string> {
  for (let i = 0; i < steps; i++) {
    try {
      await step(i);
      await breathe();
    } catch (error) {
      if ((error as Error).name !== 'Interrupted') throw error;
      return `interrupted at step ${i}`;
    }
  }
  return 'finished';
}

const situations: Record<string, () => Promise<string[]>> = {
  'during a synchronous computation': async () => [
    await loop(10, (i) => {
      if (i === 3) pressStop();
      compute(20);
    }),
  ],
  'while the loop awaits something else': async () => [
    await loop(10, async (i) => {
      if (i === 3) pressStop();
      await wait(20);
    }),
  ],
  'during a computation in a timer callback': async () => [
    await loop(10, async (i) => {
      await wait(1);
      if (i === 3) pressStop();
      compute(5);
    }),
  ],
  'before the first breathe of the cell': async () => {
    pressStop();
    await wait(20);
    return [await loop(10, () => undefined)];
  },
  'in an earlier cell': async () => {
    const first = await loop(10, (i) => void (i === 3 && pressStop()));
    startCell();
    return [first, await loop(10, () => undefined)];
  },
  'between cells': async () => {
    const first = await loop(10, () => undefined);
    pressStop();
    await wait(20);
    startCell();
    return [first, await loop(10, () => undefined)];
  },
  'while the next cell begins': async () => {
    const first = loop(10, (i) => {
      if (i === 3) {
        pressStop();
        setImmediate(startCell);
      }
    });
    return [await first, await loop(10, () => undefined)];
  },
  never: async () => [await loop(10, () => undefined)],
};

async function main(): Promise<void> {
  await handlerIsThere();
  console.log(JSON.stringify(await situations[process.argv[2]]()));
}

void main();
