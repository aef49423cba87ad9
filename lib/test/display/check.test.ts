import { outputOf, outputsOf } from './fakeKernel';
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { check } from 'focal-loss-lab';

describe('check', () => {
  test('lists the claims that hold', async () => {
    const { data } = await outputOf(() => check({ 'the loss is finite': true, '2 < 3': 2 < 3 }));
    assert.deepEqual(data, { 'text/plain': '✓ the loss is finite\n✓ 2 < 3' });
  });

  test('a claim that does not hold is shown, and is an error that names it alone', async () => {
    const { data } = await outputOf(() =>
      assert.throws(() => check({ 'it rains': false, 'it is wet': true }), {
        message: 'does not hold: it rains',
      }),
    );
    assert.equal(data['text/plain'], '✗ it rains\n✓ it is wet');
  });

  test('a check that cannot fail is refused', async () => {
    const sent = await outputsOf(() => {
      assert.throws(() => check({}), /^TypeError: check: /);
      assert.throws(
        () => check({ accuracy: 0.9 as unknown as boolean }),
        /^TypeError: check: 'accuracy'.*0\.9/,
      );
    });
    assert.deepEqual(sent, []);
  });
});
