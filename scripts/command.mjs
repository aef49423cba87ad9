import { Interrupted, SetupFailure } from './setup/failure.mjs';
import { exitCodeOf } from './setup/processes.mjs';

/** The command line asks for something that there is not. */
export class UsageError extends Error {}

/** Runs a command; where it cannot go on, one line says why, and the exit code that it failed. */
export async function runCommand(name, main) {
  try {
    await main();
  } catch (error) {
    if (error instanceof UsageError) console.error(`[${name}] ${error.message}; --help shows what there is`);
    else if (error instanceof Interrupted) console.error(`[${name}] interrupted`);
    else if (error instanceof SetupFailure) console.error(`[${name}] ${error.message}`);
    else throw error;
    process.exitCode = error instanceof Interrupted ? exitCodeOf(error.signal) : 1;
  }
}
