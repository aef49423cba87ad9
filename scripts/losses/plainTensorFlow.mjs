// An empty project with the packed losses and the plain TensorFlow.js, and a page in Chromium that loads both from it.
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { root } from '../setup/project.mjs';

const TFJS = JSON.parse(fs.readFileSync(path.join(root, 'package-lock.json'), 'utf8')).packages['node_modules/@tensorflow/tfjs'].version; // prettier-ignore

/**
 * Packs the losses and installs them into an empty folder, next to TensorFlow.js, its WASM backend and errors.mjs.
 *
 * @param more  other packages to install
 * @throws Error if npm fails
 */
export function makeProject(folder, more = []) {
  execFileSync(process.execPath, ['scripts/losses/pack.mjs', folder], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [tarball] = fs.readdirSync(folder).filter((name) => name.endsWith('.tgz'));
  fs.writeFileSync(path.join(folder, 'package.json'), '{ "private": true }');
  fs.copyFileSync(path.join(root, 'scripts/losses/errors.mjs'), path.join(folder, 'errors.mjs'));
  const packages = [
    `./${tarball}`,
    `@tensorflow/tfjs@${TFJS}`,
    `@tensorflow/tfjs-backend-wasm@${TFJS}`,
    ...more,
  ];
  const options = ['--ignore-scripts', '--prefer-offline', '--no-audit', '--no-fund', '--loglevel=error'];
  execFileSync('npm', ['install', ...options, ...packages], { cwd: folder, stdio: 'pipe' });
}

/** What a program that runs in the project printed last, as JSON. */
export function runProgram(folder, program, type = 'module') {
  const file = path.join(folder, type === 'module' ? 'program.mjs' : 'program.cjs');
  fs.writeFileSync(file, program);
  const output = execFileSync(process.execPath, [file], {
    cwd: folder,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  return JSON.parse(output.trim().split('\n').at(-1));
}

const call = (ranges, how) =>
  `largestErrors({ tf, losses }, ${JSON.stringify(ranges)}, ${JSON.stringify(how)})`;

/** `largestErrors` of errors.mjs in the project, on a backend of the plain TensorFlow.js. */
export function errorsOn(folder, backend, ranges, how) {
  return runProgram(
    folder,
    `
    import * as tf from '@tensorflow/tfjs';
    import '@tensorflow/tfjs-backend-wasm';
    import * as losses from 'tfjs-focal-loss';
    import { asJson, largestErrors } from './errors.mjs';
    if (!(await tf.setBackend('${backend}'))) throw new Error('no backend ${backend}');
    console.log(asJson(await ${call(ranges, how)}));
    `,
  );
}

const ERRORS_PAGE = (ranges, how) => `<!doctype html>
<script type="importmap">
  { "imports": {
    "@tensorflow/tfjs-core": "./node_modules/@tensorflow/tfjs/dist/tf.fesm.min.js",
    "tfjs-focal-loss": "./node_modules/tfjs-focal-loss/dist/esm/index.js" } }
</script>
<script>globalThis.result = new Promise((resolve, reject) => Object.assign(globalThis, { resolve, reject }));</script>
<script type="module">
  import * as tf from '@tensorflow/tfjs-core';
  import * as losses from 'tfjs-focal-loss';
  import { asJson, largestErrors } from './errors.mjs';
  try {
    await tf.setBackend('webgl');
    if (tf.getBackend() !== 'webgl') throw new Error('no WebGL');
    resolve(asJson(await ${call(ranges, how)}));
  } catch (error) {
    reject(error);
  }
</script>`;

/** The same on WebGL, in a page of an open browser. */
export async function errorsOnWebGL(folder, page, ranges, how) {
  fs.writeFileSync(path.join(folder, 'errors.html'), ERRORS_PAGE(ranges, how));
  const server = await serve(folder);
  try {
    await page.goto(`${server.origin}/errors.html`);
    return JSON.parse(await page.evaluate(() => globalThis.result));
  } finally {
    server.close();
  }
}

/** Its files over HTTP, for pages. */
export async function serve(folder) {
  const server = http.createServer((request, response) => {
    const file = path.join(folder, new URL(request.url, 'http://localhost').pathname);
    if (!file.startsWith(folder) || !fs.existsSync(file)) return response.writeHead(404).end();
    const type = file.endsWith('.html') ? 'text/html' : 'text/javascript';
    response.setHeader('Content-Type', type).end(fs.readFileSync(file));
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { origin: `http://127.0.0.1:${server.address().port}`, close: () => server.close() };
}
