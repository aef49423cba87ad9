// The notebooks as web pages: what npm run site writes, and how its pages behave in a browser.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { before, describe, test } from 'node:test';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { readCensus } from '../../../lib/dist/results/census.js';
import { openPage } from '../../browser/chromium.mjs';
import { findTooltip } from '../../browser/jupyterlab.mjs';
import { allNotebooks } from '../../pages.mjs';
import { root } from '../../setup/project.mjs';
import { build, buildOnce, scratch, site, skip, startBrowser } from './built.mjs';

const DESKTOP = { viewport: { width: 1280, height: 900 }, colorScheme: 'light' };
const PHONE = { viewport: { width: 390, height: 844 }, colorScheme: 'dark' };
const DRAWN_MS = 60_000;
const CHART = 'application/vnd.vegalite.v5+json';

describe('npm run site', () => {
  const clone = path.join(scratch, 'clone');
  const written = path.join(clone, 'site');
  let printed;
  const markdown = (...source) => ({ cell_type: 'markdown', metadata: {}, source: source.join('\n') });
  const code = {
    cell_type: 'code',
    metadata: {},
    execution_count: null,
    outputs: [],
    source: 'const x = 1;',
  };
  const notebooks = {
    'index.ipynb': [
      markdown('# A map', '[Do it](exercises/01-do.ipynb#Hints), [license](../LICENSE), [all](exercises)'),
    ],
    'exercises/01-do.ipynb': [
      markdown('# Do it', '## Hints', 'Back to [the map](../index.ipynb).', '', '![A dot](../dot.svg)'),
      markdown('<details><summary>Hint</summary>', '', 'Say *please*.', '</details>'),
      code,
    ],
  };
  for (const name of ['scripts/site', 'scripts/command.py'])
    fs.cpSync(path.join(root, name), path.join(clone, name), { recursive: true });
  for (const name of ['node_modules', 'data']) fs.symlinkSync(path.join(root, name), path.join(clone, name));
  for (const [name, cells] of Object.entries(notebooks)) {
    const file = path.join(clone, 'notebooks', name);
    fs.mkdirSync(path.dirname(file), { recursive: true });
    fs.writeFileSync(file, JSON.stringify({ cells, metadata: {}, nbformat: 4, nbformat_minor: 4 }));
  }
  fs.writeFileSync(path.join(clone, 'notebooks/dot.svg'), '<svg xmlns="http://www.w3.org/2000/svg"/>');
  const html = (name) => fs.readFileSync(path.join(written, name), 'utf8');

  test('a notebook that nobody has run becomes a page, too, with the code of its cells', () => {
    const { status, stderr } = build(clone, '--pages-only');
    assert.equal(status, 0, stderr);
    assert.match(html('exercises/01-do.html'), /x<\/span>/);
    assert.doesNotMatch(html('exercises/01-do.html'), /class="run"/);
  });

  test('links between notebooks become links between pages, others lead to the file in the clone', () => {
    assert.match(html('index.html'), /href="exercises\/01-do\.html#Hints"/);
    assert.match(html('index.html'), /href="\.\.\/LICENSE"/);
    assert.match(html('index.html'), /<a href="exercises\/01-do\.html">all<\/a>/);
    assert.match(html('exercises/01-do.html'), /<p>Back to <a href="\.\.\/index\.html">/);
  });

  test('a hint stays folded together with its text, and a picture comes with the page', () => {
    assert.match(
      html('exercises/01-do.html'),
      /<summary>Hint<\/summary>\s*<p>Say <em>please<\/em>\.<\/p>\s*<\/details>/,
    );
    assert.match(html('exercises/01-do.html'), /<img alt="A dot" src="data:image\/svg\+xml;base64,/);
  });

  test('every page links to all the others', () => {
    assert.match(html('index.html'), /<nav aria-label="All notebooks">[^]*href="exercises\/01-do\.html"/);
    assert.match(
      html('exercises/01-do.html'),
      /<nav aria-label="All notebooks">[^]*href="\.\.\/index\.html"/,
    );
  });

  test('a new site replaces the old one as a whole', () => {
    fs.writeFileSync(path.join(written, 'of-an-old-notebook.html'), '');
    printed = build(clone, '--pages-only', '--repository', 'https://github.com/Someone/lab/').stdout;
    assert.deepEqual(fs.readdirSync(written).sort(), ['assets', 'census.html', 'exercises', 'index.html']);
    assert.deepEqual(
      fs.readdirSync(clone).filter((name) => name.endsWith('.partial')),
      [],
    );
  });

  test('with --repository, links to other files lead there', () => {
    assert.match(html('index.html'), /href="https:\/\/github\.com\/Someone\/lab\/blob\/HEAD\/LICENSE"/);
  });

  test('of a repository on GitHub, pages lead to Binder and Codespaces, and badges for README are printed', () => {
    const binder = 'https://mybinder.org/v2/gh/Someone/lab/HEAD?urlpath=lab/tree/notebooks';
    assert.ok(html('exercises/01-do.html').includes(`<a href="${binder}/exercises/01-do.ipynb">Binder</a>`));
    assert.ok(html('index.html').includes('<a href="https://codespaces.new/Someone/lab">Codespaces</a>'));
    for (const address of [
      `${binder}/index.ipynb`,
      'https://codespaces.new/Someone/lab',
      'https://someone.github.io/lab/',
    ])
      assert.ok(printed.includes(`](${address})`), printed);
  });

  test('a folder that holds something else is refused and left as it was', () => {
    const { status, stderr } = build(clone, '--pages-only', '--out', path.join(clone, 'notebooks'));
    assert.equal(status, 1);
    assert.match(stderr, /notebooks holds something else than a site/);
    assert.deepEqual(fs.readdirSync(path.join(clone, 'notebooks')).sort(), [
      'dot.svg',
      'exercises',
      'index.ipynb',
    ]);
  });
});

describe('the pages in a browser', { skip }, () => {
  const pages = allNotebooks().map((name) => name.replace(/\.ipynb$/, '.html'));
  const allPages = [...pages, 'census.html'];
  const addressOf = (name) => pathToFileURL(path.join(site, name)).href;

  let browser;
  let reader; // with scripts
  before(async () => {
    buildOnce();
    browser = await startBrowser();
    reader = await openPage(browser, PHONE);
  });

  async function turnInto({ viewport, colorScheme }) {
    await reader.page.setViewportSize(viewport);
    await reader.page.emulateMedia({ colorScheme });
  }

  /** Goes on to a page of the site, and waits until its charts are drawn, or should be. */
  async function open(name, device) {
    const { page, problems } = reader;
    problems.length = 0;
    await turnInto(device);
    await page.goto(addressOf(name), { waitUntil: 'load' });
    await page.waitForFunction(() => !globalThis.document.querySelector('.chart img'), null, { timeout: DRAWN_MS })
      .catch(() => problems.push(`charts are not drawn after ${DRAWN_MS / 1000} s`)); // prettier-ignore
  }

  for (const name of pages) {
    const chartsOfNotebook = countCharts(notebookOf(name));
    test(`${name}: formulas and charts are drawn, nothing fails or is too wide, on a dark phone and a desktop; sliders move it`, async () => {
      for (const device of [PHONE, DESKTOP]) {
        // Charts are drawn for the width at which a page opens; the rest follows it.
        if (device === PHONE || chartsOfNotebook > 0) await open(name, device);
        else await turnInto(device);
        const { found, charts } = await reader.page.evaluate(inspect);
        assert.deepEqual([...reader.problems, ...found], []);
        assert.equal(charts, chartsOfNotebook);
      }
      assert.equal(await reader.page.evaluate(moveInputs), '');
      const inputs = await reader.page.locator('.vega-bindings :is(input, select)').count();
      assert.equal(inputs > 0, hasInputs(notebookOf(name)));
    });
  }

  test('some notebooks have sliders', () => assert.ok(pages.map(notebookOf).some(hasInputs)));

  test('on a phone charts are in one column, as wide as the page', async () => {
    for (const name of ['03-mnist-classification.html', '11-the-grid.html']) {
      await open(name, PHONE);
      assert.equal(await reader.page.locator('.chart.wider').count(), 0, name);
    }
  });

  test('a chart answers the mouse with a tooltip', async () => {
    await open(
      pages.find((page) => countCharts(notebookOf(page)) > 0),
      DESKTOP,
    );
    assert.ok(await findTooltip(reader.page, reader.page.locator('.chart svg').first()));
  });

  test('a page that was opened as a file says that running it needs a server', async () => {
    await open('index.html', DESKTOP);
    assert.match(await reader.page.locator('.run').textContent(), /needs a server: python3 -m http\.server/);
  });

  test('without scripts', async (t) => {
    const { page, problems } = await openPage(browser, { ...DESKTOP, javaScriptEnabled: false });
    const links = [];
    const ids = new Map();
    for (const name of allPages)
      await t.test(`${name} shows the pictures of its charts, with alternative text`, async () => {
        problems.length = 0;
        await page.goto(addressOf(name), { waitUntil: 'load' });
        const seen = await page.evaluate(() => {
          const all = (selector) => Array.from(globalThis.document.querySelectorAll(selector));
          return {
            ids: all('[id]').map(({ id }) => id),
            links: all('a[href]').map(({ href }) => href),
            pictures: all('.chart img').map(({ alt, naturalWidth, width }) => ({
              alt,
              loaded: naturalWidth > 0,
              visible: width > 0,
            })),
          };
        });
        ids.set(path.join(site, name), seen.ids);
        links.push(...seen.links.filter((href) => href.startsWith('file:')).map((href) => ({ name, href })));
        assert.deepEqual(problems, []);
        assert.equal(seen.pictures.length, pages.includes(name) ? countCharts(notebookOf(name)) : 0);
        for (const { alt, loaded, visible } of seen.pictures) assert.ok(alt !== '' && loaded && visible, alt);
      });

    await t.test('every link leads to a file, and to a heading of it where it names one', () => {
      const broken = links.filter(({ href }) => {
        const { hash } = new URL(href);
        const file = fileURLToPath(href);
        if (!fs.existsSync(file)) return true;
        if (hash === '' || !ids.has(file)) return false;
        const name = hash.slice(1); // a browser tries it as it is, then decoded
        return !ids.get(file).includes(name) && !ids.get(file).includes(decodeURIComponent(name));
      });
      assert.deepEqual(broken, []);
      assert.ok(links.length > pages.length);
    });
    await page.close();
  });

  describe('the census', () => {
    const census = readCensus(path.join(root, 'data/results/census.csv'));
    const shown = (page, key) =>
      page.locator(`table.census tbody tr:not([hidden]) [data-key=${key}]`).allTextContents();
    for (const [where, device] of Object.entries({ 'a desktop': DESKTOP, 'a phone, dark': PHONE }))
      test(`on ${where} a search leaves the rows with all its words, and nothing is too wide`, async () => {
        const { page, problems } = reader;
        await open('census.html', device);
        const implementations = new Set(
          census.rows.map((row) => `${row.library} ${row.version} ${row.variant}`),
        );
        assert.equal((await shown(page, 'name')).length, implementations.size);
        await page.getByRole('searchbox').fill('  KERAS xla');
        const names = await shown(page, 'name');
        assert.ok(names.length >= 2 && names.every((name) => /^Keras \(.*XLA\)$/.test(name)), `${names}`);
        assert.equal(
          await page.locator('output').textContent(),
          `${names.length} of ${census.rows.length / 2} rows`,
        );
        const { found } = await page.evaluate(inspect);
        assert.deepEqual([...problems, ...found], []);
      });

    test('it has the walls of torchvision at 24 ln 2 and 25 ln 2, and none at gamma 2', async () => {
      const { page } = reader;
      await open('census.html', DESKTOP);
      const walls = async () => [await shown(page, 'one'), await shown(page, 'zero')].map(([text]) => text);
      await page.getByRole('searchbox').fill('torchvision');
      assert.deepEqual(await walls(), ['16.64', '−17.33']);
      await page.locator('select[data-key=gamma]').selectOption('2');
      assert.deepEqual(await walls(), ['none', 'none']);
      await page.locator('select[data-key=dtype]').selectOption('');
      assert.equal((await shown(page, 'dtype')).length, census.settings.dtypes.length);
    });

    test('a column is sorted by its values, the walls by their size, a second time backwards', async () => {
      const { page } = reader;
      await open('census.html', DESKTOP);
      const sizes = async (key) =>
        (await shown(page, key)).map((text) =>
          text === 'none' ? Infinity : Math.abs(text.replace('−', '-')),
        );
      const ascending = (values) => values.toSorted((a, b) => (a === b ? 0 : a - b));
      assert.deepEqual(await sizes('one'), ascending(await sizes('one')));
      await page.getByRole('button', { name: 'error of the gradient' }).click();
      const errors = (await shown(page, 'gradient')).map((text) => (text === '–' ? Infinity : Number(text)));
      assert.deepEqual(errors, ascending(errors));
      await page.getByRole('button', { name: 'wall, label 0' }).click();
      await page.getByRole('button', { name: 'wall, label 0' }).click();
      assert.deepEqual(await sizes('zero'), ascending(await sizes('zero')).reverse());
      await page.locator('select[data-sort]').selectOption('framework');
      const frameworks = await shown(page, 'framework');
      assert.deepEqual(frameworks, frameworks.toSorted());
    });

    test('without scripts every row is there', async () => {
      const { page, problems } = await openPage(browser, { ...PHONE, javaScriptEnabled: false });
      await page.goto(addressOf('census.html'), { waitUntil: 'load' });
      assert.equal((await shown(page, 'name')).length, census.rows.length / 2);
      assert.ok(!(await page.getByRole('searchbox').isVisible()));
      await page.close();
      assert.deepEqual(problems, []);
    });

    test('every notebook that reads it links to it', () => {
      const readers = pages.filter((name) =>
        fs.readFileSync(notebookOf(name), 'utf8').includes('readCensus('),
      );
      assert.ok(readers.length > 0);
      for (const name of readers)
        assert.match(
          fs.readFileSync(path.join(site, name), 'utf8'),
          /<main>[^]*<a href="(\.\.\/)?census\.html">The whole census/,
        );
    });
  });
});

function notebookOf(page) {
  return path.join(root, 'notebooks', page.replace(/\.html$/, '.ipynb'));
}

function outputsOf(notebook) {
  return JSON.parse(fs.readFileSync(notebook, 'utf8')).cells.flatMap((cell) => cell.outputs ?? []);
}

function countCharts(notebook) {
  return outputsOf(notebook).filter(({ data = {} }) => CHART in data).length;
}

/** Whether a reader can set something in one of its charts. */
function hasInputs(notebook) {
  const specs = outputsOf(notebook).flatMap(({ data = {} }) => data[CHART] ?? []);
  return specs.some((spec) => JSON.stringify(spec).includes('"bind":{"'));
}

/** Runs in the page: what a reader would object to. */
function inspect() {
  const { document, getComputedStyle, matchMedia, NodeFilter } = globalThis;
  const found = [];
  const { scrollWidth, clientWidth } = document.documentElement;
  if (scrollWidth > clientWidth) found.push(`${scrollWidth} pixels wide in a window of ${clientWidth}`);

  for (const { title, textContent } of document.querySelectorAll('.katex-error'))
    found.push(`formula: ${title}: ${textContent}`);
  const texts = document.createTreeWalker(document.querySelector('main'), NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const { parentElement, data } = texts.currentNode;
    if (parentElement.closest('pre, code, script, style, .katex, svg')) continue;
    if (/\$[^$]+\$|\\[a-zA-Z]{2,}/.test(data)) found.push(`not drawn: ${data}`);
  }

  const charts = document.querySelectorAll('.chart');
  charts.forEach((chart, index) => {
    const marks = chart.querySelectorAll('svg .role-mark :is(path, line, rect, text, image)');
    const { width = 0, height = 0 } = chart.querySelector('svg')?.getBoundingClientRect() ?? {};
    const invalid = Array.from(marks).filter((mark) => /NaN|undefined/.test(mark.getAttribute('d')));
    if (marks.length === 0 || width < 200 || height < 100 || invalid.length > 0)
      found.push(
        `chart ${index + 1}: ${marks.length} marks, ${invalid.length} invalid, ${width} x ${height}`,
      );
    if (chart.scrollWidth > chart.clientWidth && getComputedStyle(chart, '::before').content === 'none')
      found.push(`chart ${index + 1} does not say that it is wider than the screen`);
    if (getComputedStyle(chart).backgroundColor !== 'rgb(255, 255, 255)')
      found.push(`chart ${index + 1} is not on white, for which its colors are made`);
  });
  for (const { alt, naturalWidth, src } of document.images)
    if (!alt || naturalWidth === 0) found.push(`image without text or content: ${alt} ${src.slice(0, 80)}`);

  const light = (color) =>
    color
      .match(/\d+/g)
      .slice(0, 3)
      .reduce((sum, part) => sum + Number(part), 0) / 765;
  const { color, backgroundColor } = getComputedStyle(document.body);
  const contrast = light(color) - light(backgroundColor);
  const dark = matchMedia('(prefers-color-scheme: dark)').matches;
  if ((dark ? contrast : -contrast) < 0.7) found.push(`text in ${color} on ${backgroundColor}`);
  return { found, charts: charts.length };
}

/** Runs in the page: chooses another value everywhere, as a reader would. Returns which chart stays as it was, or ''. */
async function moveInputs() {
  const { document, Event, requestAnimationFrame } = globalThis;
  const LIMIT_MS = 30_000;
  const choose = (input) => {
    if (input.type === 'checkbox' || input.type === 'radio') return input.click();
    if (input.tagName === 'SELECT') input.selectedIndex = input.selectedIndex === 0 ? 1 : 0;
    else input.value = input.value === input.max ? input.min : input.max;
    for (const type of ['input', 'change']) input.dispatchEvent(new Event(type, { bubbles: true }));
  };
  for (const [index, chart] of document.querySelectorAll('.vega-embed').entries())
    for (const input of chart.querySelectorAll(
      '.vega-bindings :is(input:not([type=radio]:checked), select)',
    )) {
      const drawing = () => chart.querySelector('svg').innerHTML;
      const before = drawing();
      const start = performance.now();
      choose(input);
      while (drawing() === before) {
        if (performance.now() - start > LIMIT_MS) return `chart ${index + 1}: ${input.name}`;
        await new Promise((resolve) => requestAnimationFrame(resolve));
      }
    }
  return '';
}
