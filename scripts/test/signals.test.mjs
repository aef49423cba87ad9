// Signals while TensorFlow computes: signals.cc says what they would do to oneDNN's matrix products.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { test } from 'node:test';
import { clearInterval, setInterval } from 'node:timers';
import { root } from '../setup/project.mjs';

// Of a size at which oneDNN borrows the stack pointer. Without signals.cc this ends by SIGABRT or SIGSEGV within seconds.
const PRODUCTS = `
const { tf } = require('focal-loss-lab');
let received = 0;
process.on('SIGUSR2', () => received++);
const [a, b] = [tf.randomNormal([136, 256]), tf.randomNormal([256, 64])];
console.log('ready');
(async () => {
  for (const start = Date.now(); Date.now() - start < 4000; await new Promise(setImmediate))
    for (let i = 0; i < 50; i++) tf.dispose(tf.matMul(a, b));
  console.log('received', received);
  process.stdin.resume(); // until the shower is over: while it ends, Node has no handlers
})();`;

const ENDLESS = `
require('focal-loss-lab').tf.ones([2]).dispose();
process.on('SIGINT', () => process.exit(42));
setInterval(() => {}, 1000);
console.log('ready');`;

/** Runs a program; `onOutput` is called with what it has printed so far and its process, whenever it prints. */
function run(program, onOutput) {
  return new Promise((resolve, reject) => {
    const env = { ...process.env, TF_CPP_MIN_LOG_LEVEL: '2', TF_NUM_INTRAOP_THREADS: '1' };
    const child = spawn(process.execPath, ['-e', program], { cwd: root, env });
    let output = '';
    child.stdout.setEncoding('utf8').on('data', (text) => {
      output += text;
      onOutput(output, child);
    });
    child.on('error', reject).on('close', (code, signal) => resolve({ code, signal, output }));
  });
}

test('thousands of signals during matrix products reach their handler and destroy nothing', async () => {
  let shower;
  const { code, signal, output } = await run(PRODUCTS, (output, child) => {
    shower ??= setInterval(() => {
      for (let i = 0; i < 10; i++) child.kill('SIGUSR2');
    }, 1);
    if (!output.includes('received')) return;
    clearInterval(shower);
    child.stdin.end();
  });
  clearInterval(shower);
  assert.deepEqual({ code, signal }, { code: 0, signal: null });
  assert.ok(Number(output.match(/received (\d+)/)[1]) > 100, output);
});

test('a signal still ends a program, by its handler or without one', async () => {
  const interrupted = await run(ENDLESS, (_, child) => child.kill('SIGINT'));
  assert.equal(interrupted.code, 42);
  const terminated = await run(ENDLESS, (_, child) => child.kill('SIGTERM'));
  assert.equal(terminated.signal, 'SIGTERM');
});
