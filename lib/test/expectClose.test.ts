import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { expectClose } from './expectClose';

describe('expectClose', () => {
  test('accepts what is within the tolerance, and not what is beyond', () => {
    expectClose([1.001, -100.1], [1, -100], { relative: 0.0011 });
    expectClose([1e-9, 5], [0, 5], { absolute: 1e-8 });
    expectClose(new Float32Array([1, 2]), [1, 2], {});
    assert.throws(() => expectClose([1.002], [1], { relative: 0.001 }));
    assert.throws(() => expectClose([1e-7], [0], { relative: 1, absolute: 1e-8 }));
    assert.throws(() => expectClose([1 + 2 ** -52], [1], {}));
  });

  test('takes one absolute tolerance per element', () => {
    expectClose([1.1, 1.01], [1, 1], { absolute: [0.2, 0.02] });
    assert.throws(
      () => expectClose([1.1, 1.1], [1, 1], { absolute: [0.2, 0.02] }),
      /^AssertionError.*1 of 2[^]*\[1\]/,
    );
  });

  test('NaN is close to NaN only, an infinity to itself only', () => {
    const values = [NaN, Infinity, -Infinity, 0, Number.MAX_VALUE];
    for (const actual of values)
      for (const expected of values) {
        const compare = () => expectClose([actual], [expected], { relative: 0.1, absolute: 0.1 });
        if (Object.is(actual, expected)) compare();
        else assert.throws(compare, `${actual} must not pass for ${expected}`);
      }
  });

  test('an infinite tolerance does not make everything equal', () => {
    assert.throws(() => expectClose([NaN], [1], { absolute: Infinity }));
    assert.throws(() => expectClose([1], [Infinity], { relative: 1 }));
  });

  test('different lengths are different', () => {
    assert.throws(() => expectClose([1, 2], [1], {}), /lengths differ: 2 and 1/);
    assert.throws(() => expectClose([], [1], {}), /lengths differ/);
  });

  test('says where and what', () => {
    assert.throws(
      () => expectClose([1, 2, 3], [1, 2.5, 3], {}),
      /1 of 3 elements[^]*\[1\] 2, expected 2\.5 within 0/,
    );
  });
});
