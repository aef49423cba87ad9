// JupyterLab with settings and state of its own, so that nothing of the user's shows and nothing is saved, and what a
// reader does with a notebook in it.
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { root } from '../setup/project.mjs';

const START_MS = 120_000;
const OPEN_MS = 120_000;

/** The environment of `npm start`, with results that the notebooks may replace: a copy in a folder of ours. */
export function environment(scratch) {
  const results = path.join(scratch, 'results');
  fs.cpSync(path.join(root, 'data/results'), results, { recursive: true });
  return {
    ...process.env,
    FOCAL_RESULTS_DIR: results,
    PATH: [path.join(root, '.venv/bin'), process.env.PATH].join(path.delimiter),
    JUPYTER_PREFER_ENV_PATH: '1',
  };
}

/** Serves a folder; its own files go to `scratch`. */
export async function startJupyterLab(folder, scratch, env) {
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
      '--ServerApp.port_retries=0', `--ServerApp.root_dir=${folder}`,
    ], // prettier-ignore
    {
      env: {
        ...env,
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
  for (const start = performance.now(); !(await answers(`${url}/api?token=${token}`)); await sleep(200))
    if (child.exitCode !== null || performance.now() - start > START_MS) {
      await stop();
      throw new Error(`JupyterLab did not start:\n${log}`);
    }
  return { address: `${url}/lab?token=${token}`, stop };
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

/** Goes to the address of a JupyterLab and clears it of what stands next to a notebook. */
export async function openJupyterLab(page, address) {
  await page.goto(address, { timeout: OPEN_MS });
  await page.waitForFunction(() => globalThis.jupyterapp?.restored.then(() => true), null, {
    timeout: OPEN_MS,
  });
  await page.evaluate(() => {
    const { shell } = globalThis.jupyterapp;
    shell.collapseLeft();
    shell.mode = 'single-document';
  });
}

/**
 * Opens a notebook, by its path in the folder that is served, and waits for all of its cells.
 * @param kernel  whether its kernel starts, as it does for a reader
 */
export async function openNotebook(page, file, { kernel = true } = {}) {
  await page.evaluate(
    ([path, shouldStart]) => {
      const how = { path, kernelPreference: { shouldStart } };
      return globalThis.jupyterapp.commands.execute('docmanager:open', how).then(() => undefined);
    },
    [file, kernel],
  );
  // The cells come one by one.
  await page.waitForFunction(
    () => {
      const { content, context, node } = globalThis.jupyterapp.shell.currentWidget;
      return (
        context?.isReady &&
        node.querySelectorAll('.jp-Notebook .jp-Cell').length === content.model.cells.length
      );
    },
    null,
    { timeout: OPEN_MS },
  );
}

/** Closes the open notebook without saving it, and ends its kernel. */
export function closeNotebook(page) {
  return page.evaluate(async () => {
    const notebook = globalThis.jupyterapp.shell.currentWidget;
    await notebook.sessionContext.shutdown();
    notebook.dispose();
  });
}

/** Run All, until the last cell has ended. */
export function runAllCells(page) {
  return page.evaluate(async () => {
    const { commands, shell } = globalThis.jupyterapp;
    const { context, sessionContext } = shell.currentWidget;
    await context.ready;
    await sessionContext.ready;
    await sessionContext.session.kernel.info;
    await commands.execute('notebook:clear-all-cell-outputs');
    await commands.execute('notebook:run-all-cells');
  });
}

/** How many code cells and charts the open notebook has, which cells were not run, and what failed in the others. */
export function readNotebook(page) {
  return page.evaluate(() => {
    const { widgets } = globalThis.jupyterapp.shell.currentWidget.content;
    const code = widgets.map(({ model }) => model.toJSON()).filter((cell) => cell.cell_type === 'code');
    const text = (value) => (Array.isArray(value) ? value.join('') : value).trim().slice(0, 300);
    const failures = code.flatMap((cell) =>
      cell.outputs.flatMap((output) => {
        if (output.output_type === 'error')
          return [`cell [${cell.execution_count}]: ${output.ename}: ${output.evalue}`];
        if (output.name === 'stderr') return [`cell [${cell.execution_count}]: stderr: ${text(output.text)}`];
        return [];
      }),
    );
    const unrun = code.flatMap((cell, index) =>
      text(cell.source) === '' || cell.execution_count !== null ? [] : [`code cell ${index + 1} was not run`],
    );
    const isChart = (output) =>
      Object.keys(output.data ?? {}).some((type) => type.startsWith('application/vnd.vega'));
    const charts = code.flatMap((cell) => cell.outputs).filter(isChart).length;
    return { cells: code.length, charts, unrun, failures };
  });
}

/** Until as many charts are drawn as the notebook has. */
export const chartsAreDrawn = (page, charts) =>
  page.waitForFunction(
    (count) =>
      globalThis.document.querySelectorAll('.jp-Notebook .vega-embed :is(canvas, svg)').length >= count,
    charts,
    { timeout: 60_000 },
  );

/** Moves the mouse over the chart, row by row, first in large steps, until it has shown a tooltip; returns whether it did. */
export async function findTooltip(page, chart) {
  await page.evaluate(() => {
    const { document, MutationObserver } = globalThis;
    const look = () =>
      (globalThis.tooltipSeen ||= document.querySelector('#vg-tooltip-element.visible') !== null);
    globalThis.tooltipSeen = false;
    new MutationObserver(look).observe(document.body, { subtree: true, attributeFilter: ['class'] });
  });
  await chart.scrollIntoViewIfNeeded();
  const box = await chart.boundingBox();
  for (const steps of [8, 24])
    for (let row = 1; row < steps; row++) {
      for (let column = 1; column < steps; column++)
        await page.mouse.move(box.x + (box.width * column) / steps, box.y + (box.height * row) / steps);
      if (await page.evaluate(() => globalThis.tooltipSeen)) return true;
    }
  return false;
}
