// npm run gpu-check: what can only be known on a GPU, in under ten minutes, for an issue and as JSON. Where no GPU is seen,
// the same checks compare the CPU with itself: then they test nothing but this command, and say so.
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { clearInterval, setInterval } from 'node:timers';
import { Progress } from '../../lib/dist/display/progress.js';
import { runCommand, UsageError } from '../command.mjs';
import { catchInterrupts } from '../setup/processes.mjs';
import { root, write } from '../setup/project.mjs';
import { CHECKS } from './checks.mjs';
import { summary } from './summary.mjs';
import { Tasks } from './tasks.mjs';

const OPTIONS = {
  out: ['FILE', 'the results as JSON (default data/cache/gpu-check.json)'],
  only: ['LIST', `some of the checks: ${CHECKS.map(({ name }) => name).join(', ')}`],
  minutes: ['X', 'what has not begun by then is left out (default 9.5)'],
};
const ABOUT = 'Checks on a GPU what this project promises, next to the CPU of the same machine.';

await runCommand({ name: 'gpu-check', about: ABOUT, options: OPTIONS }, async (values) => {
  const { out, only, minutes } = checked(values);
  catchInterrupts();
  const results = await check(only, minutes);
  console.log(`\n${summary(results)}`);
  write(out, `${JSON.stringify(results, null, 2)}\n`);
  console.log(
    `\nThe lines above fit into an issue; the same with all numbers is in ${path.relative(root, out)}.`,
  );
  process.exitCode = results.checks.every(({ state }) => state === 'ok') ? 0 : 1;
});

async function check(only, minutes) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'gpu-check-'));
  const deadline = performance.now() + minutes * 60_000;
  const tasks = new Tasks(folder, deadline);
  const chosen = CHECKS.filter(({ name }) => only === undefined || only.includes(name));
  const progress = new Progress(chosen.length, 'gpu-check');
  const results = { date: new Date().toISOString(), machine: undefined, checks: [] };
  try {
    progress.update(0, 'the device');
    results.machine = await tasks.run('device');
    for (const [i, { name, title, run }] of chosen.entries()) {
      progress.update(i, title);
      const heartbeat = setInterval(() => progress.update(i, title), 1000);
      const start = performance.now();
      const found = await outcome(run, { tasks, folder, machine: results.machine, deadline });
      clearInterval(heartbeat);
      results.checks.push({
        name,
        title,
        ...found,
        seconds: Math.round((performance.now() - start) / 100) / 10,
      });
    }
    progress.done(`gpu-check: ${chosen.length} checks`);
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
  return results;
}

/** A check that cannot be made says why, and the next one is made. */
async function outcome(run, context) {
  if (performance.now() > context.deadline) return { state: 'not run', text: 'no time was left' };
  try {
    const { ok, text, ...data } = await run(context);
    return { state: ok ? 'ok' : 'FAILED', text, ...data };
  } catch (error) {
    if (error.name !== 'TaskFailure') throw error;
    return { state: error.late ? 'not run' : 'FAILED', text: error.message };
  }
}

function checked({ out = 'data/cache/gpu-check.json', minutes = '9.5', only: list }) {
  if (!(Number(minutes) > 0)) throw new UsageError(`--minutes: '${minutes}' is not a number above 0`);
  const only = list?.split(',').map((name) => name.trim());
  const unknown = only?.find((name) => !CHECKS.some((each) => each.name === name));
  if (unknown !== undefined) throw new UsageError(`--only: there is no check '${unknown}'`);
  return { out: path.resolve(root, out), only, minutes: Number(minutes) };
}
