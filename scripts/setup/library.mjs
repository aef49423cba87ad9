import path from 'node:path';
import { SetupFailure } from './failure.mjs';
import { run } from './processes.mjs';
import { root } from './project.mjs';

/** Compiles lib, and with `tests` its tests too; the compiler's words are shown where it does not compile. */
export async function compileLibrary({ tests = false } = {}) {
  const tsc = path.join(root, 'node_modules/typescript/bin/tsc'); // npx tsc would be the compiler that tslab brings
  const { ok, output } = await run(process.execPath, [tsc, '-b', tests ? '.' : 'lib'], { cwd: root });
  if (ok) return;
  console.error(output.trim());
  throw new SetupFailure(
    'lib does not compile: fix what the lines above name, then run the same command again.',
  );
}
