// Who else uses the machine, its temperature and its clock change from minute to minute. So the contestants take turns,
// each time in a fresh process, and are compared within one run only.
import { run } from '../setup/processes.mjs';
import { SetupFailure } from '../setup/failure.mjs';

const WARM_UP = 5; // steps in which kernels are chosen, code is compiled and memory grows

/**
 * Measures every contestant at every work, `rounds` times in turn.
 *
 * A contestant is a program that gets { work, warmUp, steps, threads, processes, models } as JSON in its last argument and
 * prints one line of JSON: { ms: [milliseconds of each step], cpuMs: [its CPU time, if it measures that], rssMB: its largest
 * memory }.
 *
 * @param works  [{ name, ... }], whatever else the contestants need
 * @param contestants  [{ name, command: [program, ...arguments] }], and where it has its own number of them, its threads,
 *   and the processes and models at work at a time, which are 1 without it
 * @param say  told what is being measured
 * @returns {Promise<object[]>} { work, contestant, threads, processes, models, ms, cpuMs, rssMB } for each work, contestant and
 *   round
 * @throws SetupFailure with what a contestant printed, if it fails; Interrupted
 */
export async function measure({ works, contestants }, { rounds, steps, threads }, say) {
  const measurements = [];
  for (let round = 1; round <= rounds; round++)
    for (const work of works) {
      say(`round ${round} of ${rounds}: ${work.name}`);
      for (const { name, command, ...own } of contestants) {
        const [program, ...args] = command;
        const means = { threads, processes: 1, models: 1, ...own };
        const task = JSON.stringify({ work, warmUp: WARM_UP, steps, ...means });
        const { ok, output } = await run(program, [...args, task], { env: environment(means.threads) });
        measurements.push({
          work: work.name,
          contestant: name,
          ...means,
          ...lastJson(ok, output, name, work.name),
        });
      }
    }
  return measurements;
}

const environment = (threads) => ({
  ...process.env,
  TF_NUM_INTRAOP_THREADS: `${threads}`,
  TF_NUM_INTEROP_THREADS: `${threads}`,
  OMP_NUM_THREADS: `${threads}`,
  CUDA_VISIBLE_DEVICES: '-1', // the comparison is one of CPUs
  TF_CPP_MIN_LOG_LEVEL: '2',
  NODE_NO_WARNINGS: '1',
});

function lastJson(ok, output, contestant, work) {
  const line = output.split('\n').findLast((text) => text.startsWith('{'));
  if (ok && line) return JSON.parse(line);
  throw new SetupFailure(`${contestant} failed at ${work}: ${output.trim() || 'it printed nothing'}`);
}
