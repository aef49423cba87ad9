import { outputOf } from './fakeKernel';
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { show, tf, toDataFrame } from 'focal-loss-lab';
import type { Table } from 'focal-loss-lab/dist/display';
import { isTable } from 'focal-loss-lab/dist/display/table';
import { Series } from 'danfojs-node';

const text = async (table: Table, options = {}) =>
  (await outputOf(() => show(table, options))).data['text/plain'];
const html = async (table: Table, options = {}) =>
  String((await outputOf(() => show(table, options))).data['text/html']);
/** The number as it is shown. */
const shown = async (x: number, digits = 4) => (await text([{ x }], { digits })).split('\n')[1].trim();

describe('show', () => {
  test('columns are aligned, numbers to the right, text to the left', async () => {
    const rows = [
      { loss: 'original', epoch: 3, value: 0.25 },
      { loss: 'exact', epoch: 100, value: 12 },
    ];
    assert.equal(
      await text(rows),
      ['loss      epoch  value', 'original      3   0.25', 'exact       100     12'].join('\n'),
    );
    const page = await html(rows);
    assert.match(page, /<table class="dataframe">/);
    assert.match(page, /<td style="text-align:left">original<\/td><td style="text-align:right">3<\/td>/);
  });

  for (const [x, expected] of [
    [60000, '60000'],
    [-3, '-3'],
    [0, '0'],
    [-0, '-0'],
    [0.1, '0.1'],
    [2 / 3, '0.6667'],
    [Math.fround(0.1), '0.1000'],
    [0.99996, '1.000'],
    [12345.678, '12346'],
    [-123.456, '-123.5'],
    [99999.6, '100000'],
    [1e-7, '1e-7'],
    [2 ** -24, '5.960e-8'],
    [1.5e300, '1.5e+300'],
    [2 ** 53 + 2, '9.007e+15'],
    [NaN, 'NaN'],
    [Infinity, 'Infinity'],
    [-Infinity, '-Infinity'],
  ] as const)
    test(`${Object.is(x, -0) ? '-0' : x} is shown as ${expected}`, async () => {
      assert.equal(await shown(x), expected);
    });

  test('digits are significant digits', async () => {
    assert.equal(await shown(Math.PI, 2), '3.1');
    assert.equal(await shown(Math.PI, 8), '3.1415927');
  });

  test('NaN and infinities stand out without color too', async () => {
    const page = await html([{ a: NaN, b: -Infinity, c: 1.5 }]);
    assert.match(page, /<b style="[^"]*background:#B00020[^"]*">NaN<\/b>/);
    assert.match(page, /<b style="[^"]*border:1px solid #B00020[^"]*">-Infinity<\/b>/);
    assert.doesNotMatch(page, /<b[^>]*>1\.5/);
  });

  test('a missing value is named, and leaves a column of numbers one', async () => {
    const rows = [{ gamma: 0.1, epoch: 3 }, { gamma: 2, epoch: null }, { gamma: 5 }];
    assert.equal(
      await text(rows),
      ['gamma      epoch', '  0.1          3', '    2       null', '    5  undefined'].join('\n'),
    );
    assert.match(await html(rows), /text-align:right"><i>null<\/i>/);
  });

  test('text is text, never markup', async () => {
    const page = await html([{ '<b>"&': `<img src=x onerror='alert(1)'>` }], { caption: '<script>' });
    assert.doesNotMatch(page, /<img|<script|<b>"/);
    assert.match(page, /&#60;img/);
  });

  test('the first rows are shown, and how many there are', async () => {
    const rows = Array.from({ length: 30 }, (_, row) => ({ row }));
    const lines = (await text(rows, { rows: 5, caption: 'Thirty' })).split('\n');
    assert.deepEqual(
      lines.map((line) => line.trim()),
      ['Thirty', 'row', '0', '1', '2', '3', '4', '5 of 30 rows'],
    );
    assert.equal((await html(rows)).match(/<tr>/g)?.length, 1 + 20);
  });

  test('a DataFrame looks like its rows', async () => {
    const rows = [
      { loss: 'exact', value: 0.5 },
      { loss: 'original', value: NaN },
    ];
    assert.equal(await html(toDataFrame(rows)), await html(rows));
  });

  test('an index is shown where it says something', async () => {
    const frame = toDataFrame([{ x: 1 }, { x: 3 }, { x: 2 }]);
    const sorted = frame.sortValues('x', { ascending: false });
    assert.equal(await text(sorted), ['   x', '1  3', '2  2', '0  1'].join('\n'));
  });

  test('a Series is one column', async () => {
    assert.equal(await text(new Series([1, NaN], { columns: ['loss'] })), 'loss\n   1\n NaN');
  });

  test('a tensor has a row for each place in all its axes but the last', async () => {
    const tensor = tf.tensor([1, 2, 3, 4, 5, 6, 7, 8], [2, 2, 2], 'int32');
    assert.equal(
      await text(tensor),
      ['int32 [2, 2, 2]', '      0  1', '0, 0  1  2', '0, 1  3  4', '1, 0  5  6', '1, 1  7  8'].join('\n'),
    );
    tensor.dispose();
  });

  test('small numbers of a tensor are not rounded to 0', async () => {
    const tensor = tf.tensor1d([-1.4e-13, 2, NaN]);
    assert.equal(
      await text(tensor),
      ['float32 [3]', '        value', '0  -1.400e-13', '1           2', '2         NaN'].join('\n'),
    );
    tensor.dispose();
  });

  test('a scalar, an empty tensor, truth values and words have tables too', async () => {
    const scalar = tf.scalar(0.5);
    assert.equal(await text(scalar), 'float32 []\nvalue\n  0.5');
    const empty = tf.zeros([0, 2]);
    assert.equal(await text(empty), 'float32 [0, 2]\n  0  1');
    const truth = tf.tensor1d([true, false], 'bool');
    assert.match(await text(truth), /^bool \[2\]\n.*\n0 +true\n1 +false$/);
    const words = tf.tensor1d(['a', '<b>'], 'string');
    assert.match(await html(words), /&#60;b&#62;/);
    tf.dispose([scalar, empty, truth, words]);
  });

  test('of a large tensor the corner is shown, how much is left out, and no tensor is made or disposed', async () => {
    const tensor = tf.zeros([600, 28, 28]);
    const before = tf.memory();
    const lines = (await text(tensor, { rows: 2, caption: 'Digits' })).split('\n');
    assert.deepEqual([lines[0], lines.length, lines[4]], ['Digits', 5, '2 of 16800 rows, 12 of 28 columns']);
    assert.equal(tf.memory().numTensors, before.numTensors);
    assert.equal(tf.memory().numDataBuffers, before.numDataBuffers);
    assert.ok(!tensor.isDisposed);
    tensor.dispose();
    assert.throws(() => show(tensor), /^TypeError: show: the tensor float32 \[600, 28, 28\] is disposed/);
  });

  test('frames, series, tensors and rows are tables, and other values are not', () => {
    const tensor = tf.scalar(1);
    for (const table of [toDataFrame([{ x: 1 }]), new Series([1]), tensor, [{ a: 1, b: null }, { a: 'x' }]])
      assert.ok(isTable(table));
    tensor.dispose();
    for (const value of [
      tensor,
      [],
      [1],
      [[1, 2]],
      [{ a: [1] }],
      [{ a: 1 }, 2],
      [new Date()],
      {},
      null,
      'text',
      [{}],
    ])
      assert.ok(!isTable(value), JSON.stringify(value));
  });

  test('bad input is refused by name', () => {
    assert.throws(() => show(3 as unknown as Table), /^TypeError: show: /);
    assert.throws(() => show([], { digits: 0 }), /^RangeError: show: digits/);
    assert.throws(() => show([], { rows: 1.5 }), /^RangeError: show: rows/);
  });
});
