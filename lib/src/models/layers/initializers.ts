import seedrandom from 'seedrandom';
import { tf } from '../../tf';

type Initializer = ReturnType<typeof tf.initializers.zeros>;

/** Makers of random initial weights, each with a seed of its own. */
export interface SeededInitializers {
  /** PyTorch's default of a layer: U(-b, b) with b = 1 / sqrt(fanIn). */
  uniform(fanIn: number): Initializer;
  normal(standardDeviation: number): Initializer;
}

/** @param seed  the same seed gives the same weights in the same order; without it they differ from call to call */
export function seededInitializers(seed?: number): SeededInitializers {
  const random = seedrandom(seed?.toString());
  const nextSeed = () => 1 + random.quick(); // tfjs takes 0 for "no seed"
  return {
    uniform: (fanIn) => {
      const bound = 1 / Math.sqrt(fanIn);
      return tf.initializers.randomUniform({ minval: -bound, maxval: bound, seed: nextSeed() });
    },
    normal: (stddev) => tf.initializers.randomNormal({ stddev, seed: nextSeed() }),
  };
}
