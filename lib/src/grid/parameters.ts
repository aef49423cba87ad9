import { lenet } from '../models';
import { tf } from '../tf';

/** Shapes of one model's parameters, as PyTorch has them: outputs first, kernels as [filters, channels rows columns]. */
export const SHAPES = {
  conv1Kernel: [6, 25],
  conv1Bias: [6, 1],
  conv2Kernel: [16, 150],
  conv2Bias: [16, 1],
  dense1Kernel: [120, 256],
  dense1Bias: [120, 1],
  dense2Kernel: [84, 120],
  dense2Bias: [84, 1],
  logitKernel: [1, 84],
  logitBias: [1, 1],
} as const;

export type ParameterName = keyof typeof SHAPES;

/** One tensor or the like for each parameter. */
export type PerParameter<T> = Record<ParameterName, T>;

/** Calls f for each parameter, in the order of SHAPES. */
export function perParameter<T>(f: (name: ParameterName) => T): PerParameter<T> {
  const names = Object.keys(SHAPES) as ParameterName[];
  return Object.fromEntries(names.map((name) => [name, f(name)])) as PerParameter<T>;
}

/**
 * The initial weights that lenet draws from these seeds, model after model.
 *
 * @returns float32 [models, ...] by the shapes of SHAPES; the caller disposes them
 */
export function initialParameters(seeds: readonly number[]): PerParameter<tf.Tensor> {
  return tf.tidy(() => {
    const ofModels = seeds.map((seed) => {
      const model = lenet({ seed });
      try {
        return lenetParameters(model);
      } finally {
        model.dispose();
      }
    });
    return perParameter((name) => tf.stack(ofModels.map((parameters) => parameters[name])));
  });
}

/**
 * The weights of a lenet for 28x28x1, in the shapes of SHAPES. The caller disposes them.
 *
 * A tf.layers kernel has its inputs first: [rows, columns, channels, filters] or [inputs, outputs]; and the inputs of dense1
 * come from [4, 4, 16], channels last.
 */
export function lenetParameters(model: tf.LayersModel): PerParameter<tf.Tensor> {
  return tf.tidy(() => {
    const weights = model.getWeights().values();
    const next = () => weights.next().value as tf.Tensor;
    const conv = () => tf.transpose(next(), [3, 2, 0, 1]);
    const dense = () => tf.transpose(next());
    const bias = next;
    const inOrder = [
      conv(),
      bias(),
      conv(),
      bias(),
      tf.transpose(tf.reshape(next(), [4, 4, 16, 120]), [3, 2, 0, 1]),
      bias(),
      dense(),
      bias(),
      dense(),
      bias(),
    ].values();
    return perParameter((name) => tf.reshape(inOrder.next().value as tf.Tensor, [...SHAPES[name]]));
  });
}
