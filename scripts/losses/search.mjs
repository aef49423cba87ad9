// Searches for the largest errors of the exact losses: the numbers of their docstrings, and of the README of their package.
//
//   node scripts/losses/search.mjs [logits per gamma and label, default 200000] [backend, default tensorflow]
//
// Backends: tensorflow and cpu run here; wasm and webgl in an empty project with the plain TensorFlow.js, webgl in Chromium.
import fs from 'node:fs';
import { createRequire } from 'node:module';
import os from 'node:os';
import path from 'node:path';
import { findChromium, launch, NO_CHROMIUM, openPage } from '../browser/chromium.mjs';
import { largestErrors } from './errors.mjs';
import { errorsOn, errorsOnWebGL, makeProject } from './plainTensorFlow.mjs';

const count = Number(process.argv[2] ?? 200_000);
const backend = process.argv[3] ?? 'tensorflow';

const steps = (first, last, step) =>
  Array.from({ length: Math.round((last - first) / step) + 1 }, (_, i) => first + i * step);
const RANGES = { '[0, 1]': steps(0, 1, 0.05), '(1, 2]': steps(1.1, 2, 0.1), '(2, 5]': steps(2.25, 5, 0.25), '(5, 8]': steps(5.5, 8, 0.5) }; // prettier-ignore
const HOW = { count, classes: [2, 3, 10, 21, 100, 300, 1000] };

const search = { wasm: searchWasm, webgl: searchWebGL }[backend] ?? searchHere;
await search(async (errors) => {
  for (const [range, gammas] of Object.entries(RANGES))
    for (const [name, { error, at }] of Object.entries((await errors({ [range]: gammas }))[range]))
      console.log(`gamma in ${range}: ${name} ${Number(error).toFixed(2)} at ${JSON.stringify(at)}`);
});

async function searchHere(printed) {
  const losses = createRequire(import.meta.url)('focal-loss-lab');
  losses.tf.setBackend(backend);
  await printed((ranges) => largestErrors({ tf: losses.tf, losses }, ranges, HOW));
}

async function searchWasm(printed) {
  await inProject((project) => printed((ranges) => errorsOn(project, 'wasm', ranges, HOW)));
}

async function searchWebGL(printed) {
  const executable = findChromium();
  if (!executable) throw new Error(NO_CHROMIUM);
  const browser = await launch(executable);
  try {
    const { page } = await openPage(browser);
    await inProject((project) => printed((ranges) => errorsOnWebGL(project, page, ranges, HOW)));
  } finally {
    await browser.close();
  }
}

async function inProject(use) {
  const project = fs.mkdtempSync(path.join(os.tmpdir(), 'losses-'));
  try {
    makeProject(project);
    await use(project);
  } finally {
    fs.rmSync(project, { recursive: true, force: true });
  }
}
