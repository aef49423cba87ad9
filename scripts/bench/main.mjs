// npm run bench -- SUITE: times what this project computes beside what others compute, in turn. A suite is a module
// that lists its works and its contestants; rounds.mjs says what a contestant is.
import os from 'node:os';
import path from 'node:path';
import { Interrupted, SetupFailure } from '../setup/failure.mjs';
import { catchInterrupts, exitCodeOf } from '../setup/processes.mjs';
import { root, write } from '../setup/project.mjs';
import { models } from './models.mjs';
import { parseOptions, usage, UsageError } from './options.mjs';
import { summarize, table } from './results.mjs';
import { measure } from './rounds.mjs';

const SUITES = { models };

try {
  await main(parseOptions(process.argv.slice(2), SUITES));
} catch (error) {
  if (error instanceof UsageError) console.error(`[bench] ${error.message}; --help shows what there is`);
  else if (error instanceof Interrupted) console.error('[bench] interrupted');
  else if (error instanceof SetupFailure) console.error(`[bench] ${error.message}`);
  else throw error;
  process.exitCode = error instanceof Interrupted ? exitCodeOf(error.signal) : 1;
}

async function main({ help, suite, out, threads, rounds, steps }) {
  if (help) return console.log(usage(SUITES));
  catchInterrupts();
  const contestants = await suite.contestants();
  const say = (message) => console.log(`[bench] ${message}`);
  const measurements = await measure({ works: suite.works, contestants }, { rounds, steps, threads }, say);
  const rows = summarize(measurements, threads);
  const counted = (n, noun) => `${n} ${noun}${n === 1 ? '' : 's'}`;
  console.log(
    `\n${suite.title}: ${os.cpus()[0].model.trim()}, ${counted(threads, 'thread')}, ` +
      `${counted(rounds, 'round')} of ${counted(steps, 'step')}\n\n${table(rows)}`,
  );
  if (out) write(path.resolve(root, out), `${JSON.stringify(rows, null, 2)}\n`);
}
