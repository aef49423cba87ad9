// The browser edition, from the server that README names: every notebook that claims to run there does, and the kernel
// keeps what it promises.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { linkedFrom } from '../../pages.mjs';
import { root } from '../../setup/project.mjs';
import { buildOnce, site, skip, startPage } from './built.mjs';

const DESKTOP = { viewport: { width: 1280, height: 900 } };
const OPEN_MS = 180_000;
const INDEX = 'notebooks/index.ipynb';
const LARGEST_MB = 60;
const CHART = 'application/vnd.vegalite.v5+json';
const POINTS = 'application/vnd.focal-loss-lab.points+json';

describe('the browser edition', { skip }, () => {
  let notebooks;
  let server;
  let address;
  let page;
  let problems;
  let storage;

  before(async () => {
    buildOnce();
    notebooks = JSON.parse(fs.readFileSync(path.join(site, 'lite/notebooks.json'), 'utf8'));
    server = spawn('python', ['-u', '-m', 'http.server', '0', '--bind', '127.0.0.1', '--directory', site], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    const [greeting] = await new Promise((resolve) =>
      server.stdout.once('data', (data) => resolve([`${data}`])),
    );
    address = `http://127.0.0.1:${/port (\d+)/.exec(greeting)[1]}`;
    ({ page, problems } = await startPage(DESKTOP));
    storage = await page.context().newCDPSession(page);
  });
  after(() => server?.kill());

  /** Opens a notebook, of which nothing has been kept, until its kernel waits. */
  async function open(name, { viewport } = DESKTOP) {
    await page.goto('about:blank');
    await storage.send('Storage.clearDataForOrigin', {
      origin: address,
      storageTypes: 'indexeddb,local_storage',
    });
    await page.setViewportSize(viewport);
    problems.length = 0;
    await page.goto(`${address}/lite/notebooks/index.html?path=${name}`);
    await kernelWaits();
  }

  /** Another notebook in the page that is open, in a kernel of its own: to load JupyterLab again takes four times as long. */
  async function openInPlace(name) {
    if (page.url() === 'about:blank') return open(name);
    problems.length = 0;
    await page.evaluate(async (place) => {
      const { serviceManager, shell } = globalThis.jupyterapp;
      const { context, sessionContext } = shell.currentWidget;
      const { content } = await serviceManager.contents.get(place, { content: true });
      await sessionContext.session.setPath(place);
      await sessionContext.changeKernel({ name: content.metadata.kernelspec.name });
      context.model.fromJSON(content);
    }, name);
    await kernelWaits();
  }

  const kernelWaits = () =>
    page.waitForFunction(
      () => globalThis.jupyterapp?.shell?.currentWidget?.sessionContext?.session?.kernel?.status === 'idle',
      null,
      { timeout: OPEN_MS, polling: 100 },
    );

  /** Runs the whole notebook, until a cell fails. @returns its code cells: { count, outputs } */
  const runAll = () =>
    page.evaluate(async () => {
      const { commands, shell } = globalThis.jupyterapp;
      const { widgets } = shell.currentWidget.content;
      for (const { model } of widgets) model.clearExecution?.();
      await commands.execute('notebook:run-all-cells');
      return widgets
        .filter(({ model }) => model.type === 'code')
        .map(({ model }) => ({ count: model.executionCount, outputs: model.outputs.toJSON() }));
    });

  /** Code in the kernel of the open notebook. @returns what it printed, and its error or undefined */
  const execute = (code, { stopAfter } = {}) =>
    page.evaluate(
      async ([source, milliseconds]) => {
        const { kernel } = globalThis.jupyterapp.shell.currentWidget.sessionContext.session;
        const outputs = [];
        const future = kernel.requestExecute({ code: source });
        future.onIOPub = ({ header, content }) => outputs.push({ type: header.msg_type, ...content });
        if (milliseconds !== undefined) setTimeout(() => kernel.interrupt(), milliseconds);
        const { content } = await future.done;
        const text = outputs
          .filter(({ type }) => type === 'stream')
          .map((output) => output.text)
          .join('');
        const error = outputs.find(({ type }) => type === 'error');
        return { status: content.status, text, error, outputs };
      },
      [code, stopAfter],
    );

  const saved = (name) => JSON.parse(fs.readFileSync(path.join(root, name), 'utf8'));
  const codeOf = (notebook) => notebook.cells.filter((cell) => cell.cell_type === 'code');
  /** What an output is, without what only the local edition draws. A picture that is PNG there is SVG here. */
  const kinds = ({ output_type, data = {} }) => [
    output_type,
    ...Object.keys(data)
      .filter((type) => type !== 'image/png' || !(CHART in data))
      .map((type) => type.replace(/^image\/.*/, 'a picture'))
      .sort(),
  ];
  const isVerdict = ({ data = {} }) => POINTS in data || /^[✓✗]/m.test([data['text/plain']].flat().join(''));
  const verdicts = (cells) =>
    cells.flatMap(({ outputs }) => outputs).filter(isVerdict)
      .map(({ data }) => ({ points: data[POINTS], text: [data['text/plain']].flat().join('') })); // prettier-ignore

  /** '1, 2 and 6 to 8' as [1, 2, 6, 7, 8]. */
  const numbersIn = (text) =>
    [...text.matchAll(/(\d+)(?: to (\d+))?/g)].flatMap(([, first, last = first]) =>
      Array.from({ length: last - first + 1 }, (_, i) => Number(first) + i),
    );

  /** A student's copy, which has no saved outputs. */
  function assertNotAttempted(all) {
    assert.ok(all.length > 0);
    for (const { points, text } of all) {
      assert.equal(points.points, 0);
      assert.match(text, /not attempted/);
    }
  }

  test('some notebooks run, the others say what they need', () => {
    const names = Object.keys(notebooks);
    const runs = names.filter((name) => notebooks[name].needs.length === 0);
    assert.ok(runs.includes('notebooks/02-nan-gradient.ipynb') && runs.length >= 8, `${runs}`);
    assert.ok(notebooks['notebooks/03-mnist-classification.ipynb'].needs.includes('train'));
  });

  test('README and TEACHING name those that run, and TEACHING those that do not', () => {
    for (const [file, beginning, runs] of [
      ['README.md', 'the index, ', true],
      ['notebooks/TEACHING.md', '[map](index.ipynb), ', true],
      ['notebooks/TEACHING.md', 'train: ', false],
    ]) {
      const [, text] = fs.readFileSync(path.join(root, file), 'utf8').split(`${beginning}notebooks `);
      const [, chapters, exercises] = /^([\d, andto]*),(?: the appendix,)? and exercises ([\d, andto]*)/.exec(
        text,
      );
      const names = Object.keys(notebooks).filter((name) => (notebooks[name].needs.length === 0) === runs);
      const numbers = (pattern) => names.flatMap((name) => pattern.exec(name)?.slice(1).map(Number) ?? []);
      assert.deepEqual(numbersIn(chapters), numbers(/^notebooks\/(\d+)-/), file);
      assert.deepEqual(numbersIn(exercises), numbers(/^notebooks\/exercises\/exercise-(\d+)/), file);
    }
  });

  test('every notebook that claims to run does, with the kinds of output and the verdicts that are saved', async (t) => {
    const names = Object.keys(notebooks).filter((name) => notebooks[name].needs.length === 0);
    for (const name of names)
      await t.test(name, async () => {
        await openInPlace(name);
        const cells = await runAll();
        const expected = codeOf(saved(name));
        const errors = cells.flatMap(({ outputs }) =>
          outputs.filter((output) => output.output_type === 'error'),
        );
        assert.deepEqual(
          errors.map(({ traceback }) => traceback),
          [],
        );
        assert.equal(cells.filter(({ count }) => count !== null).length, expected.length);
        assert.deepEqual(problems, []);
        if (expected.every(({ outputs }) => outputs.length === 0)) return assertNotAttempted(verdicts(cells));
        cells.forEach(({ outputs }, i) =>
          assert.deepEqual(outputs.map(kinds), expected[i].outputs.map(kinds), `code cell ${i + 1}`),
        );
        assert.deepEqual(verdicts(cells), verdicts(expected));
      });
  });

  test('an exercise answered wrongly gets no point and a sentence', async () => {
    await openInPlace('notebooks/exercises/exercise-5-epsilon.ipynb');
    await page.evaluate(() => {
      const { widgets } = globalThis.jupyterapp.shell.currentWidget.content;
      const cell = widgets.find(({ model }) => /function bias/.test(model.sharedModel.source));
      cell.model.sharedModel.setSource(
        'function bias(z: number, gamma: number, epsilon: number): number { return 0; }',
      );
    });
    const [first] = verdicts(await runAll());
    assert.equal(first.points.points, 0);
    assert.match(first.text, /bias\(/);
  });

  test('what a reader saves is there the next time, and can be handed in as a file', async () => {
    const own = 'const mine: number = 1;';
    await open('notebooks/exercises/exercise-1-gradient.ipynb');
    await page.evaluate(async (source) => {
      const { commands, shell } = globalThis.jupyterapp;
      const { widgets } = shell.currentWidget.content;
      widgets.find(({ model }) => model.type === 'code').model.sharedModel.setSource(source);
      await commands.execute('docmanager:save');
    }, own);
    await page.reload();
    await kernelWaits();
    const [file] = await Promise.all([
      page.waitForEvent('download'),
      page.evaluate(() => void globalThis.jupyterapp.commands.execute('docmanager:download')),
    ]);
    assert.match(file.suggestedFilename(), /exercise-1-gradient\.ipynb$/);
    const [first] = codeOf(JSON.parse(fs.readFileSync(await file.path(), 'utf8')));
    assert.equal([first.source].flat().join(''), own);
  });

  test('a notebook that trains shows its saved results, says so, and names what it cannot do', async () => {
    const name = 'notebooks/03-mnist-classification.ipynb';
    await open(name);
    const notice = page.getByText(/This notebook shows its saved results/);
    await notice.first().waitFor();
    assert.match(
      await notice.first().textContent(),
      /To run it, get the local edition: \w+ and others need it\.$/,
    );
    const outputs = await page.evaluate(() =>
      globalThis.jupyterapp.shell.currentWidget.content.widgets.flatMap(({ model }) =>
        model.type === 'code' ? model.outputs.toJSON() : [],
      ),
    );
    assert.equal(outputs.length, codeOf(saved(name)).flatMap((cell) => cell.outputs).length);
    const { error, text } = await execute("import { tf, train } from 'focal-loss-lab';\ntrain();");
    assert.equal(text, 'Left to the local edition: train\n');
    assert.match(error.evalue, /^train is left to the local edition/);
    assert.deepEqual(error.traceback.slice(1), ['    at cell [1], line 2']);
    assert.deepEqual(problems, []);
  });

  describe('its kernel', () => {
    before(() => openInPlace('notebooks/02-nan-gradient.ipynb'));

    test('has the walls of TensorFlow: 24 ln 2 for label 1, 25 ln 2 for label 0', async () => {
      const { text } = await execute(
        `import { firstNonFinite, sigmoidFocalLoss, tf } from 'focal-loss-lab';
        const gradient = (y: 0 | 1) => (xs: number[]) => tf.tidy(() => Array.from(
          tf.grad((x) => sigmoidFocalLoss(x, tf.fill([xs.length], y), { gamma: 0.5, reduction: 'sum' }))(
            tf.tensor1d(xs.map((x) => (y === 1 ? x : -x)))).dataSync()));
        console.log(firstNonFinite(gradient(1), 100), firstNonFinite(gradient(0), 100));`,
      );
      const [one, zero] = text.trim().split(' ').map(Number);
      assert.ok(Math.abs(one - 24 * Math.LN2) < 1e-4, text);
      assert.ok(Math.abs(zero - 25 * Math.LN2) < 1e-4, text);
    });

    test('keeps the digits of a small log1p, and flushes what is below the normal numbers', async () => {
      const { text } = await execute(
        `tf.log1p(tf.scalar(1e-10)).dataSync()[0] === Math.fround(1e-10) && tf.mul(tf.scalar(1e-30), 1e-10).dataSync()[0] === 0`,
      );
      assert.equal(text, 'true\n');
    });

    test('shares what cells declare, as it is when it is read', async () => {
      await execute('let n: number = 0;\nconst fixed = 1;\nfunction inc() { n += 1; }');
      await execute('inc(); n += 10; inc();');
      assert.equal((await execute('n')).text, '12\n');
      const { error } = await execute('\nfixed = 2;');
      assert.equal(error.ename, 'TypeError');
      assert.deepEqual(
        error.traceback.slice(1).map((line) => line.replace(/\[\d+\]/, '')),
        ['    at cell , line 2'],
      );
    });

    test('says what is wrong with a cell that does not compile, and in which line', async () => {
      const problem = async (code) => (await execute(code)).error.traceback;
      assert.deepEqual(await problem('1;\nconst = 2;'), [
        'Line 2: Variable declaration expected.',
        '  const = 2;',
        '        ^',
      ]);
      assert.deepEqual(await problem('const c = 1;\nconst c = 2;'), [
        "Line 2: Identifier 'c' has already been declared",
        '  const c = 2;',
      ]);
    });

    test('prints the last expression, and shows rows as a table', async () => {
      assert.equal((await execute('({ a: [1, 2], b: "x" })')).text, "{ a: [ 1, 2 ], b: 'x' }\n");
      const { outputs } = await execute('[{ a: 1 }, { a: 2 }]');
      assert.match(outputs.find(({ type }) => type === 'display_data').data['text/html'], /<table/);
    });

    test('completes members and names', async () => {
      const complete = (code) =>
        page.evaluate(async (source) => {
          const { kernel } = globalThis.jupyterapp.shell.currentWidget.sessionContext.session;
          return (await kernel.requestComplete({ code: source, cursor_pos: source.length })).content.matches;
        }, code);
      assert.ok((await complete('tf.sigm')).includes('sigmoid'));
      assert.ok((await complete('1 + sigmoidF')).includes('sigmoidFocalLoss'));
    });

    test('stops a loop at its next breathe, and keeps what was declared', async () => {
      const loop =
        "import { breathe } from 'focal-loss-lab';\nlet turns = 0;\nfor (;;) { turns++; await breathe(); }";
      const { error } = await execute(loop, { stopAfter: 1000 });
      assert.deepEqual([error.ename, error.evalue], ['Interrupted', 'stopped by the user']);
      const before = (await execute('turns')).text;
      assert.ok(Number(before) > 0);
      assert.equal((await execute('turns')).text, before);
    });

    test('gives up a cell that waits for ever', async () => {
      const { error } = await execute('await new Promise(() => undefined);', { stopAfter: 500 });
      assert.match(error.evalue, /^given up/);
      assert.equal((await execute('n')).text, '12\n');
    });

    test('ends a loop that never lets go, restarts and says so', async () => {
      const { error } = await execute('for (;;);', { stopAfter: 500 });
      assert.equal(error.ename, 'Interrupted');
      assert.match(error.evalue, /restarted/);
      assert.equal((await execute('1 + 1')).text, '2\n');
      assert.equal((await execute('n')).error.ename, 'ReferenceError');
    });
  });

  test('a link from one notebook to another opens that', async () => {
    await openInPlace(INDEX);
    const [other] = await Promise.all([
      page.context().waitForEvent('page'),
      page.locator('.jp-RenderedMarkdown a', { hasText: 'Derivation' }).first().click(),
    ]);
    await other.waitForURL('**/notebooks/index.html?path=notebooks%2F01-derivation.ipynb');
    await other.close();
  });

  test('the files that its notebooks link to are there', () => {
    const linked = Object.keys(notebooks).flatMap(linkedFrom);
    const files = linked.filter((target) => fs.statSync(path.join(root, target)).isFile());
    assert.ok(files.includes('notebooks/TEACHING.md'));
    assert.deepEqual(
      files.filter((file) => !fs.existsSync(path.join(site, 'lite/files', file))),
      [],
    );
  });

  test('a link to a Markdown file opens it to be read, with its pictures', async () => {
    await openInPlace(INDEX);
    for (const [link, heading] of [
      ['for teachers', 'Teaching with these notebooks'],
      ['README', 'Focal Loss Lab'],
    ]) {
      const [other] = await Promise.all([
        page.context().waitForEvent('page'),
        page.locator('.jp-RenderedMarkdown a', { hasText: link }).first().click(),
      ]);
      const viewer = other.locator('.jp-MarkdownViewer');
      await viewer.locator('h1', { hasText: heading }).waitFor({ timeout: OPEN_MS });
      await other.waitForFunction(
        () =>
          [...globalThis.document.querySelectorAll('.jp-MarkdownViewer img')].every(
            ({ naturalWidth }) => naturalWidth > 0,
          ),
        null,
        { timeout: OPEN_MS },
      );
      await other.close();
    }
  });

  test('on a phone a notebook is not wider than the screen', async () => {
    await open('notebooks/01-derivation.ipynb', { viewport: { width: 400, height: 850 } });
    const width = await page.evaluate(() => globalThis.document.documentElement.scrollWidth);
    assert.ok(width <= 400, `${width}`);
    assert.deepEqual(problems, []);
  });

  test('each page of the site opens its notebook', () => {
    for (const [name, { needs }] of Object.entries(notebooks)) {
      const file = name.replace(/^notebooks\//, '').replace(/ipynb$/, 'html');
      const html = fs.readFileSync(path.join(site, file), 'utf8');
      const [, href, text] = /<p class="run">\s*<a href="([^"]*)">([^<]*)<\/a>/.exec(html);
      assert.match(text, needs.length > 0 ? /^Open this page/ : /^(Run this page|Open the notebooks)/);
      const { pathname, searchParams } = new URL(href, `${address}/${file}`);
      assert.equal(pathname, '/lite/notebooks/index.html');
      assert.equal(searchParams.get('path'), name);
    }
  });

  test(`it takes less than ${LARGEST_MB} MB, and names no folder of this machine`, () => {
    const files = fs.readdirSync(path.join(site, 'lite'), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile()).map((entry) => path.join(entry.parentPath ?? entry.path, entry.name)); // prettier-ignore
    const bytes = files.reduce((sum, file) => sum + fs.statSync(file).size, 0);
    assert.ok(bytes < LARGEST_MB * 1e6, `${bytes}`);
    assert.deepEqual(
      files.filter((file) => file.endsWith('.map')),
      [],
    );
    assert.deepEqual(
      files.filter((file) => fs.readFileSync(file, 'latin1').includes(root)),
      [],
    );
  });
});
