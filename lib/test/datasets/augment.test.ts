import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import { normalize, randomResizedCrop, tf } from 'focal-loss-lab';
import { drawCrop, resizeCrops } from 'focal-loss-lab/dist/datasets/augment';
import seedrandom from 'seedrandom';
import { expectClose } from '../expectClose';

// From lib/dist/test/datasets; by scripts/fixtures/resized_crop_torch.py, which says what it is.
const FIXTURE = path.join(__dirname, '..', '..', '..', 'test', 'fixtures', 'resized-crop-torch.json');

const SCALE = [0.08, 1] as const;
const RATIO = [3 / 4, 4 / 3] as const;

/** Lehmer's generator, in (0, 1): the numbers of the script. */
function noise(shape: [number, number, number, number]): tf.Tensor4D {
  let state = 1;
  const values = Array.from(
    { length: shape.reduce((product, n) => product * n) },
    () => (state = (state * 48271) % 2147483647) / 2147483647,
  );
  return tf.tensor4d(values, shape);
}

describe('normalize', () => {
  test('by mean 0.5 and std 0.5 takes 0..1 to -1..1, exactly at both ends and in the middle', () => {
    const before = tf.memory().numTensors;
    const images = tf.tensor([0, 0.25, 0.5, 1], [1, 2, 2, 1]);
    const result = normalize(images, { mean: 0.5, std: 0.5 });
    assert.deepEqual(Array.from(result.dataSync()), [-1, -0.5, 0, 1]);
    assert.deepEqual([result.shape, result.dtype], [[1, 2, 2, 1], 'float32']);
    assert.equal(tf.memory().numTensors, before + 2);
    tf.dispose([images, result]);
  });

  test('refuses a std that is not positive, and what is no number', () => {
    const images = tf.zeros([1]);
    assert.throws(() => normalize(images, { mean: 0, std: 0 }), /normalize: std is 0; expected .* > 0/);
    assert.throws(
      () => normalize(images, { mean: NaN, std: 1 }),
      /normalize: mean is NaN; expected a finite/,
    );
    images.dispose();
  });
});

describe('the crops that are drawn', () => {
  const HEIGHT = 1000; // so large that rounding to pixels does not show
  const draws = (scale: readonly [number, number], count = 20_000) => {
    const random = seedrandom('1');
    return Array.from({ length: count }, () => drawCrop(HEIGHT, HEIGHT, scale, RATIO, random));
  };

  /** Largest distance between the distribution of values and the uniform one on [0, 1] (Kolmogorov and Smirnov). */
  const distanceFromUniform = (values: number[]) =>
    Math.max(
      ...values
        .slice()
        .sort((a, b) => a - b)
        .map((value, i) =>
          Math.max(Math.abs(value - i / values.length), Math.abs(value - (i + 1) / values.length)),
        ),
    );
  const CRITICAL = 1.95 / Math.sqrt(20_000); // exceeded by chance once in 1,000 seeds

  test('lie inside the image, and keep to the bounds of area and aspect', () => {
    for (const { top, left, height, width } of draws(SCALE)) {
      assert.ok([top, left, height, width].every(Number.isInteger));
      assert.ok(top >= 0 && left >= 0 && top + height <= HEIGHT && left + width <= HEIGHT);
      const area = (height * width) / HEIGHT ** 2;
      assert.ok(area > 0.08 - 0.001 && area <= 1, `area ${area}`);
      assert.ok(width / height > 0.75 - 0.005 && width / height < 4 / 3 + 0.005, `aspect ${width / height}`);
    }
  });

  // Up to area 0.5 every shape fits, since 0.5 * 4/3 < 1: nothing is redrawn, and each distribution is the plain one.
  const small = draws([0.08, 0.5]);

  test('have uniform areas', () => {
    const areas = small.map(({ height, width }) => ((height * width) / HEIGHT ** 2 - 0.08) / 0.42);
    assert.ok(distanceFromUniform(areas) < CRITICAL + 0.003, `${distanceFromUniform(areas)}`); // rounding: 0.003
  });

  test('have uniform logarithms of width / height: wide and tall are equally likely', () => {
    const aspects = small.map(
      ({ height, width }) => Math.log((width / height) * (4 / 3)) / Math.log((4 / 3) ** 2),
    );
    assert.ok(distanceFromUniform(aspects) < CRITICAL + 0.004, `${distanceFromUniform(aspects)}`);
  });

  test('are anywhere with equal probability, flush with either border included', () => {
    for (const along of ['top', 'left'] as const) {
      const places = small.map((crop) => {
        const room = HEIGHT - (along === 'top' ? crop.height : crop.width);
        return (crop[along] + 0.5) / (room + 1);
      });
      assert.ok(distanceFromUniform(places) < CRITICAL + 0.003, `${along}: ${distanceFromUniform(places)}`);
    }
    const random = seedrandom('2');
    const tops = Array.from({ length: 1000 }, () => drawCrop(4, 4, [0.5, 0.6], [1, 1], random).top); // 3 of 4 pixels
    assert.deepEqual([...new Set(tops)].sort(), [0, 1]);
  });

  test('of whole images too wide or too tall for the ratio are their largest central part', () => {
    const whole = (height: number, width: number) => drawCrop(height, width, [1, 1], RATIO, seedrandom('1'));
    assert.deepEqual(whole(30, 100), { top: 0, left: 30, height: 30, width: 40 });
    assert.deepEqual(whole(100, 30), { top: 30, left: 0, height: 40, width: 30 });
  });
});

describe('resizeCrops', () => {
  const torch: {
    shape: [number, number, number, number];
    crops: { top: number; left: number; height: number; width: number }[];
    results: { size: number; pixels: number[][] }[];
  } = JSON.parse(readFileSync(FIXTURE, 'utf8'));

  for (const { size, pixels } of torch.results)
    test(`agrees with PyTorch at size ${size}, enlarging and reducing`, () => {
      const images = noise(torch.shape);
      const result = tf.tidy(() => resizeCrops(images, torch.crops, size).dataSync());
      expectClose(result, pixels.flat(), { absolute: 2e-6 }); // pixels up to 1: 32 steps of float32 below 1
      images.dispose();
    });

  test('takes nothing from outside the crop', () => {
    const images = noise([1, 8, 8, 1]);
    const crop = { top: 2, left: 3, height: 4, width: 3 };
    const outside = tf.tidy(() => {
      const inside = tf.pad(tf.ones([1, 4, 3, 1]), [[0, 0], [2, 2], [3, 2], [0, 0]]); // prettier-ignore
      return tf.add(images, tf.mul(tf.sub(1, inside), 1000)) as tf.Tensor4D;
    });
    for (const size of [2, 20])
      tf.tidy(() =>
        assert.deepEqual(
          resizeCrops(outside, [crop], size).dataSync(),
          resizeCrops(images, [crop], size).dataSync(),
        ),
      );
    tf.dispose([images, outside]);
  });
});

describe('randomResizedCrop', () => {
  const crop = (images: tf.Tensor4D, seed: number, size = 224) =>
    tf.tidy(() => randomResizedCrop(images, { size, seed }).dataSync());

  test('of the whole image at its own size is the image, to the last bit', () => {
    const images = noise([4, 32, 32, 3]);
    const result = randomResizedCrop(images, { size: 32, seed: 1, scale: [1, 1], ratio: [1, 1] });
    assert.deepEqual(result.dataSync(), images.dataSync());
    tf.dispose([images, result]);
  });

  test('gives every image of a batch a crop of its own', () => {
    const images = tf.tidy(() => tf.tile(noise([1, 32, 32, 3]), [8, 1, 1, 1]));
    const result = randomResizedCrop(images, { size: 16, seed: 1 });
    const rows = result.reshape([8, 16 * 16 * 3]);
    assert.equal(new Set((rows.arraySync() as number[][]).map((row) => row.join())).size, 8);
    tf.dispose([images, result, rows]);
  });

  test('keeps values within those of the image', () => {
    const images = tf.fill([16, 32, 32, 3], 0.7) as tf.Tensor4D;
    expectClose(crop(images, 1), new Float32Array(16 * 224 * 224 * 3).fill(0.7), { relative: 1e-6 });
    images.dispose();
  });

  test('is determined by its seed', () => {
    const images = noise([4, 32, 32, 3]);
    assert.deepEqual(crop(images, 5, 16), crop(images, 5, 16));
    const seeds = [0, 1, -1, 2 ** 40, Number.MAX_SAFE_INTEGER];
    assert.equal(new Set(seeds.map((seed) => crop(images, seed, 16).join())).size, seeds.length);
    images.dispose();
  });

  test('leaves its input alone, and one tensor behind, of any number of channels', () => {
    const images = noise([2, 20, 30, 1]);
    const original = images.dataSync().slice();
    const before = tf.memory().numTensors;
    const result = randomResizedCrop(images, { size: 24, seed: 1 });
    assert.equal(tf.memory().numTensors, before + 1);
    assert.deepEqual([result.shape, result.dtype], [[2, 24, 24, 1], 'float32']);
    assert.deepEqual(images.dataSync(), original);
    tf.dispose([images, result]);
  });

  test('refuses options out of range, naming them', () => {
    const images = tf.zeros([1, 8, 8, 3]) as tf.Tensor4D;
    const before = tf.memory().numTensors;
    const attempt = (options: object) => () => randomResizedCrop(images, { size: 8, seed: 1, ...options });
    assert.throws(attempt({ size: 0 }), /randomResizedCrop: size is 0; expected an integer >= 1/);
    assert.throws(attempt({ seed: 0.5 }), /seed is 0.5; expected an integer/);
    assert.throws(attempt({ scale: [0, 1] }), /scale is \[0, 1\]; expected/);
    assert.throws(attempt({ scale: [0.5, 1.1] }), /scale is \[0.5, 1.1\]/);
    assert.throws(attempt({ ratio: [2, 1] }), /ratio is \[2, 1\]/);
    assert.throws(attempt({ ratio: [1, NaN] }), /ratio is \[1, NaN\]/);
    assert.equal(tf.memory().numTensors, before);
    images.dispose();
  });
});
