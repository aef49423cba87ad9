import { accepts, rejects, survivesAnything, verdict } from './verdicts';
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import {
  exactSigmoidFocalLoss,
  exercise4,
  sigmoidFocalLoss,
  stabilizedSigmoidFocalLoss,
  tf,
  train,
  type Loss,
} from 'focal-loss-lab';

// A network of two numbers, bright images against dark ones: its logits are at the wall within some dozen steps.
const COUNT = 64;
const images = tf.tidy(() => {
  const brightness = tf.tensor1d(
    Array.from({ length: COUNT }, (_, i) => (i % 2 ? 0.6 : 0.4) + 0.3 * Math.sin(i)),
  );
  return tf.mul(tf.ones([COUNT, 2, 2, 1]), brightness.reshape([COUNT, 1, 1, 1])) as tf.Tensor4D;
});
const labels = tf.tidy(() => tf.greater(images.mean([1, 2, 3]), 0.5).toFloat() as tf.Tensor1D);

function network(): tf.LayersModel {
  const inputs = tf.input({ shape: [2, 2, 1] });
  const flat = tf.layers.flatten().apply(inputs) as tf.SymbolicTensor;
  const dense = tf.layers.dense({ units: 1, kernelInitializer: 'zeros' });
  return tf.model({ inputs, outputs: dense.apply(flat) as tf.SymbolicTensor });
}

const textbook: Loss = (x, y) => sigmoidFocalLoss(x, y, { alpha: 0.5, gamma: 0.1, reduction: 'mean' });
const exact: Loss = (x, y) => exactSigmoidFocalLoss(x, y, { alpha: 0.5, gamma: 0.1, reduction: 'mean' });
const trained = (model: tf.LayersModel, loss: Loss, { learningRate = 20, epochs = 150 } = {}) =>
  train(model, { images, labels, loss, epochs, batchSize: COUNT, learningRate, momentum: 0.9, seed: 1 });

after(() => tf.dispose([images, labels]));

describe('the check of the death', () => {
  let model: tf.LayersModel;
  let dead: Awaited<ReturnType<typeof train>>;
  before(async () => {
    model = network();
    dead = await trained(model, textbook);
    assert.ok(dead.diverged, 'the pretend student’s training has to die');
  });
  after(() => model.dispose());

  test('accepts a training that died at the wall', async () => {
    assert.deepEqual(await verdict(() => exercise4.death(dead, model)), {
      question: '4.1 the death',
      status: 'right',
      remark: '',
    });
  });

  test('nothing there is not attempted', async () => {
    assert.equal((await verdict(() => exercise4.death(undefined, undefined))).status, 'not attempted');
  });

  test('rejects everything else, and says why', async () => {
    const diverged = dead.diverged!;
    const another = (changes: object) => ({ ...dead, diverged: { ...diverged, ...changes } });
    const cases: [unknown, unknown, RegExp][] = [
      [{ ...dead, diverged: null }, model, /has not died/],
      [another({ what: 'loss' }), model, /another illness: 'loss'/],
      [another({ maxAbsLogit: 9 }), model, /had not reached the wall/],
      [another({ maxAbsLogit: 1e6 }), model, /explosion/],
      [another({ step: 2 }), model, /step 2, before it could learn/],
      [Promise.resolve(dead), model, /a promise; expected what train\(\) returns\. Is an await missing/],
      [3, model, /run is a number/],
      [dead, undefined, /the model is undefined/],
      [dead, images, /the model is a tensor/],
    ];
    for (const [run, of, says] of cases) {
      const { status, remark } = await verdict(() => exercise4.death(run, of));
      assert.equal(status, 'wrong');
      assert.match(remark, says);
    }
  });

  test('rejects a model whose weights are gone', async () => {
    const gone = network();
    const weights = gone.getWeights();
    tf.tidy(() => gone.setWeights(weights.map((weight) => tf.mul(weight, NaN))));
    assert.match(
      (await verdict(() => exercise4.death(dead, gone))).remark,
      /weights of this model are not finite/,
    );
    gone.dispose();
  });
});

describe('the check of who is beyond the wall', () => {
  const wall = { one: 24 * Math.LN2, zero: 25 * Math.LN2 };
  accepts(exercise4.beyondTheWall, {
    'a loop': (logits: number[], labels: number[]) => {
      const found: number[] = [];
      for (let i = 0; i < logits.length; i++) {
        if (labels[i] === 1 && logits[i] > wall.one) found.push(i);
        if (labels[i] === 0 && -logits[i] > wall.zero) found.push(i);
      }
      return found;
    },
    'margins, filtered': (logits: number[], labels: number[]) =>
      logits
        .map((x, i) => ({ i, z: (2 * labels[i] - 1) * x, wall: labels[i] ? wall.one : wall.zero }))
        .filter(({ z, wall }) => z >= wall)
        .map(({ i }) => i),
    'the gradient itself': (logits: number[], labels: number[]) =>
      tf.tidy(() => {
        const y = tf.tensor1d(labels);
        const f = (x: tf.Tensor) => sigmoidFocalLoss(x, y, { gamma: 0.5, reduction: 'sum' });
        const slopes = Array.from(tf.grad(f)(tf.tensor1d(logits)).dataSync());
        return slopes.flatMap((slope, i) => (Number.isNaN(slope) ? [i] : []));
      }),
  });
  rejects(exercise4.beyondTheWall, {
    'hard mistakes counted as well': [
      (logits: number[], labels: number[]) =>
        logits.flatMap((x, i) => (Math.abs(x) > (labels[i] ? wall.one : wall.zero) ? [i] : [])),
      /hard mistakes/,
    ],
    'one wall for both labels': [
      (logits: number[], labels: number[]) =>
        logits.flatMap((x, i) => ((2 * labels[i] - 1) * x > wall.one ? [i] : [])),
      /label 0, whose wall is another/,
    ],
    'label 1 only': [
      (logits: number[], labels: number[]) =>
        logits.flatMap((x, i) => (labels[i] && x > wall.one ? [i] : [])),
      /label 0/,
    ],
    'a count': [() => 2, /a number; expected an array of indices/],
    'the logits': [(logits: number[]) => logits.filter((x) => x > 16.6355), /is \[17, 40\]/],
    booleans: [(logits: number[]) => logits.map((x) => x > 17), /an array of other things/],
  });
  survivesAnything(exercise4.beyondTheWall);
});

describe('the check of the rescue', () => {
  const rescued = async (rescue: unknown) => {
    const model = network();
    await trained(model, textbook);
    const tensors = tf.memory().numTensors;
    const result = await verdict(() => exercise4.rescue(rescue, model, { images, labels }));
    assert.equal(tf.memory().numTensors, tensors);
    model.dispose();
    return result;
  };

  const right: Record<string, unknown> = {
    'the exact loss, on the same model': (model: tf.LayersModel) =>
      trained(model, exact, { learningRate: 1 }),
    'an async function': async (model: tf.LayersModel) => await trained(model, exact, { epochs: 120 }),
    'the stabilized loss': (model: tf.LayersModel) =>
      trained(model, (x, y) => stabilizedSigmoidFocalLoss(x, y, { gamma: 0.1, reduction: 'mean' })),
  };
  for (const [how, rescue] of Object.entries(right))
    test(`accepts ${how}`, async () => assert.equal((await rescued(rescue)).status, 'right'));

  const wrong: Record<string, [unknown, RegExp]> = {
    'the same loss again': [(model: tf.LayersModel) => trained(model, textbook), /died again, in step/],
    'a new model': [
      async () => {
        const fresh = network();
        const run = await trained(fresh, exact);
        fresh.dispose();
        return run;
      },
      /weights of the dead model have not moved/,
    ],
    'a few steps': [(model: tf.LayersModel) => trained(model, exact, { epochs: 5 }), /5 steps only/],
    'a model set back to its beginning': [
      (model: tf.LayersModel) => {
        const zeros = model.getWeights().map((weight) => tf.zerosLike(weight));
        model.setWeights(zeros);
        tf.dispose(zeros);
        return trained(model, exact);
      },
      /has forgotten/,
    ],
    'nothing returned': [async () => undefined, /is undefined; expected what train\(\) returns/],
    'an error': [() => Promise.reject(new Error('boom')), /rescue\(model\) throws Error: boom/],
    'a number': [1, /a number; expected a function/],
  };
  for (const [mistake, [rescue, says]] of Object.entries(wrong))
    test(`rejects ${mistake}`, async () => {
      const { status, remark } = await rescued(rescue);
      assert.equal(status, 'wrong');
      assert.match(remark, says);
    });

  test('without a dead model or a function it is not attempted, and asks for the model', async () => {
    const data = { images, labels };
    const { status, remark } = await verdict(() => exercise4.rescue(() => 1, undefined, data));
    assert.equal(status, 'not attempted');
    assert.match(remark, /4\.1 comes first/);
    assert.equal((await verdict(() => exercise4.rescue(undefined, undefined, data))).status, 'not attempted');
  });
});
