import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { tf } from 'focal-loss-lab';
import { expectClose } from '../expectClose';

/** Values in the tensors' own order, every k-th element; k is the size divided by 60, rounded up. */
interface Evaluation {
  loss: number;
  logits: number[];
  gradients: Record<string, number[]>;
}

/** PyTorch's values, by scripts/fixtures/*_torch.py, which say what they are. */
interface Fixture<Options> {
  options: Options;
  batch: number;
  learningRate: number;
  shapes: Record<string, number[]>;
  training: Evaluation;
  losses: number[];
  statistics: Record<string, number[]>;
  inference: Evaluation;
}

export function readFixture<Options>(name: string): Fixture<Options> {
  const file = join(__dirname, '..', '..', '..', 'test', 'fixtures', name); // from lib/dist/test/models
  return JSON.parse(readFileSync(file, 'utf8'));
}

/** Lehmer's generator, in (0, 1), rounded to float32: the same numbers as in Python. */
export function uniform(seed: number, shape: number[]): tf.Tensor {
  const values = new Float32Array(tf.util.sizeFromShape(shape));
  let state = seed;
  for (let i = 0; i < values.length; i++) values[i] = (state = (state * 48271) % 2147483647) / 2147483647;
  return tf.tensor(values, shape);
}

/** Every weight of the model by its name. */
export function weightsByName(model: tf.LayersModel): Map<string, tf.Variable> {
  return new Map(model.weights.map((weight) => [weight.originalName, weight.read() as tf.Variable]));
}

/** A copy made from nothing but what a save writes to a file. */
export async function savedAndLoaded(model: tf.LayersModel): Promise<tf.LayersModel> {
  const directory = mkdtempSync(join(tmpdir(), 'model-'));
  try {
    await model.save(`file://${directory}`);
    return await tf.loadLayersModel(`file://${directory}/model.json`);
  } finally {
    rmSync(directory, { recursive: true });
  }
}

/**
 * A model next to PyTorch: logits, loss and gradients in training mode, the losses of a few steps of plain gradient
 * descent, the running statistics after them, and the same in inference mode with the weights so reached.
 */
export class Agreement<Options> {
  readonly weights: Map<string, tf.Variable>;
  private readonly trainable: Map<string, tf.Variable>;

  constructor(
    private readonly model: tf.LayersModel,
    private readonly fixture: Fixture<Options>,
    private readonly images: tf.Tensor,
    private readonly labels: tf.Tensor,
  ) {
    this.weights = weightsByName(model);
    this.trainable = new Map(
      model.trainableWeights.map(({ originalName }) => [originalName, this.weights.get(originalName)!]),
    );
    const shapes = Object.fromEntries([...this.trainable].map(([name, { shape }]) => [name, shape]));
    assert.deepEqual(shapes, fixture.shapes); // in any order
    for (const [index, [name, shape]] of Object.entries(fixture.shapes).entries())
      tf.tidy(() => {
        const u = uniform(1000 + index, shape);
        this.weights.get(name)!.assign(name.endsWith('gamma') ? tf.add(u, 0.5) : tf.sub(u, 0.5));
      });
  }

  check(mode: 'training' | 'inference'): void {
    const expected = this.fixture[mode];
    tf.tidy(() => {
      const { logits, loss, gradients } = this.evaluate(mode);
      const close = (name: string, actual: tf.Tensor, values: number[], largest: number) => {
        const stride = Math.ceil(actual.size / 60);
        const sampled = actual.dataSync().filter((_, element) => element % stride === 0);
        try {
          expectClose(sampled, values, { relative: 1e-5, absolute: 1e-5 * largest });
        } catch (error) {
          throw new Error(`${mode}, ${name}: ${(error as Error).message}`);
        }
      };
      expectClose([loss.dataSync()[0]], [expected.loss], { relative: 1e-6 });
      close('logits', logits, expected.logits, Math.max(...expected.logits.map(Math.abs)));
      const all = Object.values(expected.gradients).flat();
      const largest = Math.max(...all.map(Math.abs)); // of all: a bias before batch norm has gradient 0
      assert.deepEqual(Object.keys(gradients).sort(), Object.keys(expected.gradients).sort());
      for (const [name, values] of Object.entries(expected.gradients))
        close(`gradient of ${name}`, gradients[name], values, largest);
    });
  }

  /** Plain gradient descent, as many steps as the fixture has. */
  train(): void {
    for (const expected of this.fixture.losses)
      tf.tidy(() => {
        const { loss, gradients } = this.evaluate('training');
        expectClose([loss.dataSync()[0]], [expected], { relative: 1e-5 });
        for (const [name, weight] of this.trainable)
          weight.assign(tf.sub(weight, tf.mul(gradients[name], this.fixture.learningRate)));
      });
  }

  private evaluate(mode: 'training' | 'inference') {
    let logits: tf.Tensor | undefined;
    const names = [...this.trainable.keys()];
    const loss = (images: tf.Tensor) => {
      logits = tf.keep(this.model.apply(images, { training: mode === 'training' }) as tf.Tensor);
      return tf.losses.sigmoidCrossEntropy(this.labels, logits) as tf.Scalar;
    };
    // tfjs differentiates by variables or by inputs: here by both, all of them inputs of the tape.
    const { value, grads } = tf
      .engine()
      .gradients(() => loss(this.images), [this.images, ...this.trainable.values()]);
    const copy = tf.tidy(() => (logits as tf.Tensor).clone());
    logits?.dispose();
    const gradients = Object.fromEntries(['images', ...names].map((name, i) => [name, grads[i]]));
    return { logits: copy, loss: value, gradients };
  }

  dispose(): void {
    this.model.dispose();
    tf.dispose([this.images, this.labels]);
  }
}
