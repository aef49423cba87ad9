// Run by sweep.test.ts as a process of its own, since Stop is a signal to a process: in a fake kernel, runs a sweep that is
// stopped when its first epochs are in the files, and sends what its reader sees.
import { outputs } from '../display/fakeKernel';
import fs from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { runSweep } from 'focal-loss-lab/dist/sweep/runSweep';
import type { SweepPlan } from './sweepRun';

export interface StoppedSweep {
  error: string;
  lines: string[];
}

async function stopWhenTraining(parts: string): Promise<void> {
  const isTraining = () =>
    fs.existsSync(parts) && fs.readdirSync(parts).some((name) => name.endsWith('.partial.json'));
  while (!isTraining()) await sleep(20);
  process.kill(process.pid, 'SIGINT');
}

async function main({ settings, options }: SweepPlan): Promise<void> {
  const stopped = stopWhenTraining(`${options.out}.parts`);
  const error = await runSweep(settings, options).then(() => 'none', String);
  await stopped;
  const lines = outputs.map(({ data }) => data['text/plain']);
  process.send?.({ error, lines } satisfies StoppedSweep, () => process.disconnect());
}

void main(JSON.parse(process.argv[2]) as SweepPlan);
