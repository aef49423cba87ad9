import { addUniformNoise } from '../datasets';
import { tf } from '../tf';
import type { Sampler } from '../training/sampler';
import { gatherRows } from './kernels';
import type { GridOptions } from './options';
import type { GridModel } from './run';

/** Batches as the models of a grid see them: the images of all with the same noise, the labels of each by its threshold. */
export class GridBatches {
  /** float32 [n, 784] */
  private readonly pixels: tf.Tensor;
  /** int32 [models, 1, 1] */
  private readonly thresholds: tf.Tensor;

  /** @param sampler  knows the seeds of the noise */
  constructor(
    models: readonly GridModel[],
    private readonly options: GridOptions,
    private readonly sampler: Sampler,
  ) {
    this.pixels = tf.reshape(options.images, [options.images.shape[0], 784]);
    this.thresholds = tf.tensor3d(models.map(({ threshold }) => threshold), [models.length, 1, 1], 'int32'); // prettier-ignore
  }

  /**
   * Both belong to the enclosing tf.tidy.
   *
   * @param indices  of B images
   * @param step  whose noise they are under; no step of a training is < 1
   * @returns images, float32 [784, B], one a column; labels, float32 [models, 1, B]
   */
  of(indices: Int32Array, step: number): { images: tf.Tensor; labels: tf.Tensor } {
    const { digits, noise } = this.options;
    const chosen = tf.tensor1d(indices, 'int32');
    const clean = gatherRows(this.pixels, chosen);
    const input = noise > 0 ? addUniformNoise(clean, noise, this.sampler.batchSeed('noise', step)) : clean;
    const digit = tf.reshape(tf.gather(digits, chosen), [1, 1, indices.length]);
    return {
      images: tf.transpose(input),
      labels: tf.cast(tf.lessEqual(digit, this.thresholds), 'float32'),
    };
  }

  dispose(): void {
    tf.dispose([this.pixels, this.thresholds]);
  }
}
