import assert from 'node:assert/strict';
import { mock, test } from 'node:test';
import { notice } from 'focal-loss-lab';

test('a notice outside a notebook is a line that begins with WARNING', () => {
  const log = mock.method(console, 'log', () => undefined);
  notice('a GPU is there & not used');
  log.mock.restore();
  assert.deepEqual(log.mock.calls[0].arguments, ['WARNING: a GPU is there & not used']);
});
