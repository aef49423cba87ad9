// npm run frameworks: the tests of frameworks/ in the frameworks themselves. npm test has those of Keras and NumPy only.
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { packageFolder } from '../bench/package-folder.mjs';
import { torchPython } from '../bench/torch.mjs';
import { runCommand } from '../command.mjs';
import { catchInterrupts } from '../setup/processes.mjs';
import { root } from '../setup/project.mjs';
import { pythonVariables } from '../setup/python.mjs';

const IN_BENCH = ['reference', 'boosting', 'torch', 'diagnosis', 'jax'];

const ABOUT = `
Tests the files of frameworks/ in PyTorch, JAX, LightGBM, XGBoost and scikit-learn, which it installs into .bench (0.7 GB, and
PyTorch), and in Keras.`;

await runCommand({ name: 'frameworks', about: ABOUT }, main);

async function main() {
  catchInterrupts();
  const torch = await torchPython();
  const requirements = path.join(root, 'scripts/frameworks/requirements.txt');
  const libraries = await packageFolder(torch, path.join(root, '.bench/frameworks'), ['-r', requirements], {
    gigabytes: 1.5,
  });
  const tests = [
    ...IN_BENCH.map((name) => ({ name, python: torch, packages: libraries })),
    { name: 'keras', python: 'python', packages: '' },
  ];
  const failed = tests.filter((test) => !passes(test)).length;
  console.log(`${tests.length - failed} passed, ${failed} failed`);
  process.exitCode = failed ? 1 : 0;
}

function passes({ name, python, packages }) {
  console.log(`[frameworks] ${name}`);
  const env = {
    ...pythonVariables(),
    PYTHONPATH: packages,
    PYTHONDONTWRITEBYTECODE: '1',
    CUDA_VISIBLE_DEVICES: '-1',
    TF_CPP_MIN_LOG_LEVEL: '3',
    OMP_NUM_THREADS: process.env.OMP_NUM_THREADS ?? '1', // on tensors this small, threads only wait for each other
  };
  const file = path.join(root, 'frameworks/test', `test_${name}.py`);
  return spawnSync(python, [file], { env, stdio: 'inherit' }).status === 0;
}
