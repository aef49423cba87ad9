import { tf } from '../tf';
import { deviceIndices, gatherRows, sumSegments, type Segments } from './kernels';

const KERNEL = 5;
export const TAPS = KERNEL ** 2;

/** Images of this many pixels a side: `size` before a convolution, `pooled` after it and the pool. */
export interface Stage {
  /** Images that are convolved separately: channels, of all models. */
  channels: number;
  size: number;
  pooled: number;
}

/**
 * Convolution as a matrix product (im2col), for images that lie one pixel a row, with the batch along the row:
 *
 *   x  [channels size size, batch]
 *
 * A 5x5 convolution and the 2x2 pool after it need, for the window at (i, j), the place (dy, dx) in the window and the tap
 * (a, c) of the kernel, the pixel
 *
 *   (2 i + dy + a, 2 j + dx + c)
 *
 * Gathered in the order [dx, dy | channel | a, c | i, j | batch] they are, without another move, the columns
 *
 *   [4, channels TAPS, pooled pooled batch]
 *
 * that kernels [filters, channels TAPS] are multiplied with; the result is [4, filters, pooled pooled batch], pooled by the
 * maximum over its first axis. Since whole rows are copied, of 64 numbers or so, this is fast.
 */
export class Columns {
  private readonly indices: tf.Tensor;
  private transposed: Segments | undefined;

  constructor(private readonly stage: Stage) {
    this.indices = deviceIndices(rowsInOrder(stage));
  }

  /** [channels size size, batch] -> [4, channels TAPS, pooled pooled batch] */
  gather(x: tf.Tensor): tf.Tensor {
    const { channels, pooled } = this.stage;
    return tf.reshape(gatherRows(x, this.indices), [4, channels * TAPS, pooled ** 2 * x.shape[1]!]);
  }

  /** The transpose of `gather`, which is its gradient: each pixel gets the sum of its copies. */
  scatter(columns: tf.Tensor, batch: number): tf.Tensor {
    this.transposed ??= transpose(rowsInOrder(this.stage), this.stage);
    return sumSegments(tf.reshape(columns, [this.indices.size, batch]), this.transposed);
  }

  dispose(): void {
    tf.dispose([this.indices, ...(this.transposed ? [this.transposed.rows, this.transposed.sums] : [])]);
  }
}

/** Row of each pixel, in the order of the columns. */
function rowsInOrder({ channels, size, pooled }: Stage): Int32Array {
  const rows = new Int32Array(4 * channels * TAPS * pooled ** 2);
  let n = 0;
  for (let dx = 0; dx < 2; dx++)
    for (let dy = 0; dy < 2; dy++)
      for (let channel = 0; channel < channels; channel++)
        for (let a = 0; a < KERNEL; a++)
          for (let c = 0; c < KERNEL; c++)
            for (let i = 0; i < pooled; i++)
              for (let j = 0; j < pooled; j++)
                rows[n++] = channel * size ** 2 + (2 * i + dy + a) * size + (2 * j + dx + c);
  return rows;
}

/** For each pixel the places of its copies, found by counting (a counting sort). */
function transpose(rowOfCopy: Int32Array, { channels, size }: Stage): Segments {
  const count = channels * size ** 2;
  const next = new Int32Array(count + 1); // where the copies of a pixel begin, then where its next one goes
  for (const row of rowOfCopy) next[row + 1]++;
  for (let row = 0; row < count; row++) next[row + 1] += next[row];
  const rows = new Int32Array(rowOfCopy.length);
  const sums = new Int32Array(rowOfCopy.length);
  rowOfCopy.forEach((row, copy) => {
    rows[next[row]] = copy;
    sums[next[row]++] = row;
  });
  return { rows: deviceIndices(rows), sums: deviceIndices(sums), count };
}
