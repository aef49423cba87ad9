// Run by sweep.test.ts where the sweep's folder is a small disk of its own: fills the disk in the middle of the sweep, prints
// what the sweep says, makes room again, lets it go on, and copies the result to where the test can see it.
import { fork } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { SweepOutcome, SweepPlan } from './sweepRun';

const [plan, copy] = process.argv.slice(2);
const { out } = (JSON.parse(plan) as SweepPlan).options;
const ballast = path.join(path.dirname(out), 'ballast');

function run(): Promise<SweepOutcome> {
  const child = fork(path.join(__dirname, 'sweepRun.js'), [plan], {
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  });
  return new Promise((resolve, reject) => {
    child.on('message', (message) => resolve(message as SweepOutcome));
    child.on('exit', () => reject(new Error('the sweep ended without a word')));
  });
}

function fill(): void {
  const descriptor = fs.openSync(ballast, 'w');
  try {
    for (;;) fs.writeSync(descriptor, Buffer.alloc(4096));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
  } finally {
    fs.closeSync(descriptor);
  }
}

async function main(): Promise<void> {
  const first = run();
  while (!fs.existsSync(`${out}.parts/0000.partial.json`)) await sleep(20);
  fill();
  const outcome = await first;
  console.log('error' in outcome ? outcome.error : 'it did not notice');
  fs.rmSync(ballast);
  const again = await run();
  if ('error' in again) throw new Error(again.error);
  fs.mkdirSync(path.dirname(copy), { recursive: true });
  for (const name of ['runs.csv', 'runs.epochs.csv'])
    fs.copyFileSync(path.join(path.dirname(out), name), path.join(path.dirname(copy), name));
}

void main();
