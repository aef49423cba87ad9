// The figures of notebooks/05-mnist-segmentation.ipynb.
import type { VegaLiteSpec } from '../display';
import { tf } from '../tf';
import { NOISE_COLORS } from './style';
import { FIRST_NAN_LOGITS } from './training';

export interface PixelLogits {
  /** amplitude of the noise in training */
  noise: number;
  /** of all pixels of some images */
  logits: Float32Array;
}

/** How the logits of all pixels are distributed, one curve per noise, in bins of width 1, next to the walls of float32. */
export function logitDistribution(all: readonly PixelLogits[]): VegaLiteSpec {
  const largest = all.map(({ noise, logits }) => {
    return { noise, maxAbsLogit: logits.reduce((max, logit) => Math.max(max, Math.abs(logit)), 0) };
  });
  const walls = [FIRST_NAN_LOGITS[0].value, -FIRST_NAN_LOGITS[1].value];
  const reached = largest.map((at) => `${at.maxAbsLogit.toFixed(1)} at noise ${at.noise}`);
  return {
    title: {
      text: `At the end of training |logit| reaches ${reached.join(', ')}`,
      subtitle:
        'Share of the pixels per bin, logarithmic. Dotted: from here on a float32 gradient is NaN (left: label 0, right: label 1).',
    },
    width: 560,
    height: 260,
    layer: [
      {
        data: { values: all.flatMap(sharesOf) },
        mark: { type: 'line', interpolate: 'step', tooltip: true },
        encoding: {
          x: { field: 'logit', type: 'quantitative', title: 'logit of a pixel' },
          y: {
            field: 'share',
            type: 'quantitative',
            title: 'share of the pixels',
            scale: { type: 'log' },
            axis: { format: '.0e', tickCount: 6 },
          },
          color: {
            field: 'noise',
            type: 'ordinal',
            title: 'noise',
            scale: { range: NOISE_COLORS },
          },
          strokeDash: {
            field: 'noise',
            type: 'ordinal',
            title: 'noise',
            scale: {
              range: [
                [1, 0],
                [7, 3],
                [2, 2],
              ],
            },
          },
        },
      },
      {
        data: { values: walls.map((wall) => ({ wall })) },
        mark: { type: 'rule', color: '#888888', strokeDash: [2, 2] },
        encoding: { x: { field: 'wall', type: 'quantitative' } },
      },
    ],
  };
}

/** The share of the pixels in each bin, at its middle; none for a bin without a pixel. */
function sharesOf({ noise, logits }: PixelLogits): { noise: number; logit: number; share: number }[] {
  const counts = new Map<number, number>();
  for (const logit of logits) counts.set(Math.floor(logit), (counts.get(Math.floor(logit)) ?? 0) + 1);
  const bins = [...counts].sort(([a], [b]) => a - b);
  return bins.map(([bin, count]) => ({ noise, logit: bin + 0.5, share: count / logits.length }));
}

/** Red, green and blue of `maskOverlay`, from the Okabe-Ito palette. */
const FOUND = [0, 0.62, 0.45];
const MISSED = [0, 0.45, 0.7];
const INVENTED = [0.84, 0.37, 0];

/**
 * The predicted mask, the pixels with logit > 0, laid over the images: green where it agrees with the target, orange where it
 * claims a pixel that the target has not, blue where it misses one. The image shows through.
 *
 * @param images  float32 [n, height, width, 1] in 0..1
 * @param logits  float32, same shape; a NaN is not > 0
 * @param labels  float32 of 0 and 1, same shape
 * @returns float32 [n, height, width, 3], for `imageGrid`
 */
export function maskOverlay(images: tf.Tensor4D, logits: tf.Tensor, labels: tf.Tensor): tf.Tensor4D {
  return tf.tidy(() => {
    const predicted = tf.greater(logits, 0);
    const target = tf.greater(labels, 0.5);
    const layers: [tf.Tensor, number[]][] = [
      [tf.logicalAnd(predicted, target), FOUND],
      [tf.logicalAnd(tf.logicalNot(predicted), target), MISSED],
      [tf.logicalAnd(predicted, tf.logicalNot(target)), INVENTED],
    ];
    const colored = layers.map(([mask, color]) => tf.mul(mask.toFloat(), tf.tensor1d(color)));
    const any = tf.logicalOr(predicted, target).toFloat();
    const shade = tf.sub(1, tf.mul(any, 0.75)); // a quarter of the image, and the color
    return tf.add(tf.mul(images, shade), tf.mul(tf.addN(colored), 0.75)) as tf.Tensor4D;
  });
}
