import fs from 'node:fs';
import path from 'node:path';
import { SetupFailure } from './failure.mjs';
import { cpuRequirement, isMac, tensorflowLibraries } from './platform.mjs';
import { ask, mustRun } from './processes.mjs';
import { fingerprint, log, read, requireDiskSpace, root, say, stateFolder, unlessDone } from './project.mjs';

const [OLDEST, NEWEST] = [10, 13]; // TensorFlow 2.21 has wheels for Python 3.10 to 3.13
const CANDIDATES = ['python3', 'python3.13', 'python3.12', 'python3.11', 'python3.10', 'python'];
const GIGABYTES = { cpu: 2.5, gpu: 10 }; // on disk, and the downloads while they are unpacked

const PROBE = `
import importlib, json, platform, sys, sysconfig
def has(name):
    try: importlib.import_module(name)
    except ImportError: return False
    return True
print(json.dumps({
    'version': platform.python_version(), 'minor': sys.version_info[1] if sys.version_info[0] == 3 else 0,
    'standard': platform.python_implementation() == 'CPython' and not sysconfig.get_config_var('Py_GIL_DISABLED'),
    'venv': has('venv') and has('ensurepip'), 'pip': has('pip'), 'libc': platform.libc_ver()[0],
    'executable': sys.executable, 'packages': sysconfig.get_path('purelib')}))`;

/** Python reads neither what PYTHONPATH adds nor the packages in the home folder: they would pass for installed ones. */
export function pythonVariables() {
  const { PYTHONPATH: _path, PYTHONHOME: _home, ...variables } = process.env;
  return { ...variables, PYTHONNOUSERSITE: '1' };
}

/** The active conda environment other than base, else .venv, created where it is missing or of no use. */
export async function pythonEnvironment() {
  const conda = process.env.CONDA_DEFAULT_ENV !== 'base' && process.env.CONDA_PREFIX;
  return conda ? condaEnvironment(conda) : virtualEnvironment(path.join(root, '.venv'));
}

async function condaEnvironment(folder) {
  const environment = describe(folder, true);
  const found = await probe(environment.python);
  const create = 'conda env create -f environment.yml makes a fitting one; conda deactivate leaves it';
  if (!found || !fits(found))
    throw new SetupFailure(
      `the active conda environment ${folder} has ${found ? `Python ${found.version}` : 'no Python'}, needed is 3.${OLDEST} to 3.${NEWEST}: ${create}.`,
    );
  if (!found.pip)
    throw new SetupFailure(`the active conda environment ${folder} has no pip: run conda install pip.`);
  return { ...environment, version: found.version, packages: found.packages };
}

async function virtualEnvironment(folder) {
  const environment = describe(folder, false);
  let found = await usableEnvironment(environment);
  if (!found) {
    const python = await findPython();
    const what = `creating .venv with Python ${python.version}`;
    say(what + (fs.existsSync(folder) ? ', since the one that is there does not work in this place' : ''));
    fs.rmSync(environment.stamp, { force: true });
    await mustRun(python.executable, ['-m', 'venv', '--clear', folder], {
      what,
      log,
      env: pythonVariables(),
    });
    found = await usableEnvironment(environment);
    if (!found)
      throw new SetupFailure(
        `${what} left no working Python: delete ${folder}, then run the same command again.`,
      );
  }
  return { ...environment, version: found.version, packages: found.packages };
}

const describe = (folder, isConda) => ({
  folder,
  isConda,
  python: path.join(folder, 'bin/python'),
  stamp: path.join(folder, 'share/focal-loss-notebooks/python-packages'),
});

// pip's script comes last when a venv is made, and names the folder it was made for: a venv that was broken off, or
// copied or moved along with its clone, is told apart by it.
async function usableEnvironment({ folder, python }) {
  if (!read(path.join(folder, 'bin/pip'))?.includes(`${folder}/bin/python`)) return null;
  const found = await probe(python);
  return found && fits(found) && found.pip ? found : null;
}

async function probe(python) {
  const answer = await ask(python, ['-c', PROBE], { env: pythonVariables() });
  try {
    return JSON.parse(answer);
  } catch {
    return null; // a stand-in such as pyenv's, which exists and prints something else
  }
}

const fits = ({ minor, standard }) => standard && minor >= OLDEST && minor <= NEWEST;

async function findPython() {
  const chosen = process.env.PYTHON || null;
  const unfit = [];
  let bare = null;
  for (const name of chosen ? [chosen] : CANDIDATES) {
    const found = await probe(name);
    if (found && fits(found) && found.venv) return found;
    if (found && fits(found)) bare ??= found;
    else if (found) unfit.push(`${found.version} (${name})`);
  }
  if (bare)
    throw new SetupFailure(
      `Python ${bare.version} (${bare.executable}) has no venv module: install it (Debian, Ubuntu: apt install python3.${bare.minor}-venv), then run the same command again.`,
    );
  const needed = `Python 3.${OLDEST} to 3.${NEWEST} is needed (TensorFlow has no package for others)`;
  const advice = `install python3.12 with its venv module, name one by PYTHON=/path/to/python3.12, or use conda env create -f environment.yml`;
  if (chosen)
    throw new SetupFailure(
      `${needed}, but PYTHON=${chosen} is ${unfit.length ? unfit[0] : 'not a Python that runs'}: name another one, or leave PYTHON out.`,
    );
  throw new SetupFailure(
    `${needed}; found ${unfit.length ? `only ${unfit.join(', ')}` : 'none'}: ${advice}.`,
  );
}

/** The pip list of environment.yml: the one place that names what the project needs from Python, but TensorFlow. */
export function listedRequirements() {
  const list = read(path.join(root, 'environment.yml')).split(/^ *- pip: *$/m)[1];
  return [...list.matchAll(/^ +- ([^\s#]+)/gm)].map((match) => match[1]);
}

/** environment.yml cannot look for a GPU; the version is in constraints.txt. */
const tensorflowRequirement = (device) => (device === 'gpu' ? 'tensorflow[and-cuda]' : cpuRequirement());

const CONSTRAINED = ['-c', 'constraints.txt'];
const DOWNLOADS = {
  progress: ['--progress-bar=off'],
  echo: /^ *Downloading .*\(([0-9]{2,}\.[0-9]|[0-9]{3,}) ?MB/,
};

/** Installs the Python packages at the versions of constraints.txt. */
export async function installPythonPackages(environment, device) {
  const { folder, python, version, packages, stamp } = environment;
  const library = path.join(packages, 'tensorflow', tensorflowLibraries()[0]);
  const requirements = [...listedRequirements(), tensorflowRequirement(device)];
  if (!fs.existsSync(library)) fs.rmSync(stamp, { force: true });
  await unlessDone(stamp, fingerprint(version, requirements, read('constraints.txt')), async () => {
    const others = otherTensorflows(packages, device);
    if (!fs.existsSync(library) || others.length > 0)
      requireDiskSpace(folder, GIGABYTES[device], 'the Python packages'); // at once, before npm begins next to it
    await requireGlibc(python);
    removeHalfInstalled(packages);
    say(
      device === 'gpu'
        ? 'installing the Python packages (JupyterLab, TensorFlow with CUDA): 3.5 GB to download, 5 minutes or more'
        : 'installing the Python packages (JupyterLab, TensorFlow): 0.4 GB to download, about 2 minutes',
    );
    if (others.length > 0) await downloadTensorflow(python, device);
    if (others.length > 0) await removeTensorflow(python, device);
    if (fs.existsSync(wheelsOf(device))) await installDownloaded(python, device);
    await pip(
      python,
      ['install', ...DOWNLOADS.progress, '--no-warn-script-location', ...CONSTRAINED, ...requirements],
      { what: 'installing the Python packages', echo: DOWNLOADS.echo },
    );
  });
  if (!fs.existsSync(library))
    throw new SetupFailure(
      `TensorFlow is installed in ${folder}, but without ${tensorflowLibraries()[0]}: another TensorFlow than the set-up's? Delete ${stamp}, then run the same command again.`,
    );
}

/** The TensorFlow that is there whole: 'cpu', 'gpu', or null for none. */
export function installedVariant({ packages }) {
  if (!fs.existsSync(path.join(packages, 'tensorflow', tensorflowLibraries()[0]))) return null;
  return installedTensorflows(packages).some((name) => !name.startsWith(wheelName(cpuRequirement())))
    ? 'gpu'
    : 'cpu';
}

export const pip = (python, args, { what, echo }) =>
  mustRun(python, ['-m', 'pip', '--disable-pip-version-check', '--no-input', ...args], {
    what,
    echo,
    log,
    env: { ...pythonVariables(), PIP_USER: '0' },
  });

async function requireGlibc(python) {
  if (isMac()) return;
  const { libc } = await probe(python);
  if (libc !== 'glibc')
    throw new SetupFailure(
      'this Linux has another C library than glibc, for which TensorFlow has no package: use Debian, Ubuntu, Fedora or a container of one.',
    );
}

const installedTensorflows = (packages) =>
  fs.readdirSync(packages).filter((name) => /^tensorflow(_cpu)?-[0-9.]+\.dist-info$/.test(name));

const wheelName = (requirement) => `${requirement.replace(/\[.*/, '').replace('-', '_')}-`;

/** What is installed of the two packages tensorflow and tensorflow-cpu that is not the wanted one. */
const otherTensorflows = (packages, device) =>
  installedTensorflows(packages).filter((name) => !name.startsWith(wheelName(tensorflowRequirement(device))));

// tensorflow and tensorflow-cpu install into the same folder: both at a time would be neither. The one that works goes when
// all of the other is on the disk, so that neither a network that fails nor an impatient reader is left without any.
const WHEELS = path.join(stateFolder, 'wheels');
const wheelsOf = (device) => path.join(WHEELS, device);

async function downloadTensorflow(python, device) {
  say('downloading the other TensorFlow; the one that is there stays until that is done');
  const partial = `${wheelsOf(device)}.partial`; // pip leaves out what is there already
  const download = ['download', ...DOWNLOADS.progress, '--only-binary=:all:', '-d', partial];
  const keep = device === 'gpu' ? 'cpu' : 'gpu';
  await pip(python, [...download, ...CONSTRAINED, tensorflowRequirement(device)], {
    what: `The TensorFlow that is installed still is (TF_DEVICE=${keep} goes on with it). Downloading the other`,
    echo: DOWNLOADS.echo,
  });
  fs.rmSync(wheelsOf(device), { recursive: true, force: true });
  fs.renameSync(partial, wheelsOf(device));
}

async function removeTensorflow(python, device) {
  say('exchanging them');
  const cuda = [...read('constraints.txt').matchAll(/^(nvidia-\S+)==/gm)].map((match) => match[1]);
  const names = ['tensorflow', 'tensorflow-cpu', ...(device === 'cpu' ? cuda : [])];
  await pip(python, ['uninstall', '-y', ...names], { what: 'removing the other TensorFlow' });
}

async function installDownloaded(python, device) {
  const from = ['--no-index', '--find-links', wheelsOf(device)];
  await pip(python, ['install', ...from, ...CONSTRAINED, tensorflowRequirement(device)], {
    what: 'installing the downloaded TensorFlow',
  });
  fs.rmSync(WHEELS, { recursive: true });
}

// pip writes a package's RECORD last, but takes a package without one for installed.
function removeHalfInstalled(packages) {
  for (const name of fs.readdirSync(packages))
    if (name.endsWith('.dist-info') && !fs.existsSync(path.join(packages, name, 'RECORD')))
      fs.rmSync(path.join(packages, name), { recursive: true });
}
