// npm run bench -- SUITE: times what this project computes next to what others compute, in turn. A suite is a module
// that lists its works and its contestants; rounds.mjs says what a contestant is.
import os from 'node:os';
import path from 'node:path';
import { runCommand } from '../command.mjs';
import { catchInterrupts } from '../setup/processes.mjs';
import { root, write } from '../setup/project.mjs';
import { grid, gridSize } from './grid.mjs';
import { models } from './models.mjs';
import { checkOptions, command } from './options.mjs';
import { summarize, table } from './results.mjs';
import { measure } from './rounds.mjs';

const SUITES = { models, grid, 'grid-size': gridSize };

await runCommand(command(SUITES), (options, operands) => main(checkOptions(options, operands, SUITES)));

async function main({ suite, out, threads, rounds, steps }) {
  catchInterrupts();
  const contestants = await suite.contestants();
  const say = (message) => console.log(`[bench] ${message}`);
  const measurements = await measure({ works: suite.works, contestants }, { rounds, steps, threads }, say);
  const rows = summarize(measurements);
  const counted = (n, noun) => `${n} ${noun}${`${n}` === '1' ? '' : 's'}`;
  const threadsOfRows = [...new Set(rows.map((row) => row.threads))].join(' or ');
  console.log(
    `\n${suite.title}: ${os.cpus()[0].model.trim()}, ${counted(threadsOfRows, 'thread')}, ` +
      `${counted(rounds, 'round')} of ${counted(steps, 'step')}\n\n${table(rows)}`,
  );
  if (!out) return;
  const machine = `${os.cpus()[0].model.trim()}, ${os.availableParallelism()} cores`;
  const date = new Date().toISOString().slice(0, 10);
  write(path.resolve(root, out), `${JSON.stringify({ machine, date, rows }, null, 2)}\n`);
}
