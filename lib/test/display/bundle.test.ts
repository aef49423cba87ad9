import { outputOf } from './fakeKernel';
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { describe, test } from 'node:test';
import { displayBundle } from 'focal-loss-lab';

describe('displayBundle', () => {
  test('sends all representations and the metadata in one message', async () => {
    const data = { 'text/plain': 'two', 'text/html': '<b>two</b>' };
    const output = await outputOf(() =>
      displayBundle(data, { metadata: { 'text/html': { isolated: true } } }),
    );
    assert.deepEqual(output, {
      data,
      metadata: { 'text/html': { isolated: true } },
      transient: {},
      update: false,
    });
  });

  test('an update replaces the output of that id', async () => {
    const output = await outputOf(() => displayBundle({ 'text/plain': 'new' }, { id: 'line', update: true }));
    assert.equal(output.transient.display_id, 'line');
    assert.equal(output.update, true);
  });

  test('an update without an id is refused', () => {
    assert.throws(() => displayBundle({ 'text/plain': '' }, { update: true }), /displayBundle: .*id/);
  });

  test('outside a kernel the text is printed', () => {
    const script = `
      const { displayBundle } = require('focal-loss-lab/dist/display/bundle');
      displayBundle({ 'text/plain': 'a line', 'text/html': '<p>a paragraph</p>' });`;
    assert.equal(
      execFileSync(process.execPath, ['-e', script], { cwd: __dirname, encoding: 'utf8' }),
      'a line\n',
    );
  });
});
