import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { backend } from './rawOps';
import { tf } from './tensorflow';

/** Versions of what computes and of what compiles the cells; `typescript` is the one inside tslab. */
export function versions(): Record<'focal-loss-lab' | 'node' | 'tfjs' | 'tensorflow' | 'typescript', string> {
  const ours = readFileSync(path.join(__dirname, '..', '..', 'package.json'), 'utf8');
  const tslab = createRequire(require.resolve('tslab/package.json'));
  return {
    'focal-loss-lab': (JSON.parse(ours) as { version: string }).version,
    node: process.versions.node,
    tfjs: tf.version.tfjs,
    tensorflow: backend.binding.TF_Version,
    typescript: (tslab('typescript/package.json') as { version: string }).version,
  };
}
