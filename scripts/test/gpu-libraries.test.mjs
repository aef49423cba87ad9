// That the GPU variant finds its libraries can be shown without a GPU: TensorFlow's loader looks for them first.
// Run it with the GPU variant installed: TF_DEVICE=gpu node scripts/setup.mjs node --test scripts/test/gpu-libraries.test.mjs
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { ADDON } from '../setup/addon.mjs';
import { root } from '../setup/project.mjs';
import { installedVariant, pythonEnvironment } from '../setup/python.mjs';

const environment = await pythonEnvironment();
const { packages } = environment;
const hasGpuVariant = installedVariant(environment) === 'gpu' && fs.existsSync(ADDON);

describe('the GPU variant', { skip: !hasGpuVariant && 'TensorFlow for CPU is installed' }, () => {
  let folder, loader;
  const tensorflow = path.join(packages, 'tensorflow');

  before(() => {
    folder = fs.mkdtempSync(path.join(os.tmpdir(), 'gpu-libraries-'));
    loader = path.join(folder, 'loader.node');
    // prettier-ignore
    execFileSync(process.env.CXX ?? 'g++', [
      '-std=c++17', '-fPIC', '-shared', '-DNAPI_VERSION=8', '-DNODE_GYP_MODULE_NAME=loader',
      `-I${root}/node_modules/node-api-headers/include`, `-I${tensorflow}/include`,
      path.join(root, 'scripts/test/gpu-libraries.cc'), '-o', loader,
      `-L${tensorflow}`, '-l:libtensorflow_cc.so.2', '-l:libtensorflow_framework.so.2', `-Wl,-rpath,${tensorflow}`,
    ]);
  });
  after(() => fs.rmSync(folder, { recursive: true }));

  const answerAfterLoading = (...addons) =>
    spawnSync(
      process.execPath,
      [
        '-p',
        `${addons.map((file) => `require(${JSON.stringify(file)});`).join('')}require(${JSON.stringify(loader)})`,
      ],
      { encoding: 'utf8' },
    ).stdout.trim();

  test('TensorFlow’s loader finds every CUDA library in a process that has loaded our addon', () => {
    assert.equal(answerAfterLoading(ADDON), 'OK');
  });

  test('without the addon it does not find libcusolver: the extra library that the addon links is still needed', () => {
    assert.match(answerAfterLoading(), /Cannot dlopen all CUDA libraries/);
  });
});
