// npm run build: --help tells the rest.
import { runCommand } from './command.mjs';
import { compileLibrary } from './setup/library.mjs';
import { catchInterrupts } from './setup/processes.mjs';

const ABOUT = `
Compiles lib/src and lib/test into lib/dist. A kernel that runs has what was there when it started: restart it.`;

await runCommand({ name: 'build', about: ABOUT }, async () => {
  catchInterrupts();
  await compileLibrary({ tests: true });
  console.log('lib/dist is up to date');
});
