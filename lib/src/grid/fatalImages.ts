import { breathe } from '../display';
import { tf } from '../tf';
import type { Sampler } from '../training/sampler';
import { GridBatches } from './batches';
import { LenetBatch } from './lenetBatch';
import type { GridOptions } from './options';
import type { PerParameter } from './parameters';
import type { FatalImages, GridRun } from './run';

/** One model when an epoch began. */
interface EpochStart {
  /** Weights and velocities are float32 [1, ...] by SHAPES. */
  weights: PerParameter<tf.Tensor>;
  velocities: PerParameter<tf.Tensor>;
  /** Before the epoch. */
  steps: number;
  /** With the order of the epoch. */
  sampler: Sampler;
}

/**
 * Which images ended a run that has diverged. Its weights are NaN by now, so it trains the epoch of the NaN once more, alone,
 * as far as the step before the fatal one. On a CPU with one thread that leads to the same weights to the last bit, as
 * `trainGrid` says; otherwise to those but for rounding. Then the fatal batch may have no such image, or the NaN may come
 * sooner, and nothing is known.
 */
export async function fatalImages(
  run: GridRun,
  { steps, sampler, ...start }: EpochStart,
  options: GridOptions,
): Promise<FatalImages> {
  const { batchSize } = options;
  const samples = options.images.shape[0];
  const fatalStep = run.diverged!.step;
  const batch = new LenetBatch([run], start, options);
  const batches = new GridBatches([run], options, sampler);
  const from = (first: number, order: Int32Array) => order.subarray(first, first + batchSize);
  /** Those images whose own derivative is not finite, the surest first. */
  const fatalOf = (indices: Int32Array, step: number): number[] =>
    tf.tidy(() => {
      const { images, labels } = batches.of(indices, step);
      const { logits, derivatives } = batch.derivatives(images, labels);
      const [x, d] = [logits, derivatives].map((values) => values.dataSync<'float32'>());
      const places = [...d.keys()].filter((i) => !Number.isFinite(d[i]));
      return places.sort((a, b) => Math.abs(x[b]) - Math.abs(x[a])).map((i) => indices[i]);
    });
  try {
    let first = 0;
    let before = 0;
    for (let step = steps + 1; step < fatalStep; step++, first += batchSize) {
      await breathe();
      const isLast = step === fatalStep - 1;
      before = tf.tidy(() => {
        const { images, labels } = batches.of(from(first, sampler.order), step);
        const found = batch.step(images, labels);
        return isLast ? tf.sum(found).dataSync()[0] : 0;
      });
    }
    if (!Number.isFinite(before)) return { fatalImage: null, batchBeyond: null, imagesBeyond: null };
    const [fatalImage = null, ...others] = fatalOf(from(first, sampler.order), fatalStep);
    const inOrder = Int32Array.from({ length: samples }, (_, i) => i);
    let imagesBeyond = 0;
    for (first = 0; first < samples; first += batchSize) {
      await breathe();
      imagesBeyond += fatalOf(from(first, inOrder), -first).length; // noise of its own, that of no step
    }
    return { fatalImage, batchBeyond: fatalImage === null ? 0 : 1 + others.length, imagesBeyond };
  } finally {
    batch.dispose();
    batches.dispose();
  }
}
