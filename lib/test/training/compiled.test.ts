import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { describe, test } from 'node:test';
import { sigmoidFocalLoss, tf, train, type Loss, type TrainingRun } from 'focal-loss-lab';
import type { Checksums } from './equalBits';

describe('a compiled training ends, bit for bit, as one that runs operation by operation', () => {
  for (const threads of [1, 2])
    test(`every network and the grid, after 27 and more steps, with ${threads} threads`, async () => {
      for (const [name, { eager, compiled }] of Object.entries(await checksums(threads)))
        assert.equal(compiled, eager, name);
    });

  test('one that is begun operation by operation and resumed compiled, too', async () => {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'compiled-test-'));
    const checkpoint = path.join(folder, 'checkpoint.safetensors');
    await trainPixel({ epochs: 3, checkpoint, eager: true });
    const resumed = await trainPixel({ epochs: 9, checkpoint });
    assert.deepEqual(resumed, await trainPixel({ epochs: 9, eager: true }));
    fs.rmSync(folder, { recursive: true });
  });
});

describe('a NaN', () => {
  test('comes in the same step, from the same logit, and is told in the same words', async () => {
    const [eager, compiled] = [await trainToNan({ eager: true }), await trainToNan({})];
    assert.deepEqual(compiled, eager);
    assert.ok(eager.diverged !== null && eager.diverged.step > 4, 'the step was compiled by then');
    assert.equal(eager.diverged.what, 'gradient of all 2 weights');
    assert.ok(eager.diverged.maxAbsLogit > 16.63);
  });
});

describe('a model or loss that cannot be compiled', () => {
  test('is trained all the same, and a notice says once why', async () => {
    const lines: string[] = [];
    const log = console.log;
    console.log = (line: string) => void lines.push(line);
    try {
      const reading: Loss = (logits, labels) => tf.mul(loss(logits, labels), 1 + 0 * logits.dataSync()[0]);
      const run = await trainPixel({ epochs: 4, loss: reading });
      assert.deepEqual(run.records.length, 4);
    } finally {
      console.log = log;
    }
    const notices = lines.filter((line) => line.includes('WARNING'));
    assert.equal(notices.length, 1);
    assert.match(notices[0], /training: the steps are not compiled, and slower: it reads values/);
  });
});

const loss: Loss = (x, y) => sigmoidFocalLoss(x, y, { alpha: 0.5, gamma: 0.5, reduction: 'mean' });

function checksums(threads: number): Promise<Checksums> {
  const env = { ...process.env, TF_NUM_INTRAOP_THREADS: `${threads}`, TF_NUM_INTEROP_THREADS: `${threads}` };
  return new Promise((resolve, reject) => {
    const child = fork(path.join(__dirname, 'equalBits.js'), { env, stdio: 'ignore' });
    child.on('message', (sent) => resolve(sent as Checksums));
    child.on('error', reject);
    child.on('close', (code) => reject(new Error(`equalBits ended early, with exit code ${code}`)));
  });
}

interface Plan {
  epochs?: number;
  learningRate?: number;
  eager?: boolean;
  checkpoint?: string;
  loss?: Loss;
}

/** A network of one pixel, logit = w x + b, with its weights after it. */
async function trainPixel(plan: Plan): Promise<TrainingRun & { weights: number[] }> {
  const model = tf.sequential({
    layers: [tf.layers.dense({ units: 1, inputShape: [1, 1, 1] }), tf.layers.flatten()],
  });
  tf.tidy(() => model.setWeights([tf.tensor2d([[1]]), tf.tensor1d([0])]));
  const images = tf.tensor4d([1, 0.5, 2, -1, 3], [5, 1, 1, 1]);
  const labels = tf.tensor1d([1, 1, 0, 0, 1]);
  const settings = { loss, epochs: 60, batchSize: 2, learningRate: 0.1, momentum: 0.9, seed: 1 };
  try {
    const run = await train(model, { images, labels, ...settings, ...plan });
    const weights = model.getWeights().map((weight) => Array.from(weight.dataSync())).flat(); // prettier-ignore
    return {
      records: run.records.map((record) => ({ ...record, seconds: 0 })),
      diverged: run.diverged,
      weights,
    };
  } finally {
    model.dispose();
    tf.dispose([images, labels]);
  }
}

/** Labels that a line through 0 tells apart, and a large learning rate: the logits grow until one is beyond the wall. */
async function trainToNan({ eager }: Plan) {
  const model = tf.sequential({
    layers: [tf.layers.dense({ units: 1, inputShape: [1, 1, 1] }), tf.layers.flatten()],
  });
  tf.tidy(() => model.setWeights([tf.tensor2d([[0.5]]), tf.tensor1d([0])]));
  const images = tf.tensor4d([1, 2, -1, -2], [4, 1, 1, 1]);
  const labels = tf.tensor1d([1, 1, 0, 0]);
  const settings = { loss, epochs: 3000, batchSize: 2, learningRate: 3, momentum: 0.9, seed: 1 };
  try {
    const { diverged, records } = await train(model, { images, labels, ...settings, eager });
    return { diverged, losses: records.map((record) => record.loss) };
  } finally {
    model.dispose();
    tf.dispose([images, labels]);
  }
}
