import { tf } from '../tf';

/** A scalar, the mean over the batch; logits and labels have the same shape. */
export type Loss = (logits: tf.Tensor, labels: tf.Tensor) => tf.Scalar;

interface NamedVariable {
  /** As in the model: 'conv1/kernel'. (tfjs adds a suffix to a variable's own name in a second model.) */
  name: string;
  variable: tf.Variable;
}

export interface StepResult {
  loss: number;
  /** Number of logits on the right side of 0, of `count`. */
  correct: number;
  count: number;
  maxAbsLogit: number;
  /** What was not finite; null if all was, and only then were the weights updated. */
  notFinite: string | null;
}

export function trainableVariables(model: tf.LayersModel): NamedVariable[] {
  return model.trainableWeights.map((weight) => ({
    name: weight.originalName,
    variable: weight.read() as tf.Variable,
  }));
}

/**
 * One step of gradient descent, unless something is not finite.
 *
 * A model whose loss is finite may have a gradient that is not, so each is looked at by itself. To read from the device
 * only once per step, it first reads sums: a sum is not finite if one of its terms is not.
 */
export function trainingStep(
  model: tf.LayersModel,
  variables: NamedVariable[],
  optimizer: tf.Optimizer,
  loss: Loss,
  { input, target }: { input: tf.Tensor; target: tf.Tensor },
): StepResult {
  let logits: tf.Tensor | undefined;
  const forward = () => {
    logits = tf.keep(tf.reshape(model.apply(input, { training: true }) as tf.Tensor, target.shape));
    return loss(logits, target);
  };
  try {
    return tf.tidy(() => {
      const { value, grads } = tf.variableGrads(
        forward,
        variables.map(({ variable }) => variable),
      );
      const gradients = variables.map(({ name, variable }) => ({ name, values: grads[variable.name] }));
      const watched = [logits as tf.Tensor, value, ...gradients.map(({ values }) => values)];
      const correct = tf.sum(tf.equal(tf.greater(logits as tf.Tensor, 0), tf.greater(target, 0.5)));
      const [lossValue, maxAbsLogit, correctCount, ...sums] = tf
        .stack([
          value,
          tf.max(tf.abs(logits as tf.Tensor)),
          correct.toFloat(),
          ...watched.map((values) => tf.sum(values)),
        ])
        .dataSync();
      const notFinite = sums.every(Number.isFinite)
        ? null
        : describeNotFinite(logits as tf.Tensor, value, gradients);
      if (notFinite === null) optimizer.applyGradients(grads);
      return { loss: lossValue, correct: correctCount, count: target.size, maxAbsLogit, notFinite };
    });
  } finally {
    logits?.dispose();
  }
}

/** 'logits, loss, gradient of all 10 weights', or as much of it as is true; null if all is finite after all. */
function describeNotFinite(
  logits: tf.Tensor,
  loss: tf.Tensor,
  gradients: { name: string; values: tf.Tensor }[],
): string | null {
  const allFinite = (values: tf.Tensor) => tf.all(tf.isFinite(values)).dataSync()[0] === 1;
  const broken = gradients.filter(({ values }) => !allFinite(values)).map(({ name }) => name);
  const weights = broken.length === gradients.length ? `all ${broken.length} weights` : broken.join(', ');
  const found = [
    ...(allFinite(logits) ? [] : ['logits']),
    ...(allFinite(loss) ? [] : ['loss']),
    ...(broken.length === 0 ? [] : [`gradient of ${weights}`]),
  ];
  return found.length === 0 ? null : found.join(', ');
}
