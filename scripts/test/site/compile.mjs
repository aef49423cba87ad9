// How the kernel of the browser edition compiles a cell.
import assert from 'node:assert/strict';
import path from 'node:path';
import { describe, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { root } from '../../setup/project.mjs';
import { installTools, tools } from '../../site/lite/install.mjs';
import { problemOf } from '../../site/lite/kernel/problem.js';
import { scratch } from './built.mjs';

await installTools();
const { compileCell, EXTREME, IMPORT, PUBLISH } = await importBundled('scripts/site/lite/kernel/compile.js');

/** A module with what it takes from the packages of the browser edition. */
async function importBundled(file) {
  const { build } = await import(pathToFileURL(path.join(tools, 'node_modules/esbuild/lib/main.js')).href);
  const outfile = path.join(scratch, path.basename(file, '.js') + '.mjs');
  const nodePaths = [path.join(tools, 'node_modules')];
  await build({ entryPoints: [path.join(root, file)], bundle: true, format: 'esm', nodePaths, outfile });
  return import(pathToFileURL(outfile).href);
}

/** Runs a cell as the worker does; what it declares is in `scope`, as accessors. */
async function run(source, { library = {}, count = 1 } = {}) {
  const script = compileCell(source, count);
  const scope = {};
  const publish = (declared) => Object.defineProperties(scope, Object.getOwnPropertyDescriptors(declared));
  const extreme = (name, numbers) => Math[name](...numbers);
  const evaluate = new Function(PUBLISH, IMPORT, EXTREME, `return ${script.trim()}`);
  const result = evaluate(publish, async () => library, extreme);
  return { scope, result };
}

const valueOf = async (source, options) => (await (await run(source, options)).result)?.value;

describe('a cell of the browser edition', () => {
  test('loses its types, and gives the value of its last expression', async () => {
    const source = [
      "import type { Row } from 'focal-loss-lab';",
      'type Named<T> = { [name: string]: T };',
      'interface Point { x: number }',
      'enum Side { Left = 1, Right }',
      'const half = <T extends number>(x: T): number => x / 2;',
      'const point = { x: half(8) } satisfies Point;',
      'point!.x + (Side.Right as number);',
    ];
    assert.equal(await valueOf(source.join('\n')), 6);
  });

  test('that ends with a statement gives none', async () => {
    assert.equal(await (await run('const x = 1;')).result, undefined);
    assert.equal(await (await run('')).result, undefined);
    assert.equal(await (await run('// nothing but a comment')).result, undefined);
  });

  test('keeps a last expression whole, whatever stands around it', async () => {
    assert.equal(await valueOf('1 +\n  2 // three\n'), 3);
    assert.deepEqual(await valueOf('({ a: 1 }) // an object'), { a: 1 });
    assert.equal(await valueOf('await Promise.resolve(4);\n\n'), 4);
  });

  test('declares what later cells see, with the value that it has when they look', async () => {
    const source =
      'let n = 0; const { a, b: [c] } = { a: 1, b: [2] };\nfunction inc() { n += 1; }\nclass K {}';
    const { scope, result } = await run(source);
    await result;
    assert.deepEqual(Object.keys(scope), ['n', 'a', 'c', 'inc', 'K']);
    scope.inc();
    scope.n += 10;
    scope.inc();
    assert.equal(scope.n, 12);
    assert.equal(scope.c, 2);
  });

  test('does not let a later cell assign to a const', async () => {
    const { scope, result } = await run('const x = 1;');
    await result;
    assert.throws(() => {
      scope.x = 2;
    }, TypeError);
  });

  test('that failed has declared nothing beyond the line at which it did', async () => {
    const { scope, result } = await run("const a = 1;\nthrow new Error('here');\nconst b = 2;");
    await assert.rejects(result, /here/);
    assert.equal(scope.a, 1);
    assert.throws(() => scope.b, ReferenceError);
  });

  test('imports by any form, and later cells see what it has imported', async () => {
    const library = { a: 1, b: 2, default: 3 };
    const source =
      "import d, { a, b as c, type T } from 'x';\nimport * as all from 'x';\nimport 'x';\n[a, c, d, all.b];";
    const { scope, result } = await run(source, { library });
    assert.deepEqual((await result).value, [1, 2, 3, 2]);
    assert.deepEqual(Object.keys(scope), ['d', 'a', 'c', 'all']);
  });

  test('may say export, which means nothing', async () => {
    assert.equal(await valueOf('export const x = 5;\nconst y = 1;\nexport { y };\nx + y;'), 6);
  });

  test('takes the largest of more numbers than a stack has room for', async () => {
    const script = compileCell('Math.max(...[1, ...[5, 2]].map((x) => Math.min(...[x, 3])), 0);', 1);
    assert.doesNotMatch(script, /Math\.(max|min)\(\.\.\./);
    assert.equal(await valueOf('Math.max(...[1, ...[5, 2]].map((x) => Math.min(...[x, 3])), 0);'), 3);
  });

  test('names the line of an error, below types and imports of several lines', async () => {
    const source = [
      'import {',
      '  a,',
      "} from 'x';",
      'interface Long {',
      '  x: number;',
      '}',
      'function fail(): never {',
      "  throw new Error('line 8');",
      '}',
      '',
      'const y = 1;',
      'fail();',
    ];
    const { result } = await run(source.join('\n'), { library: { a: 1 }, count: 7 });
    const error = await result.catch((thrown) => thrown);
    const rows = [...error.stack.matchAll(/cell-7:(\d+):/g)].map(([, row]) => Number(row));
    const ahead = 2; // lines that new Function puts in front
    assert.deepEqual(rows.map((row) => row - ahead).slice(0, 2), [8, 12]);
  });

  test('that is no TypeScript is refused, and TypeScript says why, with the line and a mark', () => {
    const source = 'const x = 1;\nconst = 2;';
    assert.throws(() => compileCell(source, 1), SyntaxError);
    const [message, line, mark] = problemOf(source);
    assert.match(message, /^Line 2: /);
    assert.equal(line, '  const = 2;');
    assert.equal(mark, '        ^');
    assert.equal(problemOf('const x: number = 1;'), undefined);
  });

  for (const source of [
    'const x = 1; const x = 2;',
    'let s = `',
    'const n: = 1;',
    'f(;',
    'return 1;',
    '}',
    'if (a { }',
  ])
    test(`like ${JSON.stringify(source)} is refused`, () => {
      assert.throws(() => compileCell(source, 1), SyntaxError);
    });
});
