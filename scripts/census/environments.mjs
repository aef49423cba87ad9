// The libraries in environments of their own, in .census, at the versions of scripts/census/requirements.
import path from 'node:path';
import { packageFolder } from '../bench/package-folder.mjs';
import { torchPython } from '../bench/torch.mjs';
import { SetupFailure } from '../setup/failure.mjs';
import { ask, mustRun } from '../setup/processes.mjs';
import { log, read, requireDiskSpace, root, say, unlessDone } from '../setup/project.mjs';
import { pip, pythonVariables } from '../setup/python.mjs';

const folder = path.join(root, '.census');
const requirements = (name) => path.join(root, 'scripts/census/requirements', `${name}.txt`);

/**
 * Installs what is missing.
 *
 * @returns {Promise<{ python: string, packages: string[], module: string, functions: string[] }[]>} the processes that
 *   measure: a Python, the folders of packages that it sees before its own, and what census.py is told
 * @throws SetupFailure, Interrupted
 */
export async function environments() {
  const torch = await torchPython();
  const libraries = await packages(torch, 'torch', ['-r', requirements('torch')]);
  const old = (name, version) => packages(torch, `${name}-${version}`, [`${name}==${version}`]);
  const jax = await virtualEnvironment('jax', 0.7);
  const torchLosses = (folders, functions, module = 'torch_losses') => ({
    python: torch,
    packages: folders,
    module,
    functions,
  });
  const optax = { python: jax, module: 'jax_losses', functions: ['optax'] };
  return [
    torchLosses(
      [libraries],
      ['torchvision', 'fvcore', 'mmdetection', 'segmentation_models', 'kornia', 'monai'],
    ),
    torchLosses(
      [libraries],
      [
        ...['transformers', 'rfdetr', 'ultralytics', 'effdet', 'super_gradients', 'toolbelt'],
        ...['balanced_loss', 'timm', 'mmdetection_quality', 'monai_softmax', 'kornia_softmax'],
      ],
      'torch_relatives',
    ),
    { ...optax, packages: [] },
    // Keras is where the project's own TensorFlow is.
    { python: 'python', packages: [], module: 'tensorflow_losses', functions: ['keras'] },
    {
      python: await virtualEnvironment('addons', 1.5),
      packages: [],
      module: 'tensorflow_losses',
      functions: ['addons'],
    },
    torchLosses([await old('kornia', '0.5.0'), libraries], ['kornia_of_2021']),
    torchLosses([await old('kornia', '0.5.1'), libraries], ['kornia_of_2021']),
    { ...optax, packages: [await packages(jax, 'optax-0.2.4', ['optax==0.2.4'])] },
    torchLosses([libraries], ['stabilized_form', 'exact_form']),
    torchLosses([libraries], ['detached_form', 'frameworks'], 'torch_relatives'),
  ];
}

/** Packages without what they depend on. */
const packages = (python, name, wanted) => packageFolder(python, path.join(folder, name), wanted);

async function virtualEnvironment(name, gigabytes) {
  const target = path.join(folder, name);
  const python = path.join(target, 'bin/python');
  await unlessDone(path.join(target, 'installed'), read(requirements(name)), async () => {
    requireDiskSpace(root, gigabytes, name);
    const what = `installing ${name} into .census`;
    say(what);
    await mustRun(await python311(), ['-m', 'venv', '--clear', target], {
      what,
      log,
      env: pythonVariables(),
    });
    await pip(python, ['install', '--no-deps', '-r', requirements(name)], { what });
  });
  return python;
}

/** TensorFlow Addons has no package for a newer one, JAX none for an older. */
async function python311() {
  const tell = 'import sys; print(*sys.version_info[:2], sep=".")';
  for (const name of [process.env.PYTHON, 'python', 'python3.11'])
    if (name && (await ask(name, ['-c', tell], { env: pythonVariables() })) === '3.11') return name;
  throw new SetupFailure(
    'the census needs Python 3.11, and neither python nor python3.11 is one: install it, or name it by PYTHON=/path/to/python3.11',
  );
}
