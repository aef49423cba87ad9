import { tf } from '../tf';
import { checkSchedule, expecting } from '../training/check';
import { LOSSES } from './settings';
import type { GridOptions } from './trainGrid';

/** @throws RangeError naming the first option that is not as trainGrid expects it */
export function checkOptions(options: GridOptions): void {
  const { images, digits, models } = options;
  const expect = expecting('trainGrid');
  checkSchedule(expect, options);

  expect(images.dtype === 'float32', 'the dtype of images', images.dtype, 'float32');
  const [n, ...size] = images.shape;
  expect(n >= 1 && size.join() === '28,28,1', 'the shape of images', `[${images.shape.join(', ')}]`, '[n, 28, 28, 1]'); // prettier-ignore
  const [low, high] = tf.tidy(() => tf.stack([tf.min(images), tf.max(images)]).dataSync());
  expect(low >= 0 && high <= 1, 'a pixel', low < 0 ? low : high, 'a number in 0..1');
  const test = options.testImages;
  if (test !== undefined)
    expect(test.dtype === 'float32' && test.shape.slice(1).join() === '28,28,1', 'the shape of testImages', `${test.dtype} [${test.shape.join(', ')}]`, 'float32 [n, 28, 28, 1]'); // prettier-ignore
  expect(digits.dtype === 'int32', 'the dtype of digits', digits.dtype, 'int32');
  expect(digits.shape.join() === `${n}`, 'the shape of digits', `[${digits.shape.join(', ')}]`, `[${n}], one per image`); // prettier-ignore
  const areDigits = tf.tidy(() => tf.all(tf.logicalAnd(tf.greaterEqual(digits, 0), tf.lessEqual(digits, 9))).dataSync()[0]); // prettier-ignore
  expect(areDigits === 1, 'a digit', 'not in 0..9', 'MNIST labels');

  expect(models.length >= 1, 'the number of models', models.length, 'at least 1');
  models.forEach(({ loss, gamma, alpha, epsilon, threshold }, i) => {
    const ofModel = (name: string) => `${name} of model ${i}`;
    expect(LOSSES.includes(loss), ofModel('loss'), loss, LOSSES.join(', '));
    expect(Number.isFinite(gamma) && gamma >= 0, ofModel('gamma'), gamma, 'a finite number >= 0');
    expect(Number.isFinite(alpha) && alpha >= 0 && alpha <= 1, ofModel('alpha'), alpha, 'a number in [0, 1]');
    expect(Number.isFinite(epsilon) && epsilon > 0, ofModel('epsilon'), epsilon, 'a finite number > 0');
    const inRange = Number.isInteger(threshold) && threshold >= 0 && threshold <= 8;
    expect(inRange, ofModel('threshold'), threshold, 'an integer in 0..8');
  });
}
