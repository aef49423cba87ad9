// The losses as a package, in an empty project with the plain TensorFlow.js: on its backends cpu and WASM, and on WebGL in
// Chromium. The largest errors found there are held to the bounds of the docstrings.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import http from 'node:http';
import os from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { findChromium, launch, NO_CHROMIUM, openPage } from '../browser/chromium.mjs';
import { root } from '../setup/project.mjs';

const TFJS = JSON.parse(fs.readFileSync(path.join(root, 'package-lock.json'), 'utf8')).packages['node_modules/@tensorflow/tfjs'].version; // prettier-ignore
const project = fs.mkdtempSync(path.join(os.tmpdir(), 'losses-'));
let offline;

before(() => {
  execFileSync(process.execPath, ['scripts/losses/pack.mjs', project], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [tarball] = fs.readdirSync(project).filter((name) => name.endsWith('.tgz'));
  fs.writeFileSync(path.join(project, 'package.json'), '{ "private": true }');
  fs.copyFileSync(path.join(root, 'scripts/losses/errors.mjs'), path.join(project, 'errors.mjs'));
  const packages = [`./${tarball}`, `@tensorflow/tfjs@${TFJS}`, `@tensorflow/tfjs-backend-wasm@${TFJS}`];
  try {
    execFileSync(
      'npm',
      ['install', '--ignore-scripts', '--prefer-offline', '--loglevel=error', ...packages],
      {
        cwd: project,
        stdio: 'pipe',
      },
    );
  } catch (error) {
    if (!/ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ETIMEDOUT|ENETUNREACH/.test(`${error.stderr}`)) throw error;
    offline = 'no connection to the npm registry, from which TensorFlow.js would come';
  }
});
after(() => fs.rmSync(project, { recursive: true, force: true }));

/** The last line that a program printed, as JSON. */
function run(program, type = 'module') {
  const file = path.join(project, type === 'module' ? 'program.mjs' : 'program.cjs');
  fs.writeFileSync(file, program);
  const output = execFileSync(process.execPath, [file], {
    cwd: project,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  return JSON.parse(output.trim().split('\n').at(-1));
}

const MEASURE = `
  const worst = {};
  for (const [range, gammas] of Object.entries({ 1: [0, 0.1, 0.5, 0.9, 1], 2: [1.5, 2], 5: [3, 5] })) {
    const found = { binary: [], softmax: [] };
    for (const gamma of gammas) {
      found.binary.push(await binaryErrors({ tf, losses }, { gamma, count: 3000 }));
      for (const classes of [2, 21, 300])
        found.softmax.push(await softmaxErrors({ tf, losses }, { classes, gamma, rows: 100, asRows: classes === 21 }));
    }
    const largest = (all) => all.flatMap(Object.values).reduce((a, b) => (b.error > a.error ? b : a));
    worst[range] = { binary: largest(found.binary), softmax: largest(found.softmax) };
  }
  for (const each of Object.values(worst)) for (const one of Object.values(each)) one.error = Number.isFinite(one.error) ? one.error : 'Infinity';
`;

/** Largest errors in ulp for gamma up to 1, 2 and 5. */
function assertWithin(worst, bounds) {
  for (const [gamma, kinds] of Object.entries(bounds))
    for (const [kind, ulps] of Object.entries(kinds)) {
      const { error, at } = worst[gamma][kind];
      assert.ok(error <= ulps, `${kind}, gamma up to ${gamma}: ${error} ulp at ${JSON.stringify(at)}`);
    }
}
const BOUNDS = {
  1: { binary: 9, softmax: 15 },
  2: { binary: 12, softmax: 20 },
  5: { binary: 22, softmax: 32 },
};
// WASM adds one class after the other, up to 300 here.
const ON_WASM = {
  1: { binary: 9, softmax: 30 },
  2: { binary: 12, softmax: 45 },
  5: { binary: 22, softmax: 90 },
};
// The exp and pow of graphics cards are less exact.
const ON_WEBGL = {
  1: { binary: 200, softmax: 200 },
  2: { binary: 200, softmax: 200 },
  5: { binary: 300, softmax: 300 },
};

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
      const worst = run(`
        import * as tf from '@tensorflow/tfjs';
        import '@tensorflow/tfjs-backend-wasm';
        import * as losses from 'tfjs-focal-loss';
        import { binaryErrors, softmaxErrors } from './errors.mjs';
        if (!(await tf.setBackend('${backend}'))) throw new Error('no backend ${backend}');
        ${MEASURE}
        console.log(JSON.stringify(worst));
      `);
      t.diagnostic(JSON.stringify(worst));
      assertWithin(worst, backend === 'cpu' ? BOUNDS : ON_WASM);
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

  test('keeps its error bounds on WebGL, in Chromium, without a bundler', async (t) => {
    if (offline) return t.skip(offline);
    const executable = findChromium();
    if (!executable) return t.skip(NO_CHROMIUM);
    const server = await serve(project);
    const browser = await launch(executable);
    try {
      const { page } = await openPage(browser);
      await page.goto(`${server.origin}/page.html`);
      const { backend, worst } = await page.evaluate(() => globalThis.result);
      assert.equal(backend, 'webgl');
      t.diagnostic(JSON.stringify(worst));
      assertWithin(worst, ON_WEBGL);
    } finally {
      await browser.close();
      server.close();
    }
  });
});

const PAGE = `<!doctype html>
<script type="importmap">
  { "imports": {
    "@tensorflow/tfjs-core": "/node_modules/@tensorflow/tfjs/dist/tf.fesm.min.js",
    "tfjs-focal-loss": "/node_modules/tfjs-focal-loss/dist/esm/index.js" } }
</script>
<script>globalThis.result = new Promise((resolve, reject) => Object.assign(globalThis, { resolve, reject }));</script>
<script type="module">
  import * as tf from '@tensorflow/tfjs-core';
  import * as losses from 'tfjs-focal-loss';
  import { binaryErrors, softmaxErrors } from '/errors.mjs';
  try {
    await tf.setBackend('webgl');
    ${MEASURE}
    resolve({ backend: tf.getBackend(), worst });
  } catch (error) {
    reject(error);
  }
</script>`;

async function serve(folder) {
  const server = http.createServer((request, response) => {
    const name = new URL(request.url, 'http://localhost').pathname;
    const file = path.join(folder, name);
    if (name === '/page.html') return response.setHeader('Content-Type', 'text/html').end(PAGE);
    if (!file.startsWith(folder) || !fs.existsSync(file)) return response.writeHead(404).end();
    response.setHeader('Content-Type', 'text/javascript').end(fs.readFileSync(file));
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { origin: `http://127.0.0.1:${server.address().port}`, close: () => server.close() };
}
