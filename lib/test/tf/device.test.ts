import assert from 'node:assert/strict';
import { afterEach, describe, test } from 'node:test';
import { device, tf, versions } from 'focal-loss-lab';
import { attribute, rawOp, rawOps } from 'focal-loss-lab/dist/tf/rawOps';

describe('device', () => {
  const { TF_DEVICE } = process.env;
  afterEach(() => {
    if (TF_DEVICE === undefined) delete process.env.TF_DEVICE;
    else process.env.TF_DEVICE = TF_DEVICE;
  });

  test('measures a speed between that of a pocket calculator and of a supercomputer, and leaves no tensor', () => {
    const before = tf.memory().numTensors;
    const { gigaflops, kind, name, threads } = device();
    assert.ok(gigaflops > 0.1 && gigaflops < 1e7, `${gigaflops} GFLOP/s`);
    assert.ok(kind === 'CPU' || kind === 'GPU');
    assert.ok(name.length > 0 && threads >= 1);
    assert.equal(tf.memory().numTensors, before);
  });

  test('warns exactly if a GPU was asked for and is not used', () => {
    process.env.TF_DEVICE = 'gpu';
    const { kind, warning, requested } = device();
    assert.equal(requested, 'gpu');
    if (kind === 'GPU') assert.equal(warning, null);
    else assert.match(warning ?? '', /^Everything runs on the CPU: /);
    process.env.TF_DEVICE = 'cpu';
    assert.equal(device().warning, null);
  });

  test('refuses a TF_DEVICE it does not know', () => {
    process.env.TF_DEVICE = 'tpu';
    assert.throws(device, /TF_DEVICE is 'tpu'; expected 'cpu' or 'gpu'/);
  });
});

test('versions are those of the running process', () => {
  const found = versions();
  assert.equal(found.node, process.versions.node);
  assert.match(found.tensorflow, /^2\.\d+\.\d+/);
  assert.equal(found.tfjs, tf.version.tfjs);
  assert.match(found.typescript, /^\d+\.\d+\.\d+$/);
});

describe('raw operations', () => {
  const T = attribute.dtype('T', 'float32');

  test('run any TensorFlow kernel, with one output or several', () => {
    tf.tidy(() => {
      const x = tf.tensor2d([[1, 2], [3, 4]]); // prettier-ignore
      assert.deepEqual(Array.from(rawOp('Softplus', [T], [tf.scalar(0)]).dataSync()), [
        Math.fround(Math.LN2),
      ]);
      const rows = rawOps(2, 'Unpack', [T, attribute.int('num', 2), attribute.int('axis', 0)], [x]);
      assert.deepEqual(rows.map((row) => Array.from(row.dataSync())), [[1, 2], [3, 4]]); // prettier-ignore
    });
  });

  test('a name TensorFlow does not know is an error that says the name', () => {
    assert.throws(() => rawOp('NoSuchKernel', [], []), /NoSuchKernel/);
  });
});
