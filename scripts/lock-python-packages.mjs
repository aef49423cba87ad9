// Writes constraints.txt again from the pip list of environment.yml, after a version there has changed:
// pip install uv, then node scripts/lock-python-packages.mjs
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import { root } from './setup/project.mjs';
import { listedRequirements } from './setup/python.mjs';

const TENSORFLOW = '2.21.0';
const CUDNN = '9.10.2.21'; // has code for Pascal and Volta, the newest has not; TensorFlow asks for 9.3 or newer
const JSONSCHEMA = 'jsonschema<4.25'; // later ones compile a grammar at each import: 2.5 s for all that reads a notebook
const ZIG = '0.13.0'; // the newest whose linker is known to build the addon

process.chdir(root);
const requirements = [
  ...listedRequirements(),
  `tensorflow-cpu==${TENSORFLOW}`,
  `tensorflow[and-cuda]==${TENSORFLOW}`,
  `nvidia-cudnn-cu12==${CUDNN}`,
  `ziglang==${ZIG}`,
  JSONSCHEMA,
];
const versions = execFileSync(
  'uv',
  ['pip', 'compile', '-', '--universal', '--python-version=3.10', '--no-annotate', '--no-header', '--quiet'],
  { input: requirements.join('\n') },
);
fs.writeFileSync(
  'constraints.txt',
  `# Every Python package at one version, for Python 3.10 to 3.13. Made by scripts/lock-python-packages.mjs.\n${versions}`,
);
