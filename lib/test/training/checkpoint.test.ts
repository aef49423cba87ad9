import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, describe, test } from 'node:test';
import {
  sigmoidFocalLoss,
  stabilizedSigmoidFocalLoss,
  tf,
  train,
  type Loss,
  type TrainingOptions,
  type TrainingRun,
} from 'focal-loss-lab';
import type { Outcome, Plan } from './checkpointedRun';
import type { StoppedOutcome } from './stoppedRun';

const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'checkpoint-test-'));
after(() => fs.rmSync(folder, { recursive: true }));
let files = 0;
const newFile = () => path.join(folder, `run${files++}`, 'checkpoint.safetensors');

/** What the process sent, if anything, and the signal that ended it. */
function runProcess<T>(
  script: string,
  argument: string,
): Promise<{ sent: T | undefined; signal: string | null }> {
  return new Promise((resolve, reject) => {
    const child = fork(path.join(__dirname, script), [argument], { stdio: 'ignore' });
    let sent: T | undefined;
    child.on('message', (message) => (sent = message as T));
    child.on('error', reject);
    child.on('close', (_, signal) => resolve({ sent, signal }));
  });
}

async function outcomeOf(plan: Plan): Promise<Outcome> {
  const { sent } = await runProcess<Outcome>('checkpointedRun.js', JSON.stringify(plan));
  assert.ok(sent !== undefined, 'the process ended early');
  return sent;
}

async function expectKilled(plan: Plan): Promise<void> {
  const { sent, signal } = await runProcess<Outcome>('checkpointedRun.js', JSON.stringify(plan));
  assert.deepEqual({ sent, signal }, { sent: undefined, signal: 'SIGKILL' });
}

const withoutSeconds = ({ records, diverged }: TrainingRun) => ({
  records: records.map((record) => ({ ...record, seconds: 0 })),
  diverged,
});

function expectSame(resumed: Outcome, undisturbed: Outcome): void {
  assert.deepEqual(resumed.weights, undisturbed.weights, 'bit for bit');
  assert.deepEqual(withoutSeconds(resumed.run), withoutSeconds(undisturbed.run));
  const seconds = resumed.run.records.map((record) => record.seconds);
  assert.deepEqual(
    seconds,
    [...seconds].sort((a, b) => a - b),
    'the clock goes on',
  );
}

const focal = { alpha: 0.5, gamma: 0.5, reduction: 'mean' } as const;
const original: Loss = (logits, labels) => sigmoidFocalLoss(logits, labels, focal);
const stabilized: Loss = (logits, labels) => stabilizedSigmoidFocalLoss(logits, labels, focal);

/** Two hidden units, layers without names of their own. */
function smallModel({ activation = 'tanh' as 'tanh' | 'relu', units = 2 } = {}): tf.LayersModel {
  return tf.sequential({
    layers: [
      tf.layers.flatten({ inputShape: [1, 1, 1] }),
      tf.layers.dense({ units, activation }),
      tf.layers.dense({ units: 1 }),
    ],
  });
}

type Changes = Partial<TrainingOptions> & {
  pixels?: number[];
  labelsOf?: number[];
  model?: () => tf.LayersModel;
};

/** 10 epochs of 2 steps on 3 pixels, unless told otherwise; disposes everything. */
async function trainSmall(changes: Changes = {}): Promise<TrainingRun & { weights: number[][] }> {
  const { pixels = [0.1, 0.5, 0.9], labelsOf = [0, 1, 1], model: build = smallModel, ...options } = changes;
  const model = build();
  const images = tf.tensor4d(pixels, [pixels.length, 1, 1, 1]);
  const labels = tf.tensor1d(labelsOf, 'float32');
  const defaults = { loss: stabilized, epochs: 10, batchSize: 2, learningRate: 0.1, momentum: 0.9, seed: 1 };
  try {
    const run = await train(model, { images, labels, ...defaults, ...options });
    return { ...run, weights: model.getWeights().map((weight) => Array.from(weight.dataSync())) };
  } finally {
    model.dispose();
    tf.dispose([images, labels]);
  }
}

/** The lines printed while `action` runs. */
async function printed(action: () => Promise<unknown>): Promise<string[]> {
  const lines: string[] = [];
  const { log } = console;
  console.log = (line: string) => lines.push(line);
  try {
    await action();
  } finally {
    console.log = log;
  }
  return lines;
}

describe('a run that is killed and resumed ends like an undisturbed one', () => {
  const undisturbed = {
    lenet: outcomeOf({ network: 'lenet', modelSeed: 1 }),
    unet: outcomeOf({ network: 'unet', modelSeed: 1 }), // has weights without a gradient: running statistics
  };
  for (const network of ['lenet', 'unet'] as const) {
    test(`killed in mid-epoch, twice, and in the first epoch (${network})`, async () => {
      const checkpoint = newFile();
      // 4 steps per epoch, a record every 3: records, and the generator, are in the middle of something at every save
      await expectKilled({ network, modelSeed: 1, checkpoint, killInStep: 3 });
      await expectKilled({ network, modelSeed: 2, checkpoint, killInStep: 7 });
      await expectKilled({ network, modelSeed: 3, checkpoint, killInStep: 6 });
      expectSame(await outcomeOf({ network, modelSeed: 4, checkpoint }), await undisturbed[network]);
    });

    test(`killed after a checkpoint is written, before it has its name (${network})`, async () => {
      const checkpoint = newFile();
      await expectKilled({ network, modelSeed: 1, checkpoint, killBeforeRename: 3 });
      assert.equal(fs.readdirSync(path.dirname(checkpoint)).length, 2, 'the file and the leftover');
      expectSame(await outcomeOf({ network, modelSeed: 2, checkpoint }), await undisturbed[network]);
      assert.deepEqual(fs.readdirSync(path.dirname(checkpoint)), [path.basename(checkpoint)]);
    });
  }

  test('with more epochs a finished run goes on, as if it had had them from the beginning', async () => {
    const checkpoint = newFile();
    await outcomeOf({ network: 'lenet', modelSeed: 1, checkpoint, epochs: 2 });
    const resumed = await outcomeOf({ network: 'lenet', modelSeed: 2, checkpoint, epochs: 4 });
    expectSame(resumed, await undisturbed.lenet);
  });

  test('after Stop, the cell is run again with the half-trained model', async () => {
    const file = newFile();
    const { sent } = await runProcess<StoppedOutcome>('stoppedRun.js', file);
    assert.ok(sent !== undefined);
    assert.equal(sent.error, 'Interrupted: stopped by the user');
    assert.equal(
      sent.stoppedLine,
      `training: stopped after step 5, to be resumed at epoch 1 from ${file}; lastRun(model) has its records`,
    );
    assert.ok(sent.resumedLine.endsWith(`, resumed at epoch 1 from ${file}`), sent.resumedLine);
    assert.deepEqual(withoutSeconds(sent.resumed), withoutSeconds(sent.undisturbed));
    assert.ok(sent.sameWeights);
  });
});

describe('a run that has ended is read from its checkpoint', () => {
  test('whole: the same records to the last bit, the weights, and no step', async () => {
    const checkpoint = newFile();
    const first = await trainSmall({ checkpoint, recordEvery: 3 });
    let steps = 0;
    const counting: Loss = (logits, labels) => {
      if (logits.shape[0] <= 2) steps++;
      return stabilized(logits, labels);
    };
    const lines = await printed(async () =>
      assert.deepEqual(
        await trainSmall({ checkpoint, recordEvery: 3, loss: counting, label: 'again' }),
        first,
      ),
    );
    assert.equal(steps, 0);
    assert.match(lines[lines.length - 1], /^again: loss .*, read from .*checkpoint\.safetensors$/);
  });

  test('diverged: with what was not finite, even where a logit is NaN', async () => {
    const checkpoint = newFile();
    const fatal: Changes = {
      pixels: [1e30],
      labelsOf: [0],
      loss: (logits) => tf.mean(tf.mul(logits, 1e30)),
      model: () =>
        tf.sequential({
          layers: [
            tf.layers.flatten({ inputShape: [1, 1, 1] }),
            tf.layers.dense({ units: 2, kernelInitializer: tf.initializers.constant({ value: 1e30 }) }),
            tf.layers.dense({ units: 1, useBias: false, kernelInitializer: 'zeros' }), // infinity * 0
          ],
        }),
    };
    const first = await trainSmall({ ...fatal, checkpoint });
    assert.ok(Number.isNaN(first.diverged?.maxAbsLogit));
    assert.deepEqual(await trainSmall({ ...fatal, checkpoint }), first);
  });
});

describe('a checkpoint is refused', () => {
  const different: [string, Changes, RegExp][] = [
    ['learning rate', { learningRate: 0.2 }, /learningRate is 0\.1 there, 0\.2 here/],
    ['momentum', { momentum: 0.8 }, /momentum is 0\.9 there, 0\.8 here/],
    ['seed', { seed: 2 }, /seed is 1 there, 2 here/],
    ['batch size', { batchSize: 3 }, /batchSize is 2 there, 3 here/],
    ['noise', { noise: 0.5 }, /noise is 0 there, 0\.5 here/],
    ['length of records', { recordEvery: 5 }, /recordEvery is 2 there, 5 here/],
    ['number of images', { pixels: [0.1, 0.5], labelsOf: [0, 1] }, /shape of images is \[3, 1, 1, 1\] there, \[2, 1, 1, 1\] here/],
    ['images of the same shape', { pixels: [0.1, 0.5, 0.8] }, /SHA-256 of some images is .* there/],
    ['labels', { labelsOf: [0, 1, 0] }, /SHA-256 of their labels is .* there/],
    ['kind of loss', { loss: original }, /loss gradient at logit -?\d+, label [01] is .* there, NaN here/],
    [
      'gamma, hidden inside the loss',
      { loss: (x, y) => stabilizedSigmoidFocalLoss(x, y, { ...focal, gamma: 0.51 }) },
      /loss gradient at logit -30, label 0 is .* there, .* here/,
    ],
    ['number of units', { model: () => smallModel({ units: 3 }) }, /model layers 1 config units is 2 there, 3 here/],
    ['activation', { model: () => smallModel({ activation: 'relu' }) }, /model layers 1 config activation is tanh there, relu here/],
    ['number of epochs, fewer than it has', { epochs: 2 }, /it has 3 epochs already, epochs is 2 here/],
  ]; // prettier-ignore
  const checkpoint = newFile();
  const made = trainSmall({ checkpoint, epochs: 3 });

  for (const [name, changes, message] of different)
    test(`of another ${name}`, async () => {
      await made;
      const before = { file: fs.readFileSync(checkpoint), tensors: tf.memory().numTensors };
      const error = await trainSmall({ checkpoint, epochs: 3, ...changes }).catch((e: Error) => e);
      assert.ok(error instanceof Error, 'it was not refused');
      assert.match(error.message, message);
      assert.match(
        error.message,
        /^train: checkpoint .*checkpoint\.safetensors belongs to another run: .*; delete it/,
      );
      assert.deepEqual(fs.readFileSync(checkpoint), before.file, 'and is still there');
      assert.equal(tf.memory().numTensors, before.tensors);
    });

  test('if it is damaged or truncated anywhere, or something else, and is not overwritten', async () => {
    await made;
    const whole = fs.readFileSync(checkpoint);
    const flipped = (position: number) => {
      const bytes = Buffer.from(whole);
      bytes[position] ^= 1;
      return bytes;
    };
    const positions = [0, 5, 7, 8, 100, whole.length >> 1, whole.length - 40, whole.length - 1];
    const damaged: [string, Buffer][] = [
      ...positions.map((position): [string, Buffer] => [`byte ${position}`, flipped(position)]),
      ...[0, 4, 8, 1000, whole.length >> 1, whole.length - 1].map((length): [string, Buffer] => [
        `the first ${length} bytes`,
        whole.subarray(0, length),
      ]),
      ['too long', Buffer.concat([whole, Buffer.from('x')])],
      ['a CSV file', Buffer.from('step,loss\n'.repeat(100))],
    ];
    const file = newFile();
    fs.mkdirSync(path.dirname(file));
    for (const [name, content] of damaged) {
      fs.writeFileSync(file, content);
      const error = await trainSmall({ checkpoint: file, epochs: 3 }).catch((e: Error) => e);
      assert.ok(error instanceof Error, `${name}: not refused`);
      assert.match(error.message, /^train: checkpoint .* is damaged: .*; delete it to start over/, name);
      assert.deepEqual(fs.readFileSync(file), content);
    }
  });

  test('if it is a folder, or an empty name', async () => {
    await assert.rejects(
      trainSmall({ checkpoint: folder }),
      /^Error: train: checkpoint .* cannot be read: EISDIR/,
    );
    await assert.rejects(
      trainSmall({ checkpoint: '' }),
      /^RangeError: train: checkpoint is ''; expected the name/,
    );
  });
});

describe('a checkpoint is not refused', () => {
  test('for other initial weights, other names of layers, or a loss that differs by rounding', async () => {
    const checkpoint = newFile();
    const { weights } = await trainSmall({ checkpoint });
    const rounded: Loss = (logits, labels) => tf.mul(stabilized(logits, labels), 1 + 1e-6);
    const model = () => {
      smallModel().dispose(); // tfjs numbers the layers of the next model differently
      return smallModel();
    };
    assert.deepEqual((await trainSmall({ checkpoint, model, loss: rounded })).weights, weights);
  });
});

describe('where a checkpoint cannot be written', () => {
  test('nothing is trained if it is so from the beginning', async () => {
    const notAFolder = path.join(folder, 'plain-file');
    fs.writeFileSync(notAFolder, '');
    let calls = 0;
    const counting: Loss = (logits, labels) => {
      if (logits.shape[0] <= 2) calls++;
      return stabilized(logits, labels);
    };
    await assert.rejects(
      trainSmall({ checkpoint: path.join(notAFolder, 'checkpoint'), loss: counting }),
      /^Error: train: checkpoint .*plain-file.checkpoint cannot be (read|written): ENOTDIR/,
    );
    assert.equal(calls, 0);
  });

  test(
    'a disk that fills up later costs nothing but the checkpoint, with one notice; the next epoch tries again',
    { skip: process.platform !== 'linux' && 'needs /dev/full' },
    async () => {
      const checkpoint = newFile();
      const temporary = `${checkpoint}.${process.pid}.tmp`;
      const model = () => {
        const built = smallModel();
        built.setWeights([[[0.5, -0.5]], [0, 0], [[1], [-1]], [0]].map((values) => tf.tensor(values)));
        return built;
      };
      let steps = -1; // the first call looks at the shape only
      const filling = (batch: tf.Tensor4D) => {
        steps++;
        if (steps === 5 || steps === 7) fs.symlinkSync('/dev/full', temporary);
        return batch;
      };
      const undisturbed = await trainSmall({ model });
      let run: Awaited<ReturnType<typeof trainSmall>> | undefined;
      const lines = await printed(
        async () => (run = await trainSmall({ model, checkpoint, augment: filling })),
      );
      assert.deepEqual(run && [withoutSeconds(run), run.weights], [
        withoutSeconds(undisturbed),
        undisturbed.weights,
      ]);
      const notices = lines.filter((line) => line.startsWith('WARNING'));
      assert.equal(notices.length, 1);
      assert.match(notices[0], /checkpoint\.safetensors stays at epoch 2: .*ENOSPC.* training goes on/);
      assert.deepEqual(fs.readdirSync(path.dirname(checkpoint)), [path.basename(checkpoint)]);
      assert.deepEqual(await trainSmall({ checkpoint }), run, 'the last save succeeded');
    },
  );
});

describe('the file', () => {
  test('is safetensors: sizes, names and values are where the header says', async () => {
    const checkpoint = newFile();
    const { weights, records } = await trainSmall({ checkpoint });
    const bytes = fs.readFileSync(checkpoint);
    const headerLength = Number(bytes.readBigUInt64LE());
    const header = JSON.parse(bytes.toString('utf8', 8, 8 + headerLength)) as Record<
      string,
      { dtype: string; shape: number[]; data_offsets: [number, number] }
    >;
    const entry = (name: RegExp) => Object.entries(header).filter(([key]) => name.test(key)).map(([, value]) => value); // prettier-ignore
    const data = bytes.subarray(8 + headerLength);
    const floats = entry(/^weights\//).map(({ data_offsets: [begin, end] }) =>
      Array.from({ length: (end - begin) / 4 }, (_, i) => data.readFloatLE(begin + 4 * i)),
    );
    assert.deepEqual(floats, weights);
    assert.deepEqual(entry(/^velocities\//).map(({ shape }) => shape), entry(/^weights\//).map(({ shape }) => shape)); // prettier-ignore
    const [{ shape, dtype, data_offsets }] = entry(/^records$/);
    assert.deepEqual({ shape, dtype }, { shape: [records.length, 6], dtype: 'F64' });
    assert.equal(data.readDoubleLE(data_offsets[0] + 16), records[0].loss);
    assert.equal(headerLength % 8, 0);
    assert.equal(entry(/^sha256$/)[0].data_offsets[1], data.length);
  });

  test('another process writing the same checkpoint is left alone', async () => {
    const checkpoint = newFile();
    await trainSmall({ checkpoint, epochs: 1 });
    const theirs = `${checkpoint}.${process.ppid}.tmp`;
    const unrelated = `${checkpoint}.1.tmp.txt`;
    fs.writeFileSync(theirs, 'half');
    fs.writeFileSync(unrelated, 'notes');
    await trainSmall({ checkpoint, epochs: 2 });
    assert.ok(fs.existsSync(theirs) && fs.existsSync(unrelated));
  });

  test('no tensor is kept by saving, resuming or refusing', async () => {
    const before = tf.memory().numTensors;
    const checkpoint = newFile();
    await trainSmall({ checkpoint, epochs: 2 });
    assert.equal(tf.memory().numTensors, before);
    await trainSmall({ checkpoint, epochs: 3 });
    assert.equal(tf.memory().numTensors, before);
    await assert.rejects(trainSmall({ checkpoint, seed: 5 }));
    assert.equal(tf.memory().numTensors, before);
  });
});
