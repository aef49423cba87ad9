import { notice } from '../display';
import { compile, tf, type Compiled, type TensorFunction } from '../tf';
import { ResourceVariable } from '../tf/resourceVariable';
import { Columns } from './columns';
import { reluGradient } from './kernels';
import { ModelLosses, type LossSettings } from './losses';
import { perParameter, SHAPES, type PerParameter } from './parameters';
import { maxPool, maxPoolGradient } from './pooling';

/**
 * Models that go through conv1 together; all have the same columns, so that their kernels can be one matrix. With more rows
 * than those of twelve or so, oneDNN cuts the product into pieces and may add up the last rows of a piece in another order
 * than the others: then a model's numbers would depend on its place.
 */
const MODELS_AT_ONCE = 12;

/** What a step found, one row each of the tensor it returns. */
export const STEP_ROWS = ['loss', 'correct', 'maxAbsLogit', 'sumAbsLogit', 'gradientSum'] as const;

/**
 * Many LeNets (those of `lenet`, for 28x28 gray images) that learn side by side from the same images, each by its own labels
 * and loss, by stochastic gradient descent with momentum:
 *
 *   v <- momentum * v + gradient        w <- w - learningRate * v
 *
 * A step is one program of some hundred TensorFlow kernels whatever the number M of models: where a single model multiplies
 * matrices, M models multiply M pairs at once. Images lie one pixel a row, with the batch B along the row, so that most of
 * the work is on long contiguous rows (Columns says how a convolution becomes a product). Backpropagation is written out:
 * no tape, and each product in the form that is fastest.
 *
 * On a CPU with one thread a model's numbers do not depend, to the last bit, on which others are next to it, for batches
 * that are a multiple of 16.
 *
 * @see notebooks/appendix-many-models.ipynb
 */
export class LenetBatch {
  private readonly weights: PerParameter<ResourceVariable>;
  private readonly velocities: PerParameter<ResourceVariable>;
  private readonly losses: ModelLosses;
  private readonly conv1: Columns;
  private readonly conv2: Columns;
  private readonly descent: { learningRate: tf.Scalar; momentum: tf.Scalar };
  /** What the compiled functions use and may change: arguments of them, after images and labels. The rest is constant. */
  private readonly kept: tf.Tensor[];
  private readonly compiledUpdate: Compiled<TensorFunction>;
  private readonly compiledLogits: Compiled<TensorFunction>;
  private readonly count: number;
  /** Filters that go through conv1 and its pooling together: those of a few models. */
  private readonly rows1: number[];

  /**
   * @param models  M losses
   * @param start  weights and velocities, float32 [M, ...] by SHAPES; stay the caller's. Without velocities they are 0.
   */
  constructor(
    models: readonly LossSettings[],
    start: { weights: PerParameter<tf.Tensor>; velocities?: PerParameter<tf.Tensor> },
    { learningRate, momentum, eager }: { learningRate: number; momentum: number; eager?: boolean },
  ) {
    this.count = models.length;
    this.weights = perParameter((name) => new ResourceVariable(start.weights[name]));
    this.velocities = perParameter((name) => {
      const velocity = start.velocities?.[name] ?? tf.zerosLike(start.weights[name]);
      try {
        return new ResourceVariable(velocity);
      } finally {
        if (start.velocities === undefined) velocity.dispose();
      }
    });
    this.losses = new ModelLosses(models);
    this.conv1 = new Columns({ channels: 1, size: 28, scatters: false });
    this.conv2 = new Columns({ channels: 6 * models.length, size: 12, scatters: true });
    this.descent = { learningRate: tf.scalar(learningRate), momentum: tf.scalar(momentum) };
    const variables = [this.weights, this.velocities].flatMap((each) => Object.values(each));
    this.kept = [
      ...variables.map(({ handle }: ResourceVariable) => handle),
      ...[this.losses, this.conv1, this.conv2].flatMap(({ tensors }) => tensors),
    ];
    const options = {
      eager,
      onEager: (reason: string) => notice(`trainGrid: the steps are not compiled, and slower: ${reason}`),
    };
    this.compiledUpdate = compile((images, labels) => this.update(images, labels), options);
    this.compiledLogits = compile((images) => this.predict(images), options);
    this.rows1 = Array.from({ length: Math.ceil(this.count / MODELS_AT_ONCE) }, (_, part) => {
      return 6 * Math.min(MODELS_AT_ONCE, this.count - part * MODELS_AT_ONCE);
    });
  }

  /**
   * One step of every model. A model whose numbers are not finite goes on with them and disturbs no other.
   *
   * @param images  float32 [784, B], one image a column
   * @param labels  0 and 1, float32 [M, 1, B]
   * @returns float32 [5, M], the rows of STEP_ROWS: mean loss, number of logits on the right side of 0, largest |logit|, sum
   *   of |logits|, and the sum of the derivatives by the logits, which is not finite if one of them is not
   */
  step(images: tf.Tensor, labels: tf.Tensor): tf.Tensor2D {
    return this.compiledUpdate(images, labels, ...this.kept) as tf.Tensor2D;
  }

  private update(images: tf.Tensor, labels: tf.Tensor): tf.Tensor2D {
    const M = this.count;
    const B = images.shape[1]!;
    const w = perParameter((name) => this.weights[name].read());
    const { columns1, pool1, h1, columns2, pool2, h2, flat, h3, h4, logits } = this.forward(images, w);
    const { loss, gradient } = this.losses.evaluate(logits, labels);

    // Backward. For y = W x + b: dW = dy x^T, db = dy summed over the batch, dx = W^T dy; for h = relu(y): dy where h > 0.
    const d5 = tf.div(gradient, B); // the loss is a mean over the batch
    const d4 = reluGradient(tf.matMul(w.logitKernel, d5, true), h4);
    const d3 = reluGradient(tf.matMul(w.dense2Kernel, d4, true), h3);
    const dFlat = tf.matMul(w.dense1Kernel, d3, true);
    const d2 = reluGradient(tf.reshape(dFlat, [M, 16, 16 * B]), h2);
    const dPool2 = tf.reshape(d2, [16 * M, 4, 4, B]);
    const dConv2 = tf.reshape(maxPoolGradient(dPool2, pool2), [M, 16, 64 * B]);
    const dColumns2 = tf.matMul(w.conv2Kernel, dConv2, true); //               [M, 150, 64 B]
    const d1 = reluGradient(tf.reshape(this.conv2.scatter(dColumns2, B), [6 * M, 144 * B]), h1);
    const dPool1 = tf.split(tf.reshape(d1, [6 * M, 12, 12, B]), this.rows1);
    const dKernels1 = pool1.map((pool, i) => {
      const dConv1 = tf.reshape(maxPoolGradient(dPool1[i], pool), [this.rows1[i], 576 * B]);
      return tf.matMul(dConv1, columns1, false, true);
    });

    const gradients: PerParameter<tf.Tensor> = {
      conv1Kernel: tf.concat(dKernels1),
      conv1Bias: tf.sum(d1, 1),
      // (x dy^T)^T rather than dy x^T: the product is several times faster with the large matrix first.
      conv2Kernel: tf.transpose(tf.matMul(columns2, dConv2, false, true), [0, 2, 1]),
      conv2Bias: tf.sum(d2, 2),
      dense1Kernel: tf.matMul(d3, flat, false, true),
      dense1Bias: tf.sum(d3, 2),
      dense2Kernel: tf.matMul(d4, h3, false, true),
      dense2Bias: tf.sum(d4, 2),
      logitKernel: tf.matMul(d5, h4, false, true),
      logitBias: tf.sum(d5, 2),
    };
    perParameter((name) => {
      const shaped = tf.reshape(gradients[name], [M, ...SHAPES[name]]);
      this.weights[name].descend(this.velocities[name], shaped, this.descent);
    });

    const correct = tf.sum(tf.cast(tf.equal(tf.greater(logits, 0), tf.greater(labels, 0.5)), 'float32'), 2);
    const sizes = tf.abs(logits);
    const rows = [tf.mean(loss, 2), correct, tf.max(sizes, 2), tf.sum(sizes, 2), tf.sum(gradient, 2)];
    return tf.stack(rows.map((row) => tf.reshape(row, [M]))) as tf.Tensor2D;
  }

  /**
   * What the models say, without learning.
   *
   * @param images  float32 [784, B], one image a column
   * @returns float32 [M, B]
   */
  logits(images: tf.Tensor): tf.Tensor2D {
    return this.compiledLogits(images, ...this.kept) as tf.Tensor2D;
  }

  /**
   * What the models say, and the derivative of each image's own loss by its logit, without learning.
   *
   * @param images  float32 [784, B], one image a column
   * @param labels  0 and 1, float32 [M, 1, B]
   * @returns float32 [M, 1, B] both
   */
  derivatives(images: tf.Tensor, labels: tf.Tensor): { logits: tf.Tensor; derivatives: tf.Tensor } {
    const logits = tf.expandDims(this.logits(images), 1);
    return { logits, derivatives: this.losses.evaluate(logits, labels).gradient };
  }

  private predict(images: tf.Tensor): tf.Tensor2D {
    const w = perParameter((name) => this.weights[name].read());
    return tf.reshape<tf.Rank.R2>(this.forward(images, w).logits, [this.count, images.shape[1]!]);
  }

  /** The logits, and what is on the way to them. */
  private forward(images: tf.Tensor, w: PerParameter<tf.Tensor>) {
    const M = this.count;
    const B = images.shape[1]!;
    const columns1 = this.conv1.gather(images); //                             [25, 576 B], the same for all models
    const kernels1 = tf.split(tf.reshape(w.conv1Kernel, [6 * M, 25]), this.rows1);
    const pool1 = kernels1.map((kernels, i) => {
      const z1 = tf.matMul(kernels, columns1); //                              [rows, 576 B]
      return maxPool(tf.reshape(z1, [this.rows1[i], 24, 24, B])); //             [rows, 12, 12, B]
    });
    const pooled1 = tf.reshape(tf.concat(pool1.map(({ value }) => value)), [6 * M, 144 * B]);
    const h1 = tf.relu(tf.add(pooled1, tf.reshape(w.conv1Bias, [6 * M, 1]))); // max(a, b) + c = max(a + c, b + c)
    const columns2 = tf.reshape(this.conv2.gather(tf.reshape(h1, [864 * M, B])), [M, 150, 64 * B]);
    const z2 = tf.matMul(w.conv2Kernel, columns2); //                          [M, 16, 64 B]
    const pool2 = maxPool(tf.reshape(z2, [16 * M, 8, 8, B])); //               [16 M, 4, 4, B]
    const h2 = tf.relu(tf.add(tf.reshape(pool2.value, [M, 16, 16 * B]), w.conv2Bias));
    const flat = tf.reshape(h2, [M, 256, B]);
    const h3 = tf.relu(tf.add(tf.matMul(w.dense1Kernel, flat), w.dense1Bias)); // [M, 120, B]
    const h4 = tf.relu(tf.add(tf.matMul(w.dense2Kernel, h3), w.dense2Bias)); // [M, 84, B]
    const logits = tf.add(tf.matMul(w.logitKernel, h4), w.logitBias); //       [M, 1, B]
    return { columns1, pool1, h1, columns2, pool2, h2, flat, h3, h4, logits };
  }

  /** The present weights and velocities, [M, ...] by SHAPES. They belong to the enclosing tf.tidy, or the caller. */
  state(): { weights: PerParameter<tf.Tensor>; velocities: PerParameter<tf.Tensor> } {
    return {
      weights: perParameter((name) => this.weights[name].read()),
      velocities: perParameter((name) => this.velocities[name].read()),
    };
  }

  dispose(): void {
    this.compiledUpdate.dispose();
    this.compiledLogits.dispose();
    perParameter((name) => {
      this.weights[name].dispose();
      this.velocities[name].dispose();
    });
    for (const part of [this.losses, this.conv1, this.conv2]) part.dispose();
    tf.dispose(this.descent);
  }
}
