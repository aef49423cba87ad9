// npm run format: --help tells the rest.
import { Failure, runCommand } from './command.mjs';
import { catchInterrupts, run } from './setup/processes.mjs';
import { root } from './setup/project.mjs';

const TOOLS = [
  ['prettier', '--write', '--log-level=warn', '.'],
  ['ruff', 'format', '--quiet', 'scripts'],
];

await runCommand({ name: 'format', about: 'Lets Prettier and ruff lay out the code.' }, async () => {
  catchInterrupts();
  for (const [tool, ...args] of TOOLS) {
    const { ok, output } = await run(tool, args, { cwd: root });
    if (!ok) throw new Failure(`${tool} failed:\n${output.trim()}`);
  }
});
