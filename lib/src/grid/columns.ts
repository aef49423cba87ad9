import { tf } from '../tf';
import { deviceIndices, gatherRows, sumSegments, type Segments } from './kernels';

const KERNEL = 5;
const TAPS = KERNEL ** 2;

/** What is convolved: images of size x size pixels. */
export interface Stage {
  /** Images that are convolved separately: channels, of all models. */
  channels: number;
  size: number;
  /** Whether the gradient by the images is wanted, too. */
  scatters: boolean;
}

/** Pixels of a side after a convolution. */
const convolved = (size: number) => size - KERNEL + 1;

/**
 * Convolution as a matrix product (im2col), for images that lie one pixel a row, with the batch along the row:
 *
 *   x  [channels size size, batch]
 *
 * A 5x5 convolution needs, at the pixel (i, j) of its result and for the tap (a, c) of the kernel, the pixel
 *
 *   (i + a, j + c)
 *
 * Gathered in the order [channel | a, c | i, j | batch] they are, without another move, the columns
 *
 *   [channels TAPS, convolved convolved batch]        convolved = size - 4
 *
 * that kernels [filters, channels TAPS] are multiplied with; the result is [filters, convolved convolved batch]. Since whole
 * rows are copied, of 64 numbers or so, this is fast.
 */
export class Columns {
  private readonly indices: tf.Tensor;
  private readonly transposed: Segments | undefined;

  constructor(private readonly stage: Stage) {
    const rows = rowsInOrder(stage);
    this.indices = deviceIndices(rows);
    if (stage.scatters) this.transposed = transpose(rows, stage);
  }

  /** What is kept on the device. */
  get tensors(): tf.Tensor[] {
    const { indices, transposed } = this;
    return transposed === undefined ? [indices] : [indices, transposed.rows, transposed.sums];
  }

  /** [channels size size, batch] -> [channels TAPS, convolved convolved batch] */
  gather(x: tf.Tensor): tf.Tensor {
    const { channels, size } = this.stage;
    return tf.reshape(gatherRows(x, this.indices), [channels * TAPS, convolved(size) ** 2 * x.shape[1]!]);
  }

  /** The transpose of `gather`, which is its gradient: each pixel gets the sum of its copies. */
  scatter(columns: tf.Tensor, batch: number): tf.Tensor {
    if (this.transposed === undefined) throw new Error('Columns.scatter: these columns only gather');
    return sumSegments(tf.reshape(columns, [this.indices.size, batch]), this.transposed);
  }

  dispose(): void {
    tf.dispose(this.tensors);
  }
}

/** Row of each pixel, in the order of the columns. */
function rowsInOrder({ channels, size }: Stage): Int32Array {
  const side = convolved(size);
  const rows = new Int32Array(channels * TAPS * side ** 2);
  let n = 0;
  for (let channel = 0; channel < channels; channel++)
    for (let a = 0; a < KERNEL; a++)
      for (let c = 0; c < KERNEL; c++)
        for (let i = 0; i < side; i++)
          for (let j = 0; j < side; j++) rows[n++] = channel * size ** 2 + (i + a) * size + (j + c);
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
