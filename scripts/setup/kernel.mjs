import path from 'node:path';
import { read, root, write } from './project.mjs';

const NEWS = '@jupyterlab/apputils-extension:notification';

/**
 * Tells Jupyter about the kernel of this clone. `tslab install` would add a JavaScript kernel and could not set
 * variables; the name is tslab's, so that the notebooks open on any tslab.
 */
export function registerKernel({ folder }) {
  const jupyter = path.join(folder, 'share/jupyter');
  const kernel = {
    argv: [process.execPath, path.join(root, 'scripts/kernel.cjs'), '{connection_file}'],
    display_name: 'TypeScript',
    language: 'typescript',
    interrupt_mode: 'signal',
    env: { TF_CPP_MIN_LOG_LEVEL: '2', NODE_NO_WARNINGS: '1' },
  };
  write(path.join(jupyter, 'kernels/tslab/kernel.json'), JSON.stringify(kernel, null, 2) + '\n');

  const overrides = path.join(jupyter, 'lab/settings/overrides.json');
  const settings = {
    ...JSON.parse(read(overrides) ?? '{}'),
    [NEWS]: { fetchNews: 'false', checkForUpdates: false },
  };
  write(overrides, JSON.stringify(settings, null, 2) + '\n');
}
