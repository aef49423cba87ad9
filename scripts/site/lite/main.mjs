// node scripts/site/lite/main.mjs FOLDER: writes the browser edition into it. build.py calls it.
import path from 'node:path';
import { runCommand, UsageError } from '../../command.mjs';
import { catchInterrupts } from '../../setup/processes.mjs';
import { buildBrowserEdition } from './build.mjs';

const COMMAND = {
  name: 'site',
  call: 'node scripts/site/lite/main.mjs',
  operands: 'FOLDER',
  about: 'Writes the browser edition into FOLDER, as npm run site does.',
};

await runCommand(COMMAND, (_options, [folder]) => {
  catchInterrupts();
  if (folder === undefined) throw new UsageError('FOLDER is missing');
  return buildBrowserEdition(path.resolve(folder));
});
