// What a reader meets in JupyterLab: notebooks as they were saved, Run All, a tooltip, Stop. Everything happens on a copy.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { findChromium, launch, NO_CHROMIUM, openPage } from '../browser/chromium.mjs';
import {
  chartsAreDrawn,
  closeNotebook,
  environment,
  findTooltip,
  openJupyterLab,
  openNotebook,
  readNotebook,
  runAllCells,
  startJupyterLab,
} from '../browser/jupyterlab.mjs';
import { allNotebooks } from '../pages.mjs';
import { root } from '../setup/project.mjs';

const RUN = /^(01|02|06)-/; // the others train for minutes
const LIMIT_MS = 600_000;
const DRAWN_MS = 60_000;

const executable = findChromium();

describe('in JupyterLab', { skip: executable ? false : NO_CHROMIUM }, () => {
  const scratch = fs.mkdtempSync(path.join(os.tmpdir(), 'jupyterlab-'));
  const clone = path.join(scratch, 'clone');
  let browser;
  let server;
  let page;
  let problems;

  before(async () => {
    fs.cpSync(path.join(root, 'notebooks'), path.join(clone, 'notebooks'), { recursive: true });
    fs.symlinkSync(path.join(root, 'node_modules'), path.join(clone, 'node_modules'));
    fs.writeFileSync(path.join(clone, 'notebooks/training.ipynb'), JSON.stringify(notebookOf(ENDLESS, AFTERWARDS)));
    const env = { ...environment(scratch), FOCAL_PROFILE: 'quick' };
    fs.mkdirSync(path.join(clone, 'data'));
    fs.symlinkSync(env.FOCAL_RESULTS_DIR, path.join(clone, 'data/results'));
    server = await startJupyterLab(clone, scratch, env);
    browser = await launch(executable);
    ({ page, problems } = await openPage(browser, { viewport: { width: 1280, height: 1000 } }));
    await openJupyterLab(page, server.address);
  }); // prettier-ignore

  after(async () => {
    await browser?.close();
    await server?.stop();
    fs.rmSync(scratch, { recursive: true, force: true });
  });

  /** Opens a notebook, all of them in one page as a reader does, and ends its kernel, if it has one, afterwards. */
  async function withNotebook(name, options, use) {
    await openNotebook(page, `notebooks/${name}`, options);
    try {
      await use();
    } finally {
      await closeNotebook(page);
      problems.length = 0;
    }
  }

  /** What a reader would object to, once all there is to be drawn has had its time. */
  async function lookAt() {
    const { charts, unrun, failures } = await readNotebook(page);
    await chartsAreDrawn(page, charts);
    const formulas = await page.waitForFunction(rawFormulas, [], { timeout: DRAWN_MS }).then(
      () => [],
      () => ['formulas are not drawn'],
    );
    return { charts, unrun, found: [...failures, ...formulas, ...(await page.evaluate(inspect))] };
  }

  for (const name of allNotebooks()) {
    const isRun = RUN.test(name);
    test(name, { timeout: LIMIT_MS }, async (t) =>
      withNotebook(name, { kernel: isRun }, async () => {
        await t.test('opens with its saved charts and formulas drawn, and nothing fails', async () => {
          const { found } = await lookAt();
          assert.deepEqual([...problems, ...found], []);
          assert.equal(await page.evaluate(kernelOfNotebook), 'TypeScript');
        });
        if (!isRun) return;
        await t.test(
          'Run All draws its charts again, one of them shows a tooltip, nothing fails',
          async () => {
            const saved = await readNotebook(page);
            await runAllCells(page);
            const { charts, found } = await lookAt();
            assert.deepEqual([...problems, ...found], []);
            assert.equal(charts, saved.charts);
            const drawing = page.locator('.jp-Notebook .vega-embed').first().locator('canvas, svg').first();
            assert.ok(await findTooltip(page, drawing), 'the first chart shows no tooltip');
          },
        );
      }),
    );
  }

  test('Stop ends a training and skips the cells after it; the next cell that is run answers', { timeout: LIMIT_MS }, () =>
    withNotebook('training.ipynb', { kernel: true }, async () => {
      const running = runAllCells(page);
      const training = page.waitForFunction(isTraining, null, { timeout: LIMIT_MS });
      if (await Promise.race([training, running.then(() => 'ended')]) === 'ended')
        assert.fail(JSON.stringify(await readNotebook(page)));
      await page.getByRole('button', { name: /interrupt the kernel/i }).click();
      await running;
      const [stopped, skipped] = await page.evaluate(readCodeCells);
      assert.deepEqual(stopped.errors, ['Interrupted']);
      assert.equal(skipped.text, '');
      // The kernel refuses cells for the first 200 ms: those of the same Run All may still be on their way.
      while (!(await page.evaluate(runSecondCell)));
      const [, answered] = await page.evaluate(readCodeCells);
      assert.match(answered.text, /alive: 42/);
      assert.deepEqual(problems, []);
    }),
  ); // prettier-ignore
});

// Some minutes long, if nobody stops it.
const ENDLESS = `
import { lenet, sigmoidFocalLoss, tf, train } from 'focal-loss-lab';
const images = tf.zeros<tf.Rank.R4>([256, 28, 28, 1]);
const labels = tf.zeros([256, 1]);
await train(lenet({ seed: 1 }), {
  images: images,
  labels: labels,
  loss: (x, y) => sigmoidFocalLoss(x, y, { reduction: 'mean' }),
  epochs: 10_000,
  batchSize: 64,
  learningRate: 0.01,
  momentum: 0,
  seed: 1,
});`;
const AFTERWARDS = 'console.log(`alive: ${6 * 7}`);';

function notebookOf(...sources) {
  const cells = sources.map((source, index) => ({
    cell_type: 'code', id: `cell-${index}`, metadata: {}, execution_count: null, outputs: [], source: source.trim(),
  })); // prettier-ignore
  const kernelspec = { name: 'tslab', display_name: 'TypeScript', language: 'typescript' };
  return { cells, metadata: { kernelspec }, nbformat: 4, nbformat_minor: 5 };
}

/** Runs in the page: whether all formulas of the texts are drawn. */
function rawFormulas() {
  const { document } = globalThis;
  const texts = Array.from(document.querySelectorAll('.jp-RenderedMarkdown'), (cell) => {
    const copy = cell.cloneNode(true);
    for (const other of copy.querySelectorAll('code, pre, mjx-container')) other.remove();
    return copy.textContent;
  });
  return !texts.some((text) => /\$[^$]+\$/.test(text));
}

/** Runs in the page: what is there and should not be, or is blank. */
function inspect() {
  const { document } = globalThis;
  const found = Array.from(
    document.querySelectorAll('mjx-merror, [data-mjx-error], .jp-Notebook [data-mime-type$=".stderr"], .jp-Dialog'),
    (element) => `${element.className || element.tagName}: ${element.textContent.slice(0, 200)}`,
  ); // prettier-ignore
  document.querySelectorAll('.jp-Notebook .vega-embed canvas').forEach((canvas, index) => {
    const { width, height } = canvas;
    const pixels = new Uint32Array(canvas.getContext('2d').getImageData(0, 0, width, height).data.buffer);
    const ink = pixels.filter((pixel) => pixel !== pixels[0]).length / pixels.length;
    if (!(ink > 0.01)) found.push(`chart ${index + 1}: ${width} x ${height}, ${ink} of it drawn`);
  });
  return found;
}

/** Runs in the page: the name that JupyterLab shows of the kernel that the notebook asks for, which it has installed. */
async function kernelOfNotebook() {
  const { context, sessionContext } = globalThis.jupyterapp.shell.currentWidget;
  await context.ready;
  await sessionContext.ready;
  const { kernelPreference, specsManager } = sessionContext;
  return specsManager.specs.kernelspecs[kernelPreference.name]?.display_name;
}

/** Runs in the page: whether the progress line says that some steps are done. */
function isTraining() {
  return globalThis.document.querySelector('.jp-OutputArea progress')?.value > 0;
}

/** Runs in the page: whether the kernel has run the cell. */
function runSecondCell() {
  const { commands, shell } = globalThis.jupyterapp;
  shell.currentWidget.content.activeCellIndex = 1;
  return commands.execute('notebook:run-cell');
}

/** Runs in the page. */
function readCodeCells() {
  const { widgets } = globalThis.jupyterapp.shell.currentWidget.content;
  return widgets.map(({ model }) => {
    const { outputs } = model.toJSON();
    return {
      errors: outputs.filter(({ output_type }) => output_type === 'error').map(({ ename }) => ename),
      text: outputs.flatMap(({ text = '' }) => text).join(''),
    };
  });
}
