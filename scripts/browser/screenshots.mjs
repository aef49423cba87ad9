// Looks at notebooks as a reader would: runs them in JupyterLab in a headless Chromium, scrolls through them taking
// pictures, points at the charts, and reports what went wrong on the way. The notebooks themselves are not saved.
//
//   node scripts/browser/screenshots.mjs [--site] [--width 1280] [--dark] FOLDER NOTEBOOK...
//
// NOTEBOOK is a file, or the number or name of one in notebooks/ (01, index). With --site it is not run: the pictures
// are of its page in site/, as npm run site has written it. Needs the environment that npm start has set up, and
// Chromium (another one's path in CHROMIUM).
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { pathToFileURL } from 'node:url';
import { root } from '../setup/project.mjs';
import { findChromium, launch, NO_CHROMIUM, openPage } from './chromium.mjs';
import {
  chartsAreDrawn,
  environment,
  findTooltip,
  openJupyterLab,
  openNotebook,
  readNotebook,
  runAllCells,
  startJupyterLab,
} from './jupyterlab.mjs';

const HEIGHT = 1000;
const OVERLAP = 60; // pixels that two pictures share

const { values, positionals } = parseArgs({
  options: {
    site: { type: 'boolean' },
    width: { type: 'string', default: '1280' },
    dark: { type: 'boolean' },
  },
  allowPositionals: true,
});
const [folder, ...selectors] = positionals;
if (selectors.length === 0) {
  console.error(
    'usage: node scripts/browser/screenshots.mjs [--site] [--width 1280] [--dark] FOLDER NOTEBOOK...',
  );
  process.exit(2);
}
const executable = findChromium();
if (!executable) {
  console.error(`screenshots: ${NO_CHROMIUM}`);
  process.exit(2);
}
const view = {
  viewport: { width: Number(values.width), height: HEIGHT },
  colorScheme: values.dark ? 'dark' : 'light',
};
const notebooks = selectors.map(findNotebook);
fs.mkdirSync(folder, { recursive: true });
const scratch = fs.mkdtempSync(path.join(os.tmpdir(), 'screenshots-'));
const browser = await launch(executable);
let problems = 0;
try {
  for (const notebook of notebooks) {
    const found = await (values.site ? lookAtPage(notebook) : lookAtNotebook(notebook));
    for (const problem of found) console.log(`     ${problem}`);
    problems += found.length;
  }
} finally {
  await browser.close();
  fs.rmSync(scratch, { recursive: true, force: true });
}
console.log(`${notebooks.length} notebooks, ${problems} problems; pictures in ${folder}`);
process.exitCode = problems > 0 ? 1 : 0;

function findNotebook(selector) {
  if (fs.existsSync(selector)) return path.resolve(selector);
  const found = fs
    .readdirSync(path.join(root, 'notebooks'))
    .find(
      (name) => name === `${selector}.ipynb` || (name.startsWith(`${selector}-`) && name.endsWith('.ipynb')),
    );
  if (found) return path.join(root, 'notebooks', found);
  console.error(`screenshots: no notebook '${selector}'`);
  process.exit(2);
}

/** Runs the notebook in JupyterLab; returns the problems seen. */
async function lookAtNotebook(notebook) {
  const name = path.basename(notebook, '.ipynb');
  const served = notebook.startsWith(root + path.sep) ? root : path.dirname(notebook);
  const own = fs.mkdtempSync(path.join(scratch, 'lab-')); // JupyterLab opens again what was open in the same folder
  const server = await startJupyterLab(served, own, environment(own));
  const { page, problems } = await openPage(browser, view);
  try {
    await openJupyterLab(page, server.address);
    await openNotebook(page, path.relative(served, notebook).split(path.sep).join('/'));
    const start = performance.now();
    await runAllCells(page);
    const seconds = ((performance.now() - start) / 1000).toFixed(1);
    const { cells, charts, unrun, failures } = await readNotebook(page);
    problems.push(...unrun, ...failures);
    await chartsAreDrawn(page, charts);
    await settle(page);
    const pictures = await photograph(page, name, '.jp-WindowedPanel-outer');
    console.log(`${name}: ${cells} cells run in ${seconds} s, ${charts} charts, ${pictures} pictures`);
    problems.push(...(await pointAtCharts(page, name)));
  } catch (error) {
    problems.push(`gave up: ${error.message.split('\n')[0]}`);
    if (!page.isClosed()) await page.screenshot({ path: path.join(folder, `${name}-gave-up.png`) });
  } finally {
    await page.close();
    await server.stop();
  }
  return problems;
}

/** Looks at the page of the site; returns the problems seen. */
async function lookAtPage(notebook) {
  const file = path.relative(path.join(root, 'notebooks'), notebook).replace(/\.ipynb$/, '.html');
  const { page, problems } = await openPage(browser, view);
  await page.goto(pathToFileURL(path.join(root, 'site', file)).href, { waitUntil: 'load' });
  await settle(page);
  const name = [file.replace(/\.html$/, '').replaceAll(path.sep, '-'), values.width, view.colorScheme];
  const pictures = await photograph(page, name.join('-'), 'html');
  console.log(`${file}: a static page, ${pictures} pictures`);
  await page.close();
  return problems;
}

/** Until formulas, fonts and images are there and nothing is being loaded. */
async function settle(page) {
  await page.waitForLoadState('networkidle', { timeout: 30_000 }).catch(() => {});
  await page.evaluate(() => globalThis.document.fonts.ready.then(() => undefined));
  await sleep(1500);
}

/** Scrolls from top to bottom; returns the number of pictures. */
async function photograph(page, name, selector) {
  const scroller = page.locator(selector).first();
  for (let number = 1, top = 0; ; number++) {
    await scroller.evaluate((element, y) => element.scrollTo({ top: y, behavior: 'instant' }), top);
    await sleep(300);
    await page.screenshot({ path: path.join(folder, `${name}-${String(number).padStart(2, '0')}.png`) });
    const { scrollTop, clientHeight, scrollHeight } = await scroller.evaluate((element) => ({
      scrollTop: element.scrollTop,
      clientHeight: element.clientHeight,
      scrollHeight: element.scrollHeight,
    }));
    if (scrollTop + clientHeight >= scrollHeight - 1) return number;
    top += clientHeight - OVERLAP;
  }
}

/** Takes a picture of a tooltip of each chart; returns those that show none. */
async function pointAtCharts(page, name) {
  const charts = page.locator('.jp-Notebook .vega-embed');
  const mute = [];
  for (let index = 0; index < (await charts.count()); index++) {
    const file = path.join(folder, `${name}-tooltip-${index + 1}.png`);
    if (await findTooltip(page, charts.nth(index).locator('canvas, svg').first()))
      await page.screenshot({ path: file });
    else mute.push(`chart ${index + 1} shows no tooltip`);
  }
  return mute;
}
