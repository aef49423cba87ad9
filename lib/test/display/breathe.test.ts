import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import path from 'node:path';
import { describe, test } from 'node:test';
import { breathe, Interrupted } from 'focal-loss-lab';

function endings(situation: string): string[] {
  const script = path.join(__dirname, 'interruptedLoop.js');
  return JSON.parse(execFileSync(process.execPath, [script, situation], { encoding: 'utf8' })) as string[];
}

describe('breathe', () => {
  for (const situation of [
    'during a synchronous computation',
    'while the loop awaits something else',
    'during a computation in a timer callback',
  ])
    test(`Stop pressed ${situation} ends the loop at its next breath`, () => {
      assert.deepEqual(endings(situation), ['interrupted at step 3']);
    });

  test('Stop pressed before the first breath counts', () => {
    assert.deepEqual(endings('before the first breathe of the cell'), ['interrupted at step 0']);
  });

  test('Stop does not end the loop of a later cell', () => {
    assert.deepEqual(endings('in an earlier cell'), ['interrupted at step 3', 'finished']);
    assert.deepEqual(endings('between cells'), ['finished', 'finished']);
    assert.deepEqual(endings('while the next cell begins'), ['interrupted at step 3', 'finished']);
  });

  test('without Stop a loop runs to its end', () => {
    assert.deepEqual(endings('never'), ['finished']);
  });

  test('outside a kernel Ctrl-C ends the process as always', () => {
    const script = `
      const { breathe } = require('focal-loss-lab');
      breathe().then(() => { process.kill(process.pid, 'SIGINT'); setTimeout(() => process.exit(0), 5000); });`;
    assert.equal(spawnSync(process.execPath, ['-e', script], { cwd: __dirname }).signal, 'SIGINT');
  });

  test('others get their turn', async () => {
    let turns = 0;
    const timer = setInterval(() => turns++, 1);
    for (const end = performance.now() + 5000; turns < 5 && performance.now() < end;) await breathe();
    clearInterval(timer);
    assert.ok(turns >= 5, `${turns} turns`);
  });

  test('the error is named Interrupted', () => {
    assert.equal(String(new Interrupted()), 'Interrupted: stopped by the user');
  });
});
