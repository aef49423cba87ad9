import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { lenet, stabilizedSigmoidFocalLoss, tf } from 'focal-loss-lab';
import { expectClose } from '../expectClose';
import { torch, torchBatch, torchLenet } from './torchFixture';

const FAN_IN = [25, 25, 150, 150, 256, 256, 120, 120, 84, 84]; // inputs of one unit: conv1, conv2, three dense layers

function initialWeights(seed?: number): Float32Array[] {
  const model = lenet({ seed });
  const values = model.getWeights().map((weight) => weight.dataSync() as Float32Array);
  model.dispose();
  return values;
}

describe("lenet, the paper's network", () => {
  test('has 43,661 parameters for 28x28x1 and 61,241 for 32x32x3, and one logit per image', () => {
    for (const [options, parameters] of [
      [{}, 43_661],
      [{ size: 32, channels: 3 }, 61_241],
    ] as const) {
      const model = lenet(options);
      assert.equal(model.countParams(), parameters);
      assert.deepEqual(model.outputs[0].shape, [null, 1]);
      model.dispose();
    }
  });

  test("starts like PyTorch's: each kernel and bias uniform in +-1/sqrt(fan_in)", () => {
    // Pooled over 20 seeds, so that even the single bias of the last layer can be judged.
    const seeds = Array.from({ length: 20 }, (_, i) => initialWeights(i));
    for (const [layer, fanIn] of FAN_IN.entries()) {
      const unit = seeds.flatMap((weights) =>
        Array.from(weights[layer], (value) => value * Math.sqrt(fanIn)),
      );
      const mean = unit.reduce((sum, u) => sum + u) / unit.length;
      const square = unit.reduce((sum, u) => sum + u * u, 0) / unit.length;
      assert.ok(unit.every((u) => Math.abs(u) <= 1 + 1e-6));
      // U(-1, 1) has variance 1/3, and its square has variance 4/45: five standard errors of each mean.
      assert.ok(Math.abs(mean) < 5 * Math.sqrt(1 / 3 / unit.length), `mean ${mean} of weight ${layer}`);
      assert.ok(
        Math.abs(square - 1 / 3) < 5 * Math.sqrt(4 / 45 / unit.length),
        `square ${square} of weight ${layer}`,
      );
    }
  });

  test('the seed determines the weights, no two layers share their draws, and without a seed they differ', () => {
    const first = initialWeights(7);
    assert.deepEqual(initialWeights(7), first);
    assert.notDeepEqual(initialWeights(8), first);
    assert.notDeepEqual(initialWeights(), initialWeights());
    const firstDraws = first.map((values, layer) => (values[0] * Math.sqrt(FAN_IN[layer])).toPrecision(4));
    assert.equal(new Set(firstDraws).size, first.length);
  });

  test('gives the logits and gradients of PyTorch for the same weights', () => {
    const model = torchLenet();
    const { images, labels } = torchBatch();
    const logits = model.predict(images) as tf.Tensor;
    expectClose(logits.dataSync(), torch.logits, { relative: 1e-5, absolute: 1e-7 });

    const loss = () => {
      const squeezed = tf.squeeze(model.apply(images) as tf.Tensor, [1]);
      return stabilizedSigmoidFocalLoss(squeezed, labels, { ...torch.settings, reduction: 'mean' });
    };
    const variables = model.trainableWeights.map((weight) => weight.read() as tf.Variable);
    const { value, grads } = tf.variableGrads(loss, variables);
    expectClose(value.dataSync(), torch.losses.slice(0, 1), { relative: 1e-6 });
    for (const [i, [name, expected]] of Object.entries(torch.gradients).entries()) {
      const gradient = grads[variables[i].name].dataSync();
      const stride = Math.ceil(gradient.length / 200);
      const largest = Math.max(...expected.map(Math.abs));
      const sampled = gradient.filter((_, element) => element % stride === 0);
      assert.equal(sampled.length, expected.length, name);
      expectClose(sampled, expected, { relative: 1e-5, absolute: 1e-6 * largest });
    }
    model.dispose();
    tf.dispose([images, labels, logits, value, grads]);
  });

  test('leaves no tensor behind', () => {
    const before = tf.memory().numTensors;
    lenet({ seed: 1 }).dispose();
    assert.equal(tf.memory().numTensors, before);
  });

  test('refuses images too small for two pools, and a seed or channels that are not integers', () => {
    assert.throws(() => lenet({ size: 15 }), /lenet: size is 15; expected an integer >= 16/);
    assert.throws(() => lenet({ channels: 0 }), /lenet: channels is 0; expected an integer >= 1/);
    assert.throws(() => lenet({ seed: 0.5 }), /lenet: seed is 0.5; expected an integer/);
    lenet({ size: 16 }).dispose();
  });
});
