import seedrandom from 'seedrandom';
import { expecting } from './check';

/**
 * All that is random in a run: the order of the samples, afresh in every epoch, and the seeds of noise and augmentation. The
 * order does not depend on whether there is noise: the same seed gives the same batches with it and without.
 */
export class Sampler {
  readonly order: Int32Array;
  private random: seedrandom.prng;

  constructor(
    samples: number,
    private readonly seed: number,
  ) {
    this.order = Int32Array.from({ length: samples }, (_, i) => i);
    this.random = seedrandom(String(seed), { state: true });
  }

  /** Fisher and Yates: every order is equally likely. */
  shuffle(): void {
    const { order } = this;
    for (let i = order.length - 1; i > 0; i--) {
      const j = Math.floor(this.random() * (i + 1));
      [order[i], order[j]] = [order[j], order[i]];
    }
  }

  /** An integer for what is drawn for a batch: another at every step, and for every purpose. */
  batchSeed(purpose: 'noise' | 'augmentation', step: number): number {
    return seedrandom(`${this.seed} ${purpose} ${step}`).int32();
  }

  /** The generator's, as JSON; the order belongs to it, since each order is made from the previous one. */
  generator(): seedrandom.State {
    return this.random.state();
  }

  restore({ order, generator }: { order: ArrayLike<number>; generator: seedrandom.State }): void {
    this.order.set(order);
    this.random = seedrandom('', { state: generator });
  }
}

export interface StepOptions {
  /** Of the whole data. */
  samples: number;
  batchSize: number;
  /** That of the training, or its `orderSeed` where it has one. */
  seed: number;
}

/**
 * The samples in the batch of a step of `train` or `trainGrid`, which follow from the seed of the order alone.
 *
 * @param step  an integer >= 1; the first step of a training is 1
 * @returns their indices, in the order of the batch; at most `batchSize`
 * @throws RangeError for numbers out of range
 * @see notebooks/03-mnist-classification.ipynb
 */
export function samplesOfStep(step: number, { samples, batchSize, seed }: StepOptions): number[] {
  const expect = expecting('samplesOfStep');
  for (const [name, value] of Object.entries({ step, samples, batchSize }))
    expect(Number.isInteger(value) && value >= 1, name, value, 'an integer >= 1');
  expect(Number.isInteger(seed), 'seed', seed, 'an integer');
  const stepsPerEpoch = Math.ceil(samples / batchSize);
  const sampler = new Sampler(samples, seed);
  for (let epoch = 0; epoch <= Math.floor((step - 1) / stepsPerEpoch); epoch++) sampler.shuffle();
  const start = ((step - 1) % stepsPerEpoch) * batchSize;
  return Array.from(sampler.order.subarray(start, start + batchSize));
}
