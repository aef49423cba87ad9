import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, describe, test } from 'node:test';
import { anchorsOf, linksIn, readPage } from '../pages.mjs';
import { root } from '../setup/project.mjs';

const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'check-text-'));
after(() => fs.rmSync(folder, { recursive: true }));

function write(name, ...texts) {
  const file = path.join(folder, name);
  const cells = texts.map((source) => ({
    cell_type: source.startsWith('const') ? 'code' : 'markdown',
    source,
  }));
  const outputs = { outputs: [{ data: { 'image/png': 'iVBteh' } }] };
  fs.writeFileSync(
    file,
    name.endsWith('.ipynb')
      ? JSON.stringify({ cells: [...cells, { cell_type: 'code', source: [], ...outputs }] })
      : texts[0],
  );
  return file;
}

const check = (...files) =>
  spawnSync(process.execPath, ['scripts/check-text.mjs', ...files], { cwd: root, encoding: 'utf8' });

describe('links', () => {
  test('are found in Markdown, in images and in HTML, not in code', () => {
    const text =
      'a [b](c.md) ![d](e.png "f") <img src="g.png"> <a href="h">i</a> `[j](k)` <https://l.m>\n```\n[n](o)\n```\n[p](q)';
    assert.deepEqual(linksIn(text), ['c.md', 'e.png', 'q', 'g.png', 'h', 'https://l.m']);
  });

  test('a heading is named as GitHub names it, a second one of the same words by a number', () => {
    const file = write(
      'names.md',
      '# The sweep!\n## A `b_c` [d](e), 0.5\n## The sweep\n```\n# no heading\n```\n',
    );
    assert.deepEqual([...anchorsOf(file)], ['the-sweep', 'a-b_c-d-05', 'the-sweep-1']);
  });

  test('in a notebook a heading keeps its letters, as JupyterLab names it', () => {
    assert.deepEqual([...anchorsOf(write('names.ipynb', '## 2 · The NaN'))], ['2-·-The-NaN']);
  });

  test('to a file or a heading that does not exist are told, others are not', () => {
    const file = write(
      'dead.md',
      '# Here\n[a](#here) [b](#there) [c](names.md#the-sweep) [d](no.md) [e](https://no.invalid)',
    );
    write('names.md', '# The sweep');
    const { status, stdout } = check(file);
    assert.equal(status, 1);
    assert.match(stdout, /#there: .*dead\.md has no heading of that name/);
    assert.match(stdout, /no\.md: there is no .*no\.md/);
    assert.equal(stdout.match(/^ {5}/gm).length, 2);
    assert.match(stdout, /1 passed, 1 failed\n$/);
  });
});

describe('spelling', () => {
  test('of a notebook the cells are looked at, not the pictures', () => {
    const { markdown, code } = readPage(write('pages.ipynb', '# One', 'const two = 2;', 'three'));
    assert.deepEqual([markdown, code], ['# One\n\nthree', 'const two = 2;\n\n']);
  });

  for (const [what, text] of [
    ['a misspelled word in a text', 'This is teh end.'],
    ['one in a comment of a cell', 'const end = 1; // teh end'],
    ['a British one', 'The colour of the curve.'],
  ])
    test(`${what} is told`, () => {
      const { status, stdout } = check(write('wrong.ipynb', text));
      assert.equal(status, 1);
      assert.match(stdout, /FAIL spelling\n {5}.*(teh ==> the|colour ==> color)/);
    });

  test('a page without fault passes', () => {
    const { status, stdout } = check(write('right.ipynb', '# The end', 'const color = 1;'));
    assert.equal(status, 0, stdout);
    assert.match(stdout, /2 passed, 0 failed\n$/);
  });
});
