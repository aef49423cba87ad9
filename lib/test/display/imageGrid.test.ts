import { outputOf } from './fakeKernel';
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { imageGrid, tf } from 'focal-loss-lab';
import type { ImageGridOptions } from 'focal-loss-lab/dist/display';
import { decodePng } from './decodePng';

async function grid(images: tf.Tensor, options: ImageGridOptions = {}) {
  const { data, metadata } = await outputOf(() => imageGrid(images as tf.Tensor4D, options));
  images.dispose();
  const { alt, ...size } = metadata['image/png'];
  return { text: data['text/plain'], size, alt, image: decodePng(data['image/png']) };
}

/** Two CSS pixels of gap and border precede the first image; two pixels are one CSS pixel. */
const GAP = 6;
const centerOf = (column: number, row: number, side: number) =>
  [column, row].map((i) => 2 * (GAP + i * (side + GAP)) + side) as [number, number];

describe('imageGrid', () => {
  test('images stand in rows, each pixel enlarged without blur', async () => {
    const { text, size, alt, image } = await grid(tf.tensor3d([0, 0.2, 0.6, 1, 0.4], [5, 1, 1]), {
      columns: 3,
      scale: 10,
    });
    assert.equal(text, '5 images of 1x1');
    assert.equal(alt, text, 'whoever cannot see the picture reads the same');
    assert.deepEqual(size, { width: GAP + 3 * (10 + GAP), height: GAP + 2 * (10 + GAP) });
    [0, 51, 153, 255, 102].forEach((gray, i) =>
      assert.deepEqual(image.at(...centerOf(i % 3, Math.floor(i / 3), 10)), [gray, gray, gray, 255]),
    );
    assert.deepEqual(image.at(...centerOf(2, 1, 10)), [255, 255, 255, 255], 'there is no sixth image');
  });

  test('neighbors do not mix', async () => {
    const { image } = await grid(tf.tensor3d([0, 1, 1, 0], [1, 2, 2]), { scale: 20 });
    const start = 2 * GAP;
    for (const x of [5, 35]) assert.equal(image.at(start + x, start + 5)[0], 0);
    for (const x of [45, 75]) assert.equal(image.at(start + x, start + 5)[0], 255);
  });

  test('colors are red, green, blue', async () => {
    const { text, image } = await grid(tf.tensor4d([1, 0.2, 0], [1, 1, 1, 3]), { scale: 10 });
    assert.deepEqual(image.at(...centerOf(0, 0, 10)), [255, 51, 0, 255]);
    assert.equal(text, '1 image of 1x1, RGB');
  });

  test('one channel may be named or not', async () => {
    const values = Array.from({ length: 12 }, (_, i) => i / 12);
    const [flat, deep] = [tf.tensor3d(values, [3, 2, 2]), tf.tensor4d(values, [3, 2, 2, 1])];
    const [a, b] = [await outputOf(() => imageGrid(flat)), await outputOf(() => imageGrid(deep))];
    tf.dispose([flat, deep]);
    assert.deepEqual(a, b);
  });

  test('values out of range are clipped, and NaN has the color of NaN', async () => {
    const { image } = await grid(tf.tensor3d([-3, 7, NaN, Infinity], [4, 1, 1]), { scale: 10 });
    const expected = [
      [0, 0, 0],
      [255, 255, 255],
      [0xb0, 0, 0x20],
      [255, 255, 255],
    ];
    expected.forEach((rgb, i) => assert.deepEqual(image.at(...centerOf(i, 0, 10)), [...rgb, 255]));
  });

  test('one NaN of three channels is enough', async () => {
    const { image } = await grid(tf.tensor4d([1, NaN, 0], [1, 1, 1, 3]), { scale: 10 });
    assert.deepEqual(image.at(...centerOf(0, 0, 10)), [0xb0, 0, 0x20, 255]);
  });

  test('captions are drawn, and are in the text', async () => {
    const white = () => tf.ones([2, 8, 8]);
    const blank = await grid(white(), { captions: ['', ''] });
    const { text, image } = await grid(white(), { captions: ['7 <1>', 'γ & ε'] });
    assert.ok(image.dark() > blank.image.dark() + 100);
    assert.equal(text, '2 images of 8x8: 7 <1>, γ & ε');
    assert.equal(blank.text, '2 images of 8x8');
  });

  test('keeps no tensor', async () => {
    const images = tf.zeros([3, 4, 4]) as tf.Tensor3D;
    const before = tf.memory().numTensors;
    await imageGrid(images, { captions: ['a', 'b', 'c'] });
    assert.equal(tf.memory().numTensors, before);
    images.dispose();
  });

  for (const [what, make, options, message] of [
    ['whole numbers', () => tf.zeros([1, 2, 2], 'int32'), {}, /^TypeError: imageGrid: .*float32.*int32/],
    ['a single image', () => tf.zeros([2, 2]), {}, /^RangeError: imageGrid: .*\[2, 2\]/],
    ['two channels', () => tf.zeros([1, 2, 2, 2]), {}, /^RangeError: imageGrid: .*\[1, 2, 2, 2\]/],
    ['no image', () => tf.zeros([0, 2, 2]), {}, /^RangeError: imageGrid: .*\[0, 2, 2\]/],
    ['a caption too few', () => tf.zeros([2, 2, 2]), { captions: ['a'] }, /^RangeError: .*2 captions/],
    ['no columns', () => tf.zeros([2, 2, 2]), { columns: 0 }, /^RangeError: .*columns/],
    ['no scale', () => tf.zeros([2, 2, 2]), { scale: 0 }, /^RangeError: .*scale/],
  ] as const)
    test(`${what}: refused by name`, async () => {
      const images = make() as tf.Tensor3D;
      await assert.rejects(imageGrid(images, options), (error) => message.test(String(error)));
      images.dispose();
    });
});
