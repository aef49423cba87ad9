import { tf } from '../../tf';
import { attribute, rawOp } from '../../tf/rawOps';
import { differentiable } from './differentiable';

const FLOAT32 = attribute.dtype('T', 'float32');
const NHWC = attribute.text('data_format', 'NHWC');

/** Longest row for which a repeated bias is worth its making. */
const WIDEST_ROW = 4096;

/**
 * x + bias, the same for every position.
 *
 * A bias of a few channels is slow to add and to differentiate one position at a time, so whole rows are taken: with
 * the bias repeated along the row, both become a few long additions.
 *
 * @param x  float32 [..., positions, channels]
 * @param bias  float32 [channels]
 */
export function addBias(x: tf.Tensor, bias: tf.Tensor): tf.Tensor {
  return differentiable(
    {
      forward: (x, bias) => {
        const rows = asRows(x);
        const repeats = rows.shape[1] / bias.size;
        const wide = repeats === 1 ? bias : tf.tile(bias, [repeats]);
        return { value: tf.reshape(rawOp('BiasAdd', [FLOAT32, NHWC], [rows, wide]), x.shape), kept: [] };
      },
      gradient: (dy, [, bias]) => [dy, biasGradient(dy, bias.size)],
      composed: (x, bias) => tf.add(x, bias),
    },
    x,
    bias,
  );
}

/** [rows, positions * channels], or [all positions, channels] where that would be too wide. */
function asRows(x: tf.Tensor): tf.Tensor2D {
  const channels = x.shape[x.rank - 1];
  const width = x.rank > 2 ? x.shape[x.rank - 2] * channels : channels;
  const row = width <= WIDEST_ROW ? width : channels;
  return tf.reshape(x, [x.size / row, row]) as tf.Tensor2D;
}

function biasGradient(dy: tf.Tensor, channels: number): tf.Tensor {
  const sumOfRows = (rows: tf.Tensor) => rawOp('BiasAddGrad', [FLOAT32, NHWC], [rows]);
  const row = sumOfRows(asRows(dy));
  return row.size === channels ? row : sumOfRows(tf.reshape(row, [row.size / channels, channels]));
}
