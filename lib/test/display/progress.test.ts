import { outputs, outputsOf } from './fakeKernel';
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { describe, test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { Progress } from 'focal-loss-lab';

describe('Progress', () => {
  test('is one output, updated in place', async () => {
    const sent = await outputsOf(async () => {
      const progress = new Progress(2, 'training');
      progress.update(0);
      await wait(120);
      progress.update(1);
      progress.update(2);
    });
    assert.deepEqual(
      sent.map(({ update }) => update),
      [false, true, true],
    );
    assert.equal(new Set(sent.map(({ transient }) => transient.display_id)).size, 1);
    assert.ok(sent[0].transient.display_id);
  });

  test('text says as much as the bar', async () => {
    const [first, half, last] = await outputsOf(async () => {
      const progress = new Progress(4, 'training <b>');
      progress.update(0);
      await wait(1100);
      progress.update(2, 'loss 0.5');
      progress.update(4);
    });
    const bar = (filled: number) => '█'.repeat(filled) + '░'.repeat(24 - filled);
    assert.match(first.data['text/plain'], new RegExp(`^training <b> ${bar(0)} 0/4 · \\d+ s$`));
    assert.match(
      half.data['text/plain'],
      new RegExp(`^training <b> ${bar(12)} 2/4 · [1-9]\\d* s · [1-9]\\d* s left · loss 0\\.5$`),
    );
    assert.match(last.data['text/plain'], new RegExp(`^training <b> ${bar(24)} 4/4 · [1-9]\\d* s$`));
    const html = String(half.data['text/html']);
    assert.match(html, /<progress max="4" value="2".*2\/4 · \d+ s · \d+ s left · loss 0\.5/);
    assert.doesNotMatch(html, /<b>/);
  });

  test('is shown at most ten times a second', async () => {
    const start = performance.now();
    const sent = await outputsOf(async () => {
      const progress = new Progress(1e9);
      for (let step = 0; performance.now() - start < 450; step++) {
        progress.update(step);
        await wait(1);
      }
    });
    const seconds = (performance.now() - start) / 1000;
    assert.ok(sent.length >= 2 && sent.length <= 10 * seconds + 2, `${sent.length} in ${seconds} s`);
  });

  test('the state in which it is left is shown', async () => {
    const progress = new Progress(100);
    for (let step = 0; step <= 42; step++) progress.update(step);
    await wait(150);
    assert.match(outputs[outputs.length - 1].data['text/plain'], / 42\/100 /);
  });

  test('the time left does not count steps that were done before', async () => {
    const sent = await outputsOf(async () => {
      const progress = new Progress(1000);
      progress.update(990);
      await wait(1050);
      progress.update(991);
    });
    const [, left] = / · (\d+) s left$/.exec(sent[1].data['text/plain']) ?? [];
    assert.ok(Number(left) >= 9, `${left} s, but nine steps of a second each are left`);
  });

  test('where less is left to do than was thought, the bar and the time left follow', async () => {
    const sent = await outputsOf(async () => {
      const progress = new Progress(1000);
      progress.update(0);
      await wait(1050);
      progress.setTotal(4);
      progress.update(1);
    });
    assert.match(sent[1].data['text/plain'], / █{6}░{18} 1\/4 · 1 s · [3-9] s left$/);
  });

  test('done leaves a line without bar and times, and nothing comes after it', async () => {
    const sent = await outputsOf(async () => {
      const progress = new Progress(100);
      progress.update(1);
      progress.update(2); // waits for its turn
      progress.done('trained: 100 steps');
      await wait(150);
    });
    const last = sent[sent.length - 1];
    assert.deepEqual(last.data, { 'text/plain': 'trained: 100 steps' });
    assert.equal(last.update, true);
  });

  test('outside a kernel it does not flood the terminal, and does not keep the process alive', () => {
    const script = `
      const { Progress } = require('focal-loss-lab/dist/display/progress');
      const progress = new Progress(1001, 'p');
      for (let step = 0; step <= 1000; step++) progress.update(step);`;
    const printed = execFileSync(process.execPath, ['-e', script], { cwd: __dirname, encoding: 'utf8' });
    assert.match(printed, /^p ░+ 0\/1001 · 0 s\n$/);
  });

  test('on a terminal it is one line, replaced in place and never longer than the terminal is wide', () => {
    const script = `
      Object.assign(process.stdout, { isTTY: true, columns: 40 });
      const { Progress } = require('focal-loss-lab/dist/display/progress');
      const progress = new Progress(2, 'sweep');
      progress.update(0);
      progress.update(2, 'a note that would not fit');
      progress.done('sweep: ended');`;
    const printed = execFileSync(process.execPath, ['-e', script], { cwd: __dirname, encoding: 'utf8' });
    const [nothing, first, second, last, ...others] = printed.split('\r\x1b[K');
    assert.deepEqual([nothing, last, others], ['', 'sweep: ended\n', []]);
    assert.match(first, /^sweep ░{24} 0\/2/);
    assert.match(second, /^sweep █{24} 2\/2/);
    assert.ok(first.length < 40 && second.length < 40);
  });

  test('bad input is refused by name', () => {
    for (const total of [0, -1, 1.5, NaN, Infinity])
      assert.throws(() => new Progress(total), /^RangeError: Progress: total/);
    for (const total of [0, NaN])
      assert.throws(() => new Progress(10).setTotal(total), /^RangeError: Progress: total/);
    for (const step of [-1, 11, NaN])
      assert.throws(() => new Progress(10).update(step), /^RangeError: Progress\.update: step/);
  });
});
