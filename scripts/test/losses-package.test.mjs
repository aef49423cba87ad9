// The losses as a package, in an empty project with the plain TensorFlow.js: on its backends cpu and WASM, and on WebGL in
// Chromium. The largest errors found there are held to the bounds of the docstrings.
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { findChromium, launch, NO_CHROMIUM, openPage } from '../browser/chromium.mjs';
import { errorsOn, errorsOnWebGL, makeProject, runProgram, serve } from '../losses/plainTensorFlow.mjs';
import { root } from '../setup/project.mjs';

const ESBUILD = JSON.parse(fs.readFileSync(path.join(root, 'scripts/site/lite/package.json'), 'utf8')).devDependencies.esbuild; // prettier-ignore
const README = fs.readFileSync(path.join(root, 'lib/losses/README.md'), 'utf8');
const project = fs.mkdtempSync(path.join(os.tmpdir(), 'losses-'));
let offline;
let browser;

before(() => {
  try {
    makeProject(project, [`esbuild@${ESBUILD}`]);
  } catch (error) {
    if (!/ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ETIMEDOUT|ENETUNREACH/.test(`${error.stderr}`)) throw error;
    offline = 'no connection to the npm registry, from which TensorFlow.js would come';
  }
});
after(async () => {
  await browser?.close();
  fs.rmSync(project, { recursive: true, force: true });
});

const run = (program, type) => runProgram(project, program, type);

/** The bounds of the README for a backend and a kind of loss, in ulp: of gamma up to 1, 2, 5 and 8. */
function boundsInReadme(backend, kind) {
  const rows = README.split('\n').map((line) => line.split('|').map((cell) => cell.trim()).slice(1, -1)); // prettier-ignore
  const [, , ...head] = rows.find(([first]) => first === 'backend');
  const [, , ...ulps] = rows.find(([first, second]) => first?.includes(`\`${backend}\``) && second === kind);
  return Object.fromEntries(head.map((gamma, i) => [gamma, Number(ulps[i])]));
}

/** Up to 1, 2, 5 and 8. */
const GAMMAS = { 1: [0, 0.1, 0.5, 0.9, 1], 2: [1.5, 2], 5: [3, 5], 8: [6.5, 8] };
const HOW = { count: 3000, classes: [2, 21, 1000] };

/** Holds what was found to the bounds of the README. */
function assertWithinBounds(t, backend, errors) {
  for (const upTo of Object.keys(GAMMAS)) {
    const found = Object.entries(errors[upTo]);
    t.diagnostic(`gamma up to ${upTo}: ${found.map(([name, { error }]) => `${name} ${Number(error).toFixed(1)}`).join(', ')}`); // prettier-ignore
    for (const [name, { error, at }] of found) {
      const bound = boundsInReadme(backend, name.split(' ')[0])[upTo];
      assert.ok(error <= bound, `${name}, gamma up to ${upTo}: ${error} ulp at ${JSON.stringify(at)}`);
    }
  }
}

describe('the package of the losses', () => {
  test('brings its README, license and types, in CommonJS and as ES modules, and no other package', () => {
    const folder = path.join(project, 'node_modules/tfjs-focal-loss');
    if (offline) return;
    for (const file of ['README.md', 'LICENSE', 'dist/esm/index.d.ts', 'dist/cjs/index.d.ts'])
      assert.ok(fs.existsSync(path.join(folder, file)), file);
    const { dependencies, peerDependencies } = JSON.parse(
      fs.readFileSync(path.join(folder, 'package.json'), 'utf8'),
    );
    assert.equal(dependencies, undefined);
    assert.deepEqual(Object.keys(peerDependencies), ['@tensorflow/tfjs-core']);
  });

  test('has types, whichever way TypeScript resolves modules', (t) => {
    if (offline) return t.skip(offline);
    fs.writeFileSync(
      path.join(project, 'types.ts'),
      `
      import * as tf from '@tensorflow/tfjs';
      import { exactSigmoidFocalLoss, exactSoftmaxFocalLoss, forCompile } from 'tfjs-focal-loss';
      import { focalLoss } from 'tfjs-focal-loss/closed-form';
      const loss: tf.Scalar = exactSoftmaxFocalLoss(tf.zeros([2, 3]), tf.zeros([2], 'int32'), { alpha: [1, 2, 3], reduction: 'mean' });
      tf.sequential().compile({ optimizer: 'adam', loss: forCompile(exactSigmoidFocalLoss, { gamma: focalLoss(1, 1) }) });
      // @ts-expect-error
      exactSigmoidFocalLoss(loss, loss, { Gamma: 2 });
      `,
    );
    const ways = { nodenext: 'nodenext', node10: 'commonjs', bundler: 'esnext' };
    for (const [moduleResolution, module] of Object.entries(ways)) {
      const options = { noEmit: true, strict: true, skipLibCheck: true, target: 'es2022' };
      const config = { files: ['types.ts'], compilerOptions: { ...options, module, moduleResolution } };
      fs.writeFileSync(path.join(project, `${moduleResolution}.json`), JSON.stringify(config));
    }
    const tsc = path.join(root, 'node_modules/typescript/bin/tsc');
    const configs = Object.keys(ways).map((name) => `${name}.json`);
    execFileSync(process.execPath, [tsc, '-b', ...configs], { cwd: project, encoding: 'utf8' }); // each file is read once
  });

  test('has the closed forms without TensorFlow', (t) => {
    if (offline) return t.skip(offline);
    const program = (load) =>
      `${load}\nconst loaded = typeof require === 'function' ? Object.keys(require.cache).filter((name) => name.includes('tensorflow')) : [];\nconsole.log(JSON.stringify({ slope: focalLossGradient(20, 1, { alpha: null, gamma: 0.5 }), loaded }));`;
    const cjs = run(
      program("const { focalLossGradient } = require('tfjs-focal-loss/closed-form');"),
      'commonjs',
    );
    const esm = run(program("import { focalLossGradient } from 'tfjs-focal-loss/closed-form';"));
    assert.deepEqual(cjs.loaded, []);
    for (const { slope } of [cjs, esm]) assert.ok(Math.abs(slope / -1.4036434e-13 - 1) < 1e-7, `${slope}`);
  });

  for (const backend of ['cpu', 'wasm'])
    test(`keeps its error bounds on the backend ${backend} of plain TensorFlow.js`, (t) => {
      if (offline) return t.skip(offline);
      assertWithinBounds(t, backend, errorsOn(project, backend, GAMMAS, HOW));
    });

  test('trains a model of TensorFlow.js by compile, in CommonJS', (t) => {
    if (offline) return t.skip(offline);
    const { first, last } = run(
      `
      const tf = require('@tensorflow/tfjs');
      const { exactSigmoidFocalLoss, forCompile } = require('tfjs-focal-loss');
      const model = tf.sequential({ layers: [tf.layers.dense({ units: 1, inputShape: [2], kernelInitializer: 'zeros' })] });
      model.compile({ optimizer: tf.train.sgd(1), loss: forCompile(exactSigmoidFocalLoss, { gamma: 0.5, alpha: null }) });
      const x = tf.tensor2d([[1, 0], [0, 1], [1, 1], [-1, -1]]);
      const y = tf.tensor2d([[1], [0], [1], [0]]);
      model.fit(x, y, { epochs: 20, verbose: 0 }).then(({ history: { loss } }) => console.log(JSON.stringify({ first: loss[0], last: loss.at(-1) })));
      `,
      'commonjs',
    );
    assert.ok(Math.abs(first - Math.SQRT1_2 * Math.LN2) < 1e-6 && last < first / 3, `${first} ${last}`);
  });

  test('runs the lines of its README', (t) => {
    if (offline) return t.skip(offline);
    const lines = README.match(/(?<=```js\n).*?(?=```)/gs).join('\n');
    const { costs } = run(`
      const logits = tf.zeros([3, 3]);
      const model = tf.sequential({ layers: [tf.layers.dense({ units: 1, inputShape: [1], kernelInitializer: 'zeros' })] });
      const [x, y, weights] = [tf.tensor2d([[1], [-1]]), tf.tensor2d([[1], [0]]), tf.tensor1d([2, 0])];
      const batches = [1, 2].map(() => ({ x, y, weights }));
      const costs = [];
      console.log = (cost) => costs.push(cost);
      ${lines}
      process.stdout.write(JSON.stringify({ costs: costs.slice(-2) }));
    `);
    assert.equal(costs.length, 2);
    assert.ok(0 < costs[1] && costs[1] < costs[0], `${costs}`);
  });

  test('keeps its error bounds on WebGL, in Chromium', async (t) => {
    if (offline) return t.skip(offline);
    await inChromium(t, async (page) =>
      assertWithinBounds(t, 'webgl', await errorsOnWebGL(project, page, GAMMAS, HOW)),
    );
  });

  test('trains in the page of its README, served as it says there', async (t) => {
    if (offline) return t.skip(offline);
    const [html] = README.match(/(?<=```html\n).*?(?=```)/s);
    const [command] = README.match(/python3 -m http\.server/);
    fs.writeFileSync(path.join(project, 'page.html'), html);
    const [program, ...args] = command.split(' ');
    const server = spawn(program, ['-u', ...args, '--bind', '127.0.0.1', '0'], {
      cwd: project,
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    try {
      const [line] = await once(server.stdout, 'data');
      const port = /port (\d+)/.exec(line)[1];
      await inChromium(t, (page) => assertTrains(page, `http://127.0.0.1:${port}/page.html`));
    } finally {
      server.kill();
    }
  });

  test('trains in a page that a bundler made of the same module', async (t) => {
    if (offline) return t.skip(offline);
    const [module] = README.match(/(?<=<script type="module">\n).*?(?=<\/script>)/s);
    fs.writeFileSync(path.join(project, 'main.mjs'), module);
    execFileSync('npx', ['esbuild', 'main.mjs', '--bundle', '--format=esm', '--outfile=bundle.js', '--log-level=error'], {
      cwd: project,
      stdio: 'pipe',
    }); // prettier-ignore
    fs.writeFileSync(path.join(project, 'bundled.html'), '<!doctype html><script type="module" src="bundle.js"></script>'); // prettier-ignore
    const server = await serve(project);
    try {
      await inChromium(t, (page) => assertTrains(page, `${server.origin}/bundled.html`));
    } finally {
      server.close();
    }
  });
});

/** In a page, and with a profile, of its own. */
async function inChromium(t, use) {
  const executable = findChromium();
  if (!executable) return t.skip(NO_CHROMIUM);
  browser ??= await launch(executable);
  const { page } = await openPage(browser);
  try {
    await use(page);
  } finally {
    await page.close();
  }
}

/** What the page of the README writes: the backend, and the loss before and after. */
async function assertTrains(page, address) {
  const errors = [];
  page.on('pageerror', (error) => errors.push(error.message));
  await page.goto(address);
  const body = page.locator('body', { hasText: 'loss' });
  const said = await body
    .textContent({ timeout: 60_000 })
    .catch(() => assert.fail(`it wrote nothing: ${errors}`));
  const [, backend, first, last] = said.match(/(\w+): loss ([\d.]+), then ([\d.]+)/);
  assert.equal(backend, 'webgl');
  assert.ok(
    Math.abs(Number(first) - Math.SQRT1_2 * Math.LN2) < 1e-4 && Number(last) < Number(first) / 3,
    said,
  );
}
