import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { tf } from 'focal-loss-lab';
import { NormSelfAttention } from 'focal-loss-lab/dist/models/layers/attention';
import { addBias } from 'focal-loss-lab/dist/models/layers/addBias';
import { Conv2d } from 'focal-loss-lab/dist/models/layers/conv2d';
import { ConvNormRelu, normGradientByFormula } from 'focal-loss-lab/dist/models/layers/convNormRelu';
import { ConvTranspose2d } from 'focal-loss-lab/dist/models/layers/convTranspose2d';
import { differentiable } from 'focal-loss-lab/dist/models/layers/differentiable';
import { Gelu } from 'focal-loss-lab/dist/models/layers/gelu';
import { Linear } from 'focal-loss-lab/dist/models/layers/linear';
import { NormLinear } from 'focal-loss-lab/dist/models/layers/normLinear';
import { expectClose } from '../expectClose';

type Fn = (x: tf.Tensor) => tf.Tensor;

const random = (shape: number[], seed: string) => tf.randomUniform(shape, -2, 2, 'float32', seed);

/** Layers whose gradient is ours, each with an input shape; all but Gelu with weights that are not the initial ones. */
const LAYERS: [string, () => tf.layers.Layer, number[]][] = [
  ['Conv2d', () => new Conv2d({ filters: 3, kernelSize: 3 }), [2, 5, 4, 2]],
  [
    'Conv2d with strides',
    () => new Conv2d({ filters: 3, kernelSize: 2, strides: 2, padding: 'valid' }),
    [2, 6, 4, 2],
  ],
  ['Conv2d on wide rows', () => new Conv2d({ filters: 300, kernelSize: 1 }), [2, 2, 20, 2]],
  ['ConvTranspose2d', () => new ConvTranspose2d({ filters: 3, scale: 2 }), [2, 3, 4, 2]],
  ['ConvNormRelu', () => new ConvNormRelu({ filters: 4 }), [3, 4, 5, 2]],
  ['Gelu', () => new Gelu(), [4, 7]],
  ['Linear', () => new Linear({ units: 3 }), [2, 3, 4]],
  ['NormLinear', () => new NormLinear({ units: 3 }), [2, 3, 8]],
  ['NormSelfAttention', () => new NormSelfAttention({ heads: 2 }), [2, 3, 8]],
];

function built(make: () => tf.layers.Layer, shape: number[]): { layer: tf.layers.Layer; f: Fn } {
  const layer = make();
  const f: Fn = (x) => layer.apply(x, { training: true }) as tf.Tensor;
  tf.tidy(() => {
    f(tf.zeros(shape)); // makes the weights
    for (const [i, weight] of layer.trainableWeights.entries())
      weight.write(tf.div(random(weight.shape as number[], `w${i}`), 2));
  });
  return { layer, f };
}

/** sum(weights * f(x)): all gradients of f in one number. */
const project = (f: Fn, x: tf.Tensor) =>
  tf.tidy(() => tf.sum(tf.mul(f(x), random(f(x).shape, 'dy'))) as tf.Scalar);

/**
 * The gradients by x and by every weight: those of a first-order backward pass, which are ours, or those that tfjs
 * derives from the same formula, which take over while an outer gradient is recorded.
 */
function gradients(layer: tf.layers.Layer, f: Fn, x: tf.Tensor, whose: 'ours' | 'own'): Float32Array[] {
  const weights = layer.trainableWeights.map((weight) => weight.read());
  const first = () => tf.engine().gradients(() => project(f, x), [x, ...weights]).grads;
  if (whose === 'ours') return tf.tidy(() => first().map((gradient) => gradient.dataSync() as Float32Array));
  let values: Float32Array[] = [];
  tf.tidy(() =>
    tf.grad((outer) => {
      values = first().map((gradient) => gradient.dataSync() as Float32Array);
      return tf.sum(outer);
    })(x),
  );
  return values;
}

describe('the gradients of the layers', () => {
  for (const [name, make, shape] of LAYERS) {
    test(`${name}: by the input and by every weight they are those that tfjs derives from the formula`, () => {
      const { layer, f } = built(make, shape);
      const x = random(shape, 'x');
      const own = gradients(layer, f, x, 'own');
      for (const [i, gradient] of gradients(layer, f, x, 'ours').entries()) {
        const largest = own[i].reduce((most, value) => Math.max(most, Math.abs(value)), 0);
        expectClose(gradient, own[i], { absolute: 1e-5 * Math.max(1, largest) });
      }
      x.dispose();
      layer.dispose();
    });

    test(`${name}: the second derivative along a line is that of a difference quotient`, () => {
      const { layer, f } = built(make, shape);
      tf.tidy(() => {
        const x = random(shape, 'x');
        const direction = random(shape, 'direction');
        const cube: Fn = (t) => tf.mul(f(t), tf.square(f(t))); // so that linear layers have one too
        const slope = (t: tf.Tensor) => {
          const along = (s: tf.Tensor) => project(cube, tf.add(t, tf.mul(s, direction)));
          return tf.grad(along)(tf.scalar(0));
        };
        const second = tf
          .grad((s) => slope(tf.add(x, tf.mul(s, direction))))(tf.scalar(0))
          .dataSync()[0];
        const step = 1e-2;
        const at = (s: number) => slope(tf.add(x, tf.mul(direction, s))).dataSync()[0];
        const quotient = (8 * (at(step) - at(-step)) - (at(2 * step) - at(-2 * step))) / (12 * step);
        expectClose([second], [quotient], { relative: 5e-3, absolute: 1e-3 });
      });
      layer.dispose();
    });

    test(`${name}: a gradient leaves no tensor behind`, () => {
      const { layer, f } = built(make, shape);
      const x = random(shape, 'x');
      const before = tf.memory().numTensors;
      gradients(layer, f, x, 'ours');
      assert.equal(tf.memory().numTensors, before);
      x.dispose();
      layer.dispose();
    });
  }

  test('a function differentiated by hand gives its own gradient, not that of its formula', () => {
    // The sign is wrong on purpose: it shows which of the two is in use.
    const f: Fn = (x) =>
      differentiable(
        {
          forward: (x) => ({ value: tf.square(x), kept: [] }),
          gradient: (dy, [x]) => [tf.mul(dy, tf.mul(x, -2))],
          composed: (x) => tf.square(x),
        },
        x,
      );
    tf.tidy(() => {
      assert.equal(tf.grad(f)(tf.scalar(3)).dataSync()[0], -6);
      assert.equal(
        tf
          .grad((x) => tf.grad(f)(x))(tf.scalar(3))
          .dataSync()[0],
        2,
      );
    });
  });
});

describe('addBias', () => {
  for (const shape of [[6], [5, 6], [2, 3, 6], [2, 3, 4, 6], [2, 3, 800, 6], [2, 1, 1, 1]])
    test(`is an addition, whatever the shape ([${shape}])`, () => {
      tf.tidy(() => {
        const x = random(shape, 'x');
        const bias = random(shape.slice(-1), 'bias');
        assert.deepEqual(addBias(x, bias).arraySync(), tf.add(x, bias).arraySync());
      });
    });
});

describe('ConvNormRelu', () => {
  test('its gradient for a GPU is that of batch norm', () => {
    tf.tidy(() => {
      const [x, gamma, beta] = [random([3, 4, 5, 6], 'x'), random([6], 'gamma'), random([6], 'beta')];
      const dy = random(x.shape, 'dy');
      const statistics = (x: tf.Tensor) =>
        tf.moments(x, [0, 1, 2]) as Record<'mean' | 'variance', tf.Tensor1D>;
      const batchNorm = (x: tf.Tensor, gamma: tf.Tensor, beta: tf.Tensor) => {
        const { mean, variance } = statistics(x);
        return tf.add(tf.mul(tf.div(tf.sub(x, mean), tf.sqrt(tf.add(variance, 1e-5))), gamma), beta);
      };
      const expected = tf.grads(batchNorm)([x, gamma, beta], dy);
      for (const [i, gradient] of normGradientByFormula(dy, x, gamma, statistics(x)).entries())
        expectClose(gradient.dataSync(), expected[i].dataSync(), { relative: 1e-4, absolute: 1e-5 });
    });
  });

  test('a channel far from 0 is normalized as well as any: no digits are lost to its mean', () => {
    const layer = new ConvNormRelu({ filters: 1 });
    tf.tidy(() => {
      const x = tf.add(random([8, 28, 28, 1], 'x'), 1000);
      layer.apply(x);
      const center = tf.pad(tf.ones([1, 1, 1, 1]), [[1, 1], [1, 1], [0, 0], [0, 0]]); // prettier-ignore
      layer.setWeights([center, tf.zeros([1]), tf.ones([1]), tf.fill([1], 5), tf.zeros([1]), tf.ones([1])]);
      const y = layer.apply(x, { training: true }) as tf.Tensor; // beta 5: nothing for ReLU to cut off
      const { mean, variance } = tf.moments(y);
      expectClose([...mean.dataSync(), ...variance.dataSync()], [5, 1], { absolute: 1e-3 });
    });
    layer.dispose();
  });

  for (const training of [false, true])
    test(`a NaN in the input reaches the output (${training ? 'training' : 'inference'})`, () => {
      const layer = new ConvNormRelu({ filters: 16 });
      tf.tidy(() => {
        const y = layer.apply(tf.fill([8, 4, 4, 16], NaN), { training }) as tf.Tensor;
        assert.ok(y.dataSync().every(Number.isNaN));
      });
      layer.dispose();
    });
});

describe('NormLinear', () => {
  test('gives what tf.layers.layerNormalization followed by tf.layers.dense gives', () => {
    const { layer, f } = built(() => new NormLinear({ units: 5 }), [4, 7, 16]);
    const norm = tf.layers.layerNormalization({ epsilon: 1e-6 });
    const dense = tf.layers.dense({ units: 5 });
    tf.tidy(() => {
      const x = random([4, 7, 16], 'x');
      dense.apply(norm.apply(x));
      const weights = layer.getWeights();
      norm.setWeights(weights.slice(0, 2));
      dense.setWeights(weights.slice(2));
      const theirs = dense.apply(norm.apply(x)) as tf.Tensor;
      expectClose(f(x).dataSync(), theirs.dataSync(), { relative: 1e-5, absolute: 1e-5 });
    });
    for (const one of [layer, norm, dense]) one.dispose();
  });
});

describe('Gelu', () => {
  test('is x Phi(x), with Phi from tables of the normal distribution', () => {
    tf.tidy(() => {
      const y = new Gelu().call(tf.tensor1d([-3, -1, 0, 0.5, 1, 2, 10])).dataSync();
      const phi = [0.001349898, 0.158655254, 0.5, 0.691462461, 0.841344746, 0.977249868, 1];
      expectClose(
        y,
        phi.map((p, i) => p * [-3, -1, 0, 0.5, 1, 2, 10][i]),
        { relative: 1e-5, absolute: 1e-7 },
      );
    });
  });
});

describe('NormSelfAttention', () => {
  test('refuses heads that do not divide the width', () => {
    assert.throws(
      () => new NormSelfAttention({ heads: 3 }).build([null, 4, 8]),
      /NormSelfAttention: heads is 3; expected a divisor of the width, 8/,
    );
  });
});
