import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { published, tf, toDataFrame } from 'focal-loss-lab';

describe('toDataFrame', () => {
  test('danfojs, which takes a second, is loaded with the first frame, not with the library', () => {
    const isLoaded = () => Object.keys(require.cache).some((file) => file.includes('/danfojs-node/'));
    assert.ok(!isLoaded());
    toDataFrame([{ x: 1 }]);
    assert.ok(isLoaded());
  });

  test('keeps order, values and types', () => {
    const frame = toDataFrame([
      { loss: 'exact', epoch: 0, value: 0.5 },
      { value: 2, epoch: 1, loss: 'original' },
    ]);
    assert.deepEqual(frame.columns, ['loss', 'epoch', 'value']);
    assert.deepEqual(frame.dtypes, ['string', 'int32', 'float32']);
    assert.deepEqual(frame.values, [
      ['exact', 0, 0.5],
      ['original', 1, 2],
    ]);
  });

  test('the type of a column is that of all its values, not of the first ones', () => {
    const rows = Array.from({ length: 50 }, (_, i) => ({
      x: i < 40 ? i : i + 0.5,
      name: i < 40 ? null : 'late',
    }));
    assert.deepEqual(toDataFrame(rows).dtypes, ['float32', 'string']);
  });

  test('NaN and infinities stay what they are', () => {
    const frame = toDataFrame([{ x: NaN }, { x: Infinity }, { x: -Infinity }]);
    assert.deepStrictEqual(frame.values, [[NaN], [Infinity], [-Infinity]]);
    assert.deepEqual(frame.dtypes, ['float32']);
    assert.deepEqual(frame.isNa().values, [[true], [false], [false]]);
  });

  test('no value in a column of numbers is NaN: a mean does not count it as 0', () => {
    const frame = toDataFrame([
      { group: 1, x: null },
      { group: 1, x: null },
      { group: 2, x: 4 },
    ]);
    assert.deepStrictEqual(frame.groupby(['group']).col(['x']).mean().values, [
      [1, NaN],
      [2, 4],
    ]);
    assert.equal(frame['x'].mean(), 4);
  });

  test('a column without any value is one of numbers', () => {
    assert.deepStrictEqual(toDataFrame([{ x: null }]).values, [[NaN]]);
  });

  for (const name of ['index', 'columns', 'values', 'shape'])
    test(`a column named ${name} does not hide what every frame calls so`, () => {
      const frame = toDataFrame([
        { [name]: 30, y: 2 },
        { [name]: 10, y: 1 },
      ]);
      assert.deepEqual(frame.columns, [name, 'y']);
      assert.deepEqual(frame.column(name).values, [30, 10]);
      assert.deepEqual(frame['y'].values, [2, 1]);
      const sorted = frame.sortValues(name);
      assert.deepEqual(
        [sorted.index, sorted.values],
        [
          [1, 0],
          [
            [10, 1],
            [30, 2],
          ],
        ],
      );
      assert.deepEqual(frame.query(frame['y'].gt(1)).values, [[30, 2]]);
      assert.match(frame.toString(), /30/);
    });

  test('no rows are an empty frame', () => {
    assert.deepEqual(toDataFrame([]).shape, [0, 0]);
  });

  test('the published runs can be grouped: 78, 72 and 64 of 135 died', () => {
    const original = published.mnistRuns().filter((run) => run.loss === 'original');
    const frame = toDataFrame(
      original.map(({ noise, firstNanEpoch }) => ({ noise, died: Number(firstNanEpoch !== null) })),
    );
    assert.deepEqual(frame.groupby(['noise']).col(['died']).sum().values, [
      [0, 78],
      [0.5, 72],
      [0.75, 64],
    ]);
  });

  test('keeps no tensor', () => {
    const before = tf.memory().numTensors;
    toDataFrame([{ x: 1, y: null }]);
    assert.equal(tf.memory().numTensors, before);
  });

  test('rows that do not fit together are refused by name', () => {
    const mixed: { a: number | string }[] = [{ a: 1 }, { a: 'one' }];
    assert.throws(() => toDataFrame(mixed), /^TypeError: toDataFrame: 'a' of row 1 is a string/);
    const uneven: Record<string, number>[] = [{ a: 1, b: 2 }, { a: 1 }];
    assert.throws(() => toDataFrame(uneven), /^TypeError: toDataFrame: row 1 has no 'b'/);
  });
});
