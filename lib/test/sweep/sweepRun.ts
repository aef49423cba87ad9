// Run by sweep.test.ts as a process of its own, which may be killed: runs a sweep, or one shard of it, and sends what came
// of it to its parent.
import type { SweepRun, SweepSettings } from 'focal-loss-lab';
import type { SweepOptions } from 'focal-loss-lab/dist/sweep';
import { runShard, runSweep } from 'focal-loss-lab/dist/sweep/runSweep'; // TensorFlow would take a second to load

export interface SweepPlan {
  settings: SweepSettings;
  options: SweepOptions;
  shard?: number;
}

export type SweepOutcome = { runs: SweepRun[] } | { error: string };

async function main({ settings, options, shard }: SweepPlan): Promise<SweepOutcome> {
  const stop = new AbortController();
  process.on('SIGINT', () => stop.abort(new Error('stopped')));
  try {
    const stoppable = { ...options, signal: stop.signal };
    if (shard === undefined) return { runs: await runSweep(settings, stoppable) };
    await runShard(settings, shard, stoppable);
    return { runs: [] };
  } catch (error) {
    return { error: String(error) };
  }
}

void main(JSON.parse(process.argv[2]) as SweepPlan).then((outcome) =>
  process.send?.(outcome, () => process.disconnect()),
);
