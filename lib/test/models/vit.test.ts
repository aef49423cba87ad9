import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { stabilizedSigmoidFocalLoss, tf, train, vit } from 'focal-loss-lab';
import type { VitOptions } from 'focal-loss-lab/dist/models';
import { Agreement, readFixture, savedAndLoaded, uniform, weightsByName } from './torchAgreement';

const SMALL: VitOptions = { size: 8, channels: 1, patch: 4, width: 8, depth: 2, heads: 2, seed: 1 };

function agreement() {
  const fixture = readFixture<VitOptions & { size: number; channels: number }>('vit-torch.json');
  const { size, channels } = fixture.options;
  const images = uniform(1, [fixture.batch, size, size, channels]);
  const labels = tf.tidy(() => tf.reshape(tf.mod(tf.range(0, fixture.batch), 2), [fixture.batch, 1]));
  return new Agreement(vit(fixture.options), fixture, images, labels);
}

describe('vit, a vision transformer', () => {
  test("is timm's vit_base_patch16_224 by default: 85,799,425 parameters, 197 tokens, one logit", () => {
    const model = vit();
    assert.equal(model.countParams(), 85_799_425);
    assert.deepEqual(model.inputs[0].shape, [null, 224, 224, 3]);
    assert.deepEqual(model.getLayer('block11_add2').outputShape, [null, 197, 768]);
    assert.deepEqual(model.outputs[0].shape, [null, 1]);
    model.dispose();
  });

  test("starts like timm's: N(0, 0.02^2), biases 0, norms 1 and 0, class token about 0, patches like PyTorch's", () => {
    const model = vit({ size: 32, patch: 4, width: 64, depth: 1, heads: 4, seed: 3 });
    const start = weightsByName(model);
    for (const [name, weight] of start) {
      const values = Array.from(weight.dataSync());
      const [layer] = name.split('/');
      const square = Math.sqrt(values.reduce((sum, value) => sum + value ** 2, 0) / values.length);
      const about = (expected: number) => {
        // relative standard error of a root mean square: 1 / sqrt(2 n); five of them
        const allowed = 5 / Math.sqrt(2 * values.length);
        assert.ok(Math.abs(square / expected - 1) < allowed, `${name}: ${square}, expected ${expected}`);
      };
      if (layer === 'patches') {
        about(1 / Math.sqrt(3 * 48));
        assert.ok(values.every((value) => Math.abs(value) <= 1 / Math.sqrt(48) + 1e-7));
      } else if (name === 'positions/class_token') about(1e-6);
      else if (/kernel|positions$/.test(name)) {
        about(0.02);
        assert.ok(values.length < 1000 || values.some((value) => Math.abs(value) > 2.5 * 0.02)); // not cut off at 2 sigma
      } else
        assert.ok(
          values.every((value) => value === (name.endsWith('gamma') ? 1 : 0)),
          name,
        );
    }
    model.dispose();
  });

  test('the seed determines the weights, no two layers share their draws, and without a seed they differ', () => {
    const draws = (options: VitOptions) => {
      const model = vit({ ...SMALL, ...options });
      const first = [...weightsByName(model)]
        .filter(([name]) => /kernel|token|positions$/.test(name))
        .map(([, weight]) => weight.dataSync()[0]);
      model.dispose();
      return first;
    };
    const first = draws({ seed: 7 });
    assert.deepEqual(draws({ seed: 7 }), first);
    assert.notDeepEqual(draws({ seed: 8 }), first);
    assert.notDeepEqual(draws({ seed: undefined }), draws({ seed: undefined }));
    assert.equal(new Set(first).size, first.length);
  });

  test('gives the logits and gradients of PyTorch, before and after three steps of training', () => {
    const model = agreement();
    model.check('training');
    model.train();
    model.check('inference');
    model.dispose();
  });

  test('does not care for the order of the patches, once their positions are taken away', () => {
    const model = vit({ ...SMALL, size: 4, patch: 2 });
    const positions = weightsByName(model).get('positions/positions')!;
    positions.assign(tf.zerosLike(positions));
    tf.tidy(() => {
      const [a, b, c, d] = tf
        .split(tf.reshape(uniform(2, [16]), [4, 2, 2]), 4)
        .map((t) => tf.reshape(t, [2, 2]));
      const image = (quarters: tf.Tensor[]) => {
        const rows = [0, 2].map((i) => tf.concat([quarters[i], quarters[i + 1]], 1));
        return tf.reshape(tf.concat(rows, 0), [1, 4, 4, 1]);
      };
      const logit = (quarters: tf.Tensor[]) => (model.predict(image(quarters)) as tf.Tensor).dataSync()[0];
      const [x, y] = [logit([a, b, c, d]), logit([c, a, d, b])];
      assert.ok(Math.abs(x - y) < 1e-6 * (1 + Math.abs(x)), `${x}, ${y}`);
    });
    model.dispose();
  });

  test('learns by train() to tell bright from dark images', async () => {
    const model = vit({ ...SMALL, width: 16 });
    const n = 64;
    const labels = tf.tidy(() => tf.mod(tf.range(0, n), 2));
    const images = tf.tidy(() => {
      const brightness = tf.mul(tf.reshape(labels, [n, 1, 1, 1]), 0.5);
      return tf.add(tf.mul(uniform(5, [n, 8, 8, 1]), 0.5), brightness) as tf.Tensor4D;
    });
    const { records, diverged } = await train(model, {
      images,
      labels,
      loss: (logits, y) =>
        stabilizedSigmoidFocalLoss(logits, y, { alpha: 0.5, gamma: 0.5, reduction: 'mean' }),
      epochs: 20,
      batchSize: 16,
      learningRate: 0.3,
      momentum: 0.9,
      seed: 1,
    });
    assert.equal(diverged, null);
    assert.equal(records.at(-1)!.accuracy, 1);
    model.dispose();
    tf.dispose([images, labels]);
  });

  test('a copy by save and load gives the same output', async () => {
    const model = vit(SMALL);
    const images = uniform(6, [4, 8, 8, 1]);
    const copy = await savedAndLoaded(model);
    const [a, b] = [model, copy].map((m) => m.predict(images) as tf.Tensor);
    assert.deepEqual(a.dataSync(), b.dataSync());
    tf.dispose([a, b, images]);
    model.dispose();
    copy.dispose();
  });

  test('leaves no tensor behind, neither the model nor a step', () => {
    const before = tf.memory().numTensors;
    const model = vit(SMALL);
    const images = uniform(6, [2, 8, 8, 1]);
    const weights = model.trainableWeights.map((weight) => weight.read() as tf.Variable);
    const afterBuild = tf.memory().numTensors;
    const loss = () => tf.mean(tf.square(model.apply(images, { training: true }) as tf.Tensor)) as tf.Scalar;
    const { value, grads } = tf.variableGrads(loss, weights);
    tf.dispose([value, grads]);
    tf.dispose(model.predict(images));
    assert.equal(tf.memory().numTensors, afterBuild);
    model.dispose();
    images.dispose();
    assert.equal(tf.memory().numTensors, before);
  });

  test('refuses a patch that does not divide size, heads that do not divide width, and what is no integer', () => {
    assert.throws(() => vit({ size: 30, patch: 4 }), /vit: patch is 4; expected a divisor of size, 30/);
    assert.throws(() => vit({ width: 64, heads: 5 }), /vit: heads is 5; expected a divisor of width, 64/);
    assert.throws(() => vit({ channels: 0 }), /vit: channels is 0; expected an integer >= 1/);
    assert.throws(() => vit({ depth: 1.5 }), /vit: depth is 1.5; expected an integer >= 1/);
    assert.throws(() => vit({ seed: 0.5 }), /vit: seed is 0.5; expected an integer/);
    vit({ ...SMALL, size: 4, patch: 4 }).dispose();
  });
});
