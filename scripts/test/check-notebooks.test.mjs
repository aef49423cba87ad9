import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { before, describe, test } from 'node:test';
import { root } from '../setup/project.mjs';

const markdown = (text) => ({ cell_type: 'markdown', source: text });
const code = (text) => ({ cell_type: 'code', source: [text] });
const withSentences = (...cells) => cells.flatMap((text) => [markdown('What is it?'), code(text)]);

// All pages go through one process: reading the declarations of tfjs takes longer than checking them.
const pages = {
  good: withSentences(
    "import { tf } from 'focal-loss-lab';\nconst gamma = 2;",
    'const settings = { gamma };\nconst twice = ({ gamma }: { gamma: number }) => ({ gamma, twice: 2 * gamma });',
    'await tf.ones([2]).data();\ntwice(settings);',
  ),
  typeError: withSentences('const a = 1;', 'console.log(a);\na.length;'),
  tslab: withSentences(
    'const a = 1;\nconst b = { c: 2, a: 3 };',
    'await (async () => a)();\nconst { c, a: d } = b;\nconsole.log(c, d);',
  ),
  promise: withSentences('const later = async () => 1;\nlater();'),
  tensorflow: withSentences("import * as tf from '@tensorflow/tfjs-node-gpu';\ntf.ones([1]);"),
  format: withSentences('console.log(1);\nconsole.log( 2 );'),
  long: withSentences('console.log(1);\n'.repeat(31)),
  silent: [markdown('# A heading only'), code('console.log(1);')],
  twoLessons: [...withSentences(...Array(26).fill('console.log(1);')), markdown('word '.repeat(2000))],
};

describe('the check of a notebook’s cells', () => {
  let result;
  let faults; // of each page that fails

  before(() => {
    const folder = fs.mkdtempSync(path.join(root, 'check-notebooks-')); // inside, where its modules are found
    try {
      const files = Object.entries(pages).map(([name, cells]) => {
        const file = path.join(folder, `${name}.ipynb`);
        fs.writeFileSync(file, JSON.stringify({ cells, metadata: { kernelspec: { name: 'tslab' } } }));
        return file;
      });
      result = spawnSync(process.execPath, ['scripts/check-notebooks.mjs', ...files], {
        cwd: root,
        encoding: 'utf8',
      });
      assert.equal(result.stderr, '');
      faults = Object.fromEntries(
        [...result.stdout.matchAll(/^FAIL .*\/(\w+)\.ipynb\n((?: {5}.*\n)+)/gm)].map((match) =>
          match.slice(1),
        ),
      );
    } finally {
      fs.rmSync(folder, { recursive: true });
    }
  });

  test('fails when a page fails', () => assert.equal(result.status, 1));

  test('passes a page in which cells use what earlier ones declare', () => {
    assert.match(result.stdout, /^ok .*\/good\.ipynb$/m);
  });

  test('finds a type error, and names its cell and line', () => {
    assert.match(faults.typeError, /cell \[2\], line 2: Property 'length' does not exist/);
  });

  test('finds what tslab gets wrong: an earlier cell’s name renamed, await before a parenthesis', () => {
    assert.match(faults.tslab, /cell \[2\], line 1: write await without a parenthesis/);
    assert.match(faults.tslab, /cell \[2\], line 2: write a declaration with \.a/);
  });

  test('finds a promise that nobody awaits', () => {
    assert.match(faults.promise, /cell \[1\], line 2: await this promise/);
  });

  test('refuses a TensorFlow of one’s own', () => {
    assert.match(faults.tensorflow, /line 1: .*Take tf from 'focal-loss-lab'/);
  });

  test('finds code that Prettier would lay out differently', () => {
    assert.match(faults.format, /line 2: format: Prettier writes "console\.log\(2\);"/);
  });

  test('finds a cell too long, and one that no sentence introduces', () => {
    assert.match(faults.long, /cell \[1\]: 31 lines/);
    assert.match(faults.silent, /cell \[1\]: no sentence in front of it/);
  });

  test('finds a notebook of more cells or words than a lesson has', () => {
    assert.match(faults.twoLessons, /26 cells of code: more than 25/);
    assert.match(faults.twoLessons, /2078 words of text: more than 2000/);
  });
});
