import { outputOf } from '../display/fakeKernel';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { exercise1, exercise2, exercise5 } from 'focal-loss-lab';

test('a check shows a line for each question, and the sum of the points', async () => {
  const { data } = await outputOf(() => exercise2.walls({ label1: 1.7 * 24 * Math.LN2 }));
  assert.equal(
    data['text/plain'],
    '✓ 2.3 the wall of label 1\n– 2.3 the wall of label 0: not attempted\n1 of 2 points',
  );
});

test('what a student’s error says is shown as text, not as HTML', async () => {
  const { data } = await outputOf(() =>
    exercise1.loss(() => {
      throw new Error('<script>alert(1)</script>');
    }),
  );
  assert.match(data['text/plain'], /<script>/);
  assert.doesNotMatch(String(data['text/html']), /<script>/);
});

test('an answer that defies examination is wrong, in one sentence', async () => {
  const trap = new Proxy([], {
    get() {
      throw new Error('no\nway');
    },
  });
  const { data } = await outputOf(() => exercise5.survivors({ 'q + epsilon': trap }));
  assert.match(data['text/plain'], /^✗ 5\.3 q \+ epsilon: this answer cannot be examined: Error: no$/m);
});
