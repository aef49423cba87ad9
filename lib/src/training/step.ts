import { tf } from '../tf';
import { attribute, rawOp } from '../tf/rawOps';
import { MomentumDescent } from './momentum';

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
  private readonly names: string[];
  private readonly descent: MomentumDescent;

  constructor(
    private readonly model: tf.LayersModel,
    private readonly loss: Loss,
    options: { learningRate: number; momentum: number },
  ) {
    this.weights = model.trainableWeights.map((weight) => weight.read() as tf.Variable);
    this.statistics = model.nonTrainableWeights.map((weight) => weight.read() as tf.Variable);
    this.names = model.trainableWeights.map((weight) => weight.originalName); // tfjs numbers a second model's own names
    this.descent = new MomentumDescent(this.weights, options);
  }

  /** All that steps change: the weights, also those without a gradient (running statistics), and the velocities. */
  variables(): { name: string; variable: tf.Variable }[] {
    const weights = this.model.weights.map((weight, i) => ({
      name: `weights/${i}/${weight.originalName}`, // numbered, since layers of different sublayers may share a name
      variable: weight.read() as tf.Variable,
    }));
    const velocities = this.descent.velocities.map((variable, i) => ({
      name: `velocities/${i}/${this.names[i]}`,
      variable,
    }));
    return [...weights, ...velocities];
  }

  /**
   * One step, unless something is not finite; then the model stays as it was. The loss may be finite where its gradient is not, so both are looked at,
   * and the logits. To read from the device only once, it first reads sums of squares: a sum is not finite if one of its
   * terms is not.
   */
  step({ input, target }: Batch): StepResult {
    let logits: tf.Tensor | undefined;
    const before = this.statistics.map((values) => values.clone()); // shares the memory, as long as nothing changes
    const forward = () => {
      logits = tf.keep(tf.reshape(this.model.apply(input, { training: true }) as tf.Tensor, target.shape));
      return this.loss(logits, target);
    };
    try {
      return tf.tidy(() => {
        const { value, grads } = tf.variableGrads(forward, this.weights);
        const gradients = this.weights.map(({ name }) => grads[name]);
        const result = this.update(logits as tf.Tensor, target, value, gradients);
        if (result.notFinite !== undefined) this.statistics.forEach((values, i) => values.assign(before[i]));
        return result;
      });
    } finally {
      tf.dispose(before);
      logits?.dispose();
    }
  }

  private update(logits: tf.Tensor, target: tf.Tensor, loss: tf.Scalar, gradients: tf.Tensor[]) {
    // Float32 before the sum: TensorFlow adds integers on the host, for which a GPU would have to send them.
    const correct = tf.sum(tf.equal(tf.greater(logits, 0), tf.greater(target, 0.5)).toFloat());
    const sums = [logits, ...gradients].map(halfSumOfSquares);
    const numbers = tf.stack([loss, correct, tf.max(tf.abs(logits)), ...sums]).dataSync();
    const notFinite = numbers.every(Number.isFinite) ? undefined : this.describe(logits, loss, gradients);
    if (notFinite === undefined) this.descent.apply(gradients);
    const maxAbsLogit = Number.isNaN(numbers[3]) ? NaN : numbers[2]; // a GPU's maximum may pass over a NaN
    return { loss: numbers[0], correct: numbers[1], count: target.size, maxAbsLogit, notFinite };
  }

  /** 'logits, loss, gradient of all 10 weights', or as much of it as is true; undefined if all is finite after all. */
  private describe(logits: tf.Tensor, loss: tf.Tensor, gradients: tf.Tensor[]): string | undefined {
    const finite = (values: tf.Tensor) => tf.all(tf.isFinite(values)).dataSync()[0] === 1;
    const broken = this.names.filter((_, i) => !finite(gradients[i]));
    const weights = this.inWords(broken);
    const found = [
      ...(finite(logits) ? [] : ['logits']),
      ...(finite(loss) ? [] : ['loss']),
      ...(broken.length === 0 ? [] : [`gradient of ${weights}`]),
    ];
    return found.length === 0 ? undefined : found.join(', ');
  }

  /** A few weights by their names, many by their number. */
  private inWords(broken: string[]): string {
    const { length } = this.names;
    if (broken.length > 1 && broken.length === length) return `all ${length} weights`;
    return broken.length > 5 ? `${broken.length} of ${length} weights` : broken.join(', ');
  }

  /** Frees what the steps needed; the model stays. */
  dispose(): void {
    this.descent.dispose();
  }
}

/** One operation for any shape. May be infinite for finite values, from 1e19 on. */
const halfSumOfSquares = (values: tf.Tensor) => rawOp('L2Loss', [attribute.dtype('T', 'float32')], [values]);
