import seedrandom from 'seedrandom';

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
