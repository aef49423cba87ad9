import { compile, tf, type Compiled, type CompileOptions, type TensorFunction } from '../tf';
import { attribute, rawOp } from '../tf/rawOps';
import { descend, type Descent } from './momentum';

/** A scalar, the mean over the batch; logits and labels have the same shape. */
export type Loss = (logits: tf.Tensor, labels: tf.Tensor) => tf.Scalar;

interface Batch {
  /** float32 [batch, ...], as the model takes it */
  input: tf.Tensor;
  /** float32 of 0 and 1; the logits are brought to its shape */
  target: tf.Tensor;
}

export interface StepResult {
  loss: number;
  /** Number of logits on the right side of 0, of `count`. */
  correct: number;
  count: number;
  maxAbsLogit: number;
  /** What was not finite; undefined if all was, and only then were the weights updated. */
  notFinite: string | undefined;
}

/** Makes single steps of gradient descent with a model's trainable weights. */
export class Trainer {
  private readonly weights: tf.Variable[];
  /** Running statistics and the like: the forward pass itself changes them. */
  private readonly statistics: tf.Variable[];
  private readonly velocities: tf.Variable[];
  /** What a step changes: weights, velocities, statistics. */
  private readonly changed: tf.Variable[];
  private readonly names: string[];
  private readonly update: Compiled<TensorFunction>;

  constructor(
    private readonly model: tf.LayersModel,
    private readonly loss: Loss,
    private readonly options: Descent & CompileOptions,
  ) {
    this.weights = model.trainableWeights.map((weight) => weight.read() as tf.Variable);
    this.statistics = model.nonTrainableWeights.map((weight) => weight.read() as tf.Variable);
    this.velocities = this.weights.map((weight) => tf.tidy(() => tf.variable(tf.zerosLike(weight), false)));
    this.changed = [...this.weights, ...this.velocities, ...this.statistics];
    this.names = model.trainableWeights.map((weight) => weight.originalName); // tfjs numbers a second model's own names
    const { onEager, eager } = options;
    this.update = compile((input, target) => this.updated({ input, target }), { onEager, eager });
  }

  /** All that steps change: the weights, also those without a gradient (running statistics), and the velocities. */
  variables(): { name: string; variable: tf.Variable }[] {
    const weights = this.model.weights.map((weight, i) => ({
      name: `weights/${i}/${weight.originalName}`, // numbered, since layers of different sublayers may share a name
      variable: weight.read() as tf.Variable,
    }));
    const velocities = this.velocities.map((variable, i) => ({
      name: `velocities/${i}/${this.names[i]}`,
      variable,
    }));
    return [...weights, ...velocities];
  }

  /**
   * One step, unless something is not finite; then the model stays as it was. The loss may be finite where its gradient is
   * not, so both are looked at, and the logits.
   */
  step({ input, target }: Batch): StepResult {
    const [found, ...updated] = this.update(input, target, ...this.changed) as tf.Tensor[];
    try {
      const numbers = found.dataSync<'float32'>();
      const [loss, correct, maxAbsLogit, logitSquares] = numbers;
      const notFinite = numbers.every(Number.isFinite)
        ? undefined
        : this.describe({ input, target }, numbers);
      if (notFinite === undefined) this.changed.forEach((variable, i) => variable.assign(updated[i]));
      // A GPU's maximum may pass over a NaN, a sum cannot.
      return {
        loss,
        correct,
        count: target.size,
        maxAbsLogit: Number.isNaN(logitSquares) ? NaN : maxAbsLogit,
        notFinite,
      };
    } finally {
      tf.dispose([found, ...updated]);
    }
  }

  /**
   * A step as a pure function of the batch and the variables, which stay as they are.
   *
   * @returns numbers about the step, then the new values of weights, velocities and statistics. The numbers are one tensor, so that
   *   the device is read once: loss, logits on the right side of 0, largest |logit|, and sums of squares, of the logits
   *   and of each gradient. A sum is not finite if one of its terms is not.
   */
  private updated(batch: Batch): tf.Tensor[] {
    const { logits, loss, gradients, statistics } = this.evaluate(batch);
    // Float32 before the sum: TensorFlow adds integers on the host, for which a GPU would have to send them.
    const correct = tf.sum(
      tf.cast(tf.equal(tf.greater(logits, 0), tf.greater(batch.target, 0.5)), 'float32'),
    );
    const squares = [logits, ...gradients].map(halfSumOfSquares);
    const numbers = tf.stack([loss, correct, tf.max(tf.abs(logits)), ...squares]);
    logits.dispose();
    const next = descend(this.weights, this.velocities, gradients, this.options);
    return [numbers, ...next.weights, ...next.velocities, ...statistics];
  }

  /** The forward and the backward pass. The logits are the caller's to dispose. */
  private evaluate({ input, target }: Batch) {
    let logits!: tf.Tensor;
    const before = this.statistics.map((values) => values.clone()); // shares the memory, as long as nothing changes
    try {
      const { value: loss, grads } = tf.variableGrads(() => {
        const outputs = this.model.apply(input, { training: true }) as tf.Tensor;
        logits = tf.keep(tf.reshape(outputs, target.shape));
        return this.loss(logits, target);
      }, this.weights);
      const gradients = this.weights.map(({ name }) => grads[name]);
      return { logits, loss, gradients, statistics: this.statistics.map((values) => values.clone()) };
    } catch (error) {
      logits?.dispose(); // kept, and the loss has thrown
      throw error;
    } finally {
      this.statistics.forEach((values, i) => values.assign(before[i]));
      tf.dispose(before);
    }
  }

  /**
   * 'logits, loss, gradient of all 10 weights', or as much of it as is true; undefined if all is finite after all: a sum of
   * squares is infinite from numbers of 1e19 on. The step is computed once more for it, operation by operation.
   */
  private describe(batch: Batch, [loss, , maxAbsLogit, ...squares]: Float32Array): string | undefined {
    const finite = (values: tf.Tensor) => tf.all(tf.isFinite(values)).dataSync()[0] === 1;
    return tf.tidy(() => {
      const { logits, loss: again, gradients } = this.evaluate(batch);
      const broken = this.names.filter((_, i) => !finite(gradients[i]));
      const found = [
        ...(finite(logits) ? [] : ['logits']),
        ...(finite(again) ? [] : ['loss']),
        ...(broken.length === 0 ? [] : [`gradient of ${this.inWords(broken)}`]),
      ];
      logits.dispose();
      if (found.length > 0) return found.join(', ');
      // A model that draws random numbers may be finite the second time.
      const overflow = Number.isFinite(loss) && Number.isFinite(maxAbsLogit) && !squares.some(Number.isNaN);
      return overflow ? undefined : 'something that random numbers decide';
    });
  }

  /** A few weights by their names, many by their number. */
  private inWords(broken: string[]): string {
    const { length } = this.names;
    if (broken.length > 1 && broken.length === length) return `all ${length} weights`;
    return broken.length > 5 ? `${broken.length} of ${length} weights` : broken.join(', ');
  }

  /** Frees what the steps needed; the model stays. */
  dispose(): void {
    this.update.dispose();
    tf.dispose(this.velocities);
  }
}

/** One operation for any shape. May be infinite for finite values, from 1e19 on. */
const halfSumOfSquares = (values: tf.Tensor) => rawOp('L2Loss', [attribute.dtype('T', 'float32')], [values]);
