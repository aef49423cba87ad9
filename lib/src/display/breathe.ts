import { insideKernel, runningCell, type DisplaySender } from './kernel';

/** Thrown by `breathe` after Stop. */
export class Interrupted extends Error {
  override readonly name = 'Interrupted';

  constructor() {
    super('stopped by the user');
  }
}

// Stop belongs to the cell that was running when it was pressed. Remembering the cell, rather than counting signals,
// loses none that arrives while the loop awaits something else than breathe, and a later cell is not stopped by it.
const stoppedCells = new WeakSet<DisplaySender>();

// Outside a kernel a handler would disable Ctrl-C. Not registered at once: while a cell's synchronous part runs (which
// is when this file is first imported) Node has put a handler of its own in place, and restores the default afterwards.
if (insideKernel)
  setImmediate(() =>
    process.on('SIGINT', () => {
      const cell = runningCell();
      if (cell !== null) stoppedCells.add(cell);
    }),
  );

/**
 * Lets the event loop turn, in which Stop, progress displays and shutdown are handled; takes microseconds. Every long
 * loop of a notebook calls it once per step: without, tslab would end the cell on Stop and leave the loop running.
 *
 * @throws Interrupted if Stop was pressed since the cell began, also while a synchronous operation was running
 */
export async function breathe(): Promise<void> {
  const cell = runningCell();
  await turnEventLoop(); // may begin in the middle of a turn, after the phase in which signals are received
  await turnEventLoop(); // a whole turn
  if (cell !== null && stoppedCells.has(cell)) throw new Interrupted();
}

function turnEventLoop(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
