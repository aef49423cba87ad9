// npm run census: installs libraries that offer a focal loss, and measures from which logit on it goes NaN and how far
// off it is before.
import os from 'node:os';
import path from 'node:path';
import { writeRunOf } from '../../lib/dist/results/runFile.js';
import { runCommand, UsageError } from '../command.mjs';
import { SetupFailure } from '../setup/failure.mjs';
import { catchInterrupts, run } from '../setup/processes.mjs';
import { root } from '../setup/project.mjs';
import { pythonVariables } from '../setup/python.mjs';
import { environments } from './environments.mjs';
import { merge } from './results.mjs';

const DEFAULT_OUT = 'data/results/census.csv';
const COMMAND = {
  name: 'census',
  about: `
Installs the libraries into .census (2.5 GB, and PyTorch in .bench) and measures their focal losses, on the CPU.
Needs Python 3.11.`,
  options: { out: ['FILE', `the result (default ${DEFAULT_OUT})`] },
};

await runCommand(COMMAND, async ({ out = DEFAULT_OUT }) => {
  if (!out.endsWith('.csv')) throw new UsageError(`--out is '${out}'; expected a name that ends with .csv`);
  catchInterrupts();
  const outputs = [];
  for (const environment of await environments()) outputs.push(await measure(environment));
  const { settings, versions, rows } = merge(outputs);
  const date = new Date().toISOString().slice(0, 10);
  const machine = os.cpus()[0].model.trim();
  writeRunOf(path.resolve(root, out), { settings: { ...settings, machine, date }, versions, rows });
  console.log(`[census] ${out}: ${rows.length} rows`);
});

async function measure({ python, packages, module, functions }) {
  console.log(`[census] measuring ${functions.join(', ')}`);
  const program = path.join(root, 'scripts/census/census.py');
  const env = {
    ...pythonVariables(),
    PYTHONPATH: packages.join(path.delimiter),
    PYTHONDONTWRITEBYTECODE: '1',
    PYTHONWARNINGS: 'ignore',
    CUDA_VISIBLE_DEVICES: '-1', // thresholds are those of the CPU
    TF_CPP_MIN_LOG_LEVEL: '3',
    KERAS_BACKEND: 'tensorflow',
  };
  const { ok, output } = await run(python, [program, module, ...functions], { env });
  if (!ok) throw new SetupFailure(`${functions.join(', ')} failed: ${output.trim()}`);
  return output;
}
