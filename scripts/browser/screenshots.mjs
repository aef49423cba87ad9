// Looks at notebooks as a reader would: runs them in JupyterLab in a headless Chromium, scrolls through them taking
// pictures, points at the charts, and reports what went wrong on the way. The notebooks themselves are not saved.
//
//   node scripts/browser/screenshots.mjs [--html] FOLDER NOTEBOOK...
//
// NOTEBOOK is a file, or the number or name of one in notebooks/ (01, index). With --html it is not run but exported by
// nbconvert, as a static page of the committed outputs. Needs the environment that npm start has set up, and Chromium
// (another one's path in CHROMIUM).
import { execFileSync, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { pathToFileURL } from 'node:url';
import { chromium } from 'playwright-core';
import { root } from '../setup/project.mjs';

const VIEWPORT = { width: 1280, height: 1000 };
const OVERLAP = 60; // pixels that two pictures share
const RUN_MS = 30 * 60_000;
const CHROMIUM_FLAGS = [
  '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
  '--disable-component-update', '--disable-sync',
]; // prettier-ignore

const { values, positionals } = parseArgs({ options: { html: { type: 'boolean' } }, allowPositionals: true });
const [folder, ...selectors] = positionals;
if (selectors.length === 0) {
  console.error('usage: node scripts/browser/screenshots.mjs [--html] FOLDER NOTEBOOK...');
  process.exit(2);
}
const notebooks = selectors.map(findNotebook);
fs.mkdirSync(folder, { recursive: true });
const scratch = fs.mkdtempSync(path.join(os.tmpdir(), 'screenshots-'));
const results = path.join(scratch, 'results'); // a copy, which the notebooks may replace
fs.cpSync(path.join(root, 'data/results'), results, { recursive: true });
const environment = {
  ...process.env,
  FOCAL_RESULTS_DIR: results,
  PATH: [path.join(root, '.venv/bin'), process.env.PATH].join(path.delimiter),
  JUPYTER_PREFER_ENV_PATH: '1',
};

const browser = await chromium.launch({ executablePath: findChromium(), args: CHROMIUM_FLAGS });
let problems = 0;
try {
  for (const notebook of notebooks) {
    const found = await (values.html ? lookAtPage(notebook) : lookAtNotebook(notebook));
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

function findChromium() {
  const folders = process.env.PATH.split(path.delimiter);
  const candidates = ['chromium', 'chromium-browser', 'google-chrome'].flatMap((name) =>
    folders.map((folder) => path.join(folder, name)),
  );
  const found = process.env.CHROMIUM ?? candidates.find((file) => fs.existsSync(file));
  if (found) return found;
  console.error('screenshots: no Chromium: install it, or name it by CHROMIUM=/path/to/chromium');
  process.exit(2);
}

/** Runs the notebook in JupyterLab; returns the problems seen. */
async function lookAtNotebook(notebook) {
  const name = path.basename(notebook, '.ipynb');
  const server = await startJupyter(notebook.startsWith(root + path.sep) ? root : path.dirname(notebook));
  const { page, problems } = await openPage();
  try {
    const file = path.relative(server.folder, notebook).split(path.sep).map(encodeURIComponent).join('/');
    await page.goto(`${server.url}/doc/tree/${file}?token=${server.token}`);
    await page.waitForSelector('.jp-Notebook .jp-Cell', { timeout: 90_000 });
    const start = performance.now();
    await runAllCells(page);
    const seconds = ((performance.now() - start) / 1000).toFixed(1);
    const { cells, charts, failures } = await page.evaluate(readNotebook);
    problems.push(...failures);
    await page.waitForFunction(
      (count) =>
        globalThis.document.querySelectorAll('.jp-Notebook .vega-embed :is(canvas, svg)').length >= count,
      charts,
      { timeout: 30_000 },
    );
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

/** Looks at nbconvert's static page; returns the problems seen. */
async function lookAtPage(notebook) {
  const name = path.basename(notebook, '.ipynb');
  const args = ['nbconvert', '--to', 'html', '--log-level=ERROR', `--output-dir=${scratch}`, notebook];
  execFileSync('jupyter', args, { env: environment, stdio: 'inherit' });
  const { page, problems } = await openPage();
  await page.goto(pathToFileURL(path.join(scratch, `${name}.html`)).href, { waitUntil: 'load' });
  await settle(page);
  const pictures = await photograph(page, `${name}-html`, 'html');
  console.log(`${name}: a static page, ${pictures} pictures`);
  await page.close();
  return problems;
}

/** A page, and a list that grows with what goes wrong in it. */
async function openPage() {
  const page = await browser.newPage({ viewport: VIEWPORT });
  const problems = [];
  page.on('console', (message) => {
    if (message.type() === 'error') problems.push(`console: ${message.text()}`);
  });
  page.on('pageerror', (error) => problems.push(`script error: ${error.message}`));
  page.on('requestfailed', (request) =>
    problems.push(`request failed (${request.failure()?.errorText}): ${request.url()}`),
  );
  page.on('response', (response) => {
    if (response.status() >= 400) problems.push(`status ${response.status()}: ${response.url()}`);
  });
  return { page, problems };
}

/** JupyterLab with settings and state of its own, so that nothing of the user's shows, and nothing is saved. */
async function startJupyter(serverFolder) {
  const settings = path.join(scratch, 'settings');
  const override = (plugin, content) => {
    const file = path.join(settings, `${plugin}.jupyterlab-settings`);
    fs.mkdirSync(path.dirname(file), { recursive: true });
    fs.writeFileSync(file, JSON.stringify(content));
  };
  override('@jupyterlab/docmanager-extension/plugin', { autosave: false });
  // Otherwise only the cells in view exist, and a chart is drawn when one comes to it.
  override('@jupyterlab/notebook-extension/tracker', { windowingMode: 'none', scrollPastEnd: false });

  const port = await freePort();
  const token = randomUUID();
  const child = spawn(
    'jupyter',
    [
      'lab', '--no-browser', '--allow-root', '--expose-app-in-browser', '--ServerApp.ip=127.0.0.1', `--ServerApp.port=${port}`,
      '--ServerApp.port_retries=0', `--ServerApp.root_dir=${serverFolder}`,
    ], // prettier-ignore
    {
      env: {
        ...environment,
        JUPYTER_TOKEN: token,
        JUPYTER_CONFIG_DIR: path.join(scratch, 'config'),
        JUPYTER_RUNTIME_DIR: path.join(scratch, 'runtime'),
        JUPYTERLAB_SETTINGS_DIR: settings,
        JUPYTERLAB_WORKSPACES_DIR: path.join(scratch, 'workspaces'),
      },
      stdio: ['ignore', 'ignore', 'pipe'],
    },
  );
  let log = '';
  child.stderr.on('data', (chunk) => {
    log += chunk;
  });
  const ended = new Promise((resolve) => child.on('close', resolve));
  const kill = () => child.kill('SIGTERM');
  process.once('exit', kill); // also after Ctrl-C, which closes the browser and exits
  const stop = async () => {
    kill();
    await ended;
    process.off('exit', kill);
  };
  const url = `http://127.0.0.1:${port}`;
  for (let tries = 0; !(await answers(`${url}/api?token=${token}`)); tries++) {
    if (child.exitCode !== null || tries > 300) {
      await stop();
      throw new Error(`JupyterLab did not start:\n${log}`);
    }
    await sleep(200);
  }
  return { url, token, folder: serverFolder, stop };
}

function freePort() {
  return new Promise((resolve, reject) => {
    const probe = net.createServer().on('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const { port } = probe.address();
      probe.close(() => resolve(port));
    });
  });
}

async function answers(url) {
  try {
    return (await fetch(url)).ok;
  } catch {
    return false;
  }
}

async function runAllCells(page) {
  page.setDefaultTimeout(RUN_MS);
  await page.evaluate(async () => {
    const { commands, shell } = globalThis.jupyterapp;
    const { context, sessionContext } = shell.currentWidget;
    await context.ready;
    await sessionContext.ready;
    await sessionContext.session.kernel.info;
    await commands.execute('notebook:clear-all-cell-outputs');
    await commands.execute('notebook:run-all-cells');
  });
  page.setDefaultTimeout(30_000);
}

/** Runs in the page: what the cells have become. */
function readNotebook() {
  const { widgets } = globalThis.jupyterapp.shell.currentWidget.content;
  const code = widgets.map(({ model }) => model.toJSON()).filter((cell) => cell.cell_type === 'code');
  const text = (value) => (Array.isArray(value) ? value.join('') : value).trim().slice(0, 300);
  const failures = code.flatMap((cell, index) => {
    if (text(cell.source) === '') return [];
    if (cell.execution_count === null) return [`code cell ${index + 1} was not run`];
    return cell.outputs.flatMap((output) => {
      if (output.output_type === 'error')
        return [`cell [${cell.execution_count}]: ${output.ename}: ${output.evalue}`];
      if (output.name === 'stderr') return [`cell [${cell.execution_count}]: stderr: ${text(output.text)}`];
      return [];
    });
  });
  const isChart = (output) =>
    Object.keys(output.data ?? {}).some((type) => type.startsWith('application/vnd.vega'));
  const charts = code.flatMap((cell) => cell.outputs).filter(isChart).length;
  return { cells: code.length, charts, failures };
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

/** Moves the mouse over each chart until it shows a tooltip, and takes a picture of it. */
async function pointAtCharts(page, name) {
  const charts = page.locator('.jp-Notebook .vega-embed');
  const mute = [];
  for (let index = 0; index < (await charts.count()); index++) {
    const drawing = charts.nth(index).locator('canvas, svg').first();
    await drawing.scrollIntoViewIfNeeded();
    const file = path.join(folder, `${name}-tooltip-${index + 1}.png`);
    if (await findTooltip(page, await drawing.boundingBox())) await page.screenshot({ path: file });
    else mute.push(`chart ${index + 1} shows no tooltip`);
  }
  return mute;
}

async function findTooltip(page, box) {
  const STEPS = 24;
  for (let row = 1; row < STEPS; row++)
    for (let column = 1; column < STEPS; column++) {
      await page.mouse.move(box.x + (box.width * column) / STEPS, box.y + (box.height * row) / STEPS);
      if (await page.locator('#vg-tooltip-element.visible').count()) return true;
    }
  return false;
}
