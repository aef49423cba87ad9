// node scripts/site/lite/main.mjs FOLDER: writes the browser edition into it. build.py calls it.
import path from 'node:path';
import { runCommand } from '../../command.mjs';
import { catchInterrupts } from '../../setup/processes.mjs';
import { buildBrowserEdition } from './build.mjs';

await runCommand('site', () => {
  catchInterrupts();
  return buildBrowserEdition(path.resolve(process.argv[2]));
});
