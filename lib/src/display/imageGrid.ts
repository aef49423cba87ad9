import { tf } from '../tf';
import { displayBundle, escapeHtml } from './bundle';
import { FONT_FAMILY, textWidth } from './font';
import { NAN_COLOR } from './nanColor';
import { svgToPng } from './png';

export interface ImageGridOptions {
  /** Images per row. */
  columns?: number;
  /** CSS pixels per image pixel. */
  scale?: number;
  /** One below each image, or ''. */
  captions?: readonly string[];
}

/** Red, green and blue of a NaN, 0..255. */
const NAN_PIXEL = [1, 3, 5].map((at) => parseInt(NAN_COLOR.slice(at, at + 2), 16));
const GAP = 6;
const CAPTION_SIZE = 11;

/**
 * Shows images side by side as one PNG. Values are clipped to [0, 1]; a pixel that is NaN in any channel
 * has the color that NaN has everywhere.
 *
 * @param images  float32 [n, height, width] or [n, height, width, channels] with 1 (gray) or 3 (RGB) channels, 0..1;
 *   stays the caller's
 * @throws TypeError or RangeError if the images have another shape or type, if there is none, or if the number of
 *   captions differs from theirs
 */
export async function imageGrid(
  images: tf.Tensor3D | tf.Tensor4D,
  { columns = 10, scale = 2, captions }: ImageGridOptions = {},
): Promise<void> {
  const [n, height, width, channels = 1] = images.shape as number[];
  checkImages(images, channels);
  if (!Number.isInteger(columns) || columns < 1)
    throw new RangeError(`imageGrid: columns must be a positive integer, got ${columns}`);
  if (!(scale > 0) || !Number.isFinite(scale))
    throw new RangeError(`imageGrid: scale must be positive, got ${scale}`);
  if (captions !== undefined && captions.length !== n)
    throw new RangeError(`imageGrid: expected ${n} captions, one per image, got ${captions.length}`);

  const pixels = (await images.data()) as Float32Array;
  const pngs = await Promise.all(
    Array.from({ length: n }, (_, i) => {
      const size = height * width * channels;
      return encodePng(pixels.subarray(i * size, (i + 1) * size), height, width, channels);
    }),
  );
  const captionWidths = (captions ?? []).map((caption) => textWidth(caption, CAPTION_SIZE));
  const tileWidth = Math.max(width * scale, ...captionWidths);
  const tileHeight = height * scale + (captions === undefined ? 0 : CAPTION_SIZE * 1.5);
  const across = Math.min(n, columns);
  const down = Math.ceil(n / columns);

  const tiles = pngs.map((png, i) => {
    const x = GAP + (i % columns) * (tileWidth + GAP) + (tileWidth - width * scale) / 2;
    const y = GAP + Math.floor(i / columns) * (tileHeight + GAP);
    const image =
      `<image x="${x}" y="${y}" width="${width * scale}" height="${height * scale}" ` +
      `style="image-rendering:optimizeSpeed" href="data:image/png;base64,${png}"/>` +
      `<rect x="${x - 0.5}" y="${y - 0.5}" width="${width * scale + 1}" height="${height * scale + 1}" ` +
      `fill="none" stroke="#999999"/>`;
    if (captions === undefined) return image;
    const caption =
      `<text x="${x + (width * scale) / 2}" y="${y + height * scale + CAPTION_SIZE * 1.2}" text-anchor="middle" ` +
      `font-family="${FONT_FAMILY}" font-size="${CAPTION_SIZE}">${escapeHtml(captions[i])}</text>`;
    return image + caption;
  });
  const svg =
    `<svg xmlns="http://www.w3.org/2000/svg" width="${GAP + across * (tileWidth + GAP)}" ` +
    `height="${GAP + down * (tileHeight + GAP)}">${tiles.join('')}</svg>`;
  const { base64, metadata } = svgToPng(svg);
  const text = `${n} ${n === 1 ? 'image' : 'images'} of ${height}x${width}${channels === 3 ? ', RGB' : ''}`;
  const named = (captions ?? []).filter((caption) => caption !== '');
  const alt = named.length === 0 ? text : `${text}: ${named.join(', ')}`;
  displayBundle(
    { 'image/png': base64, 'text/plain': alt },
    { metadata: { 'image/png': { ...metadata, alt } } },
  );
}

function checkImages(images: tf.Tensor, channels: number): void {
  if (images.dtype !== 'float32')
    throw new TypeError(`imageGrid: images must be float32 in 0..1, got ${images.dtype}`);
  if ((images.rank !== 3 && images.rank !== 4) || images.size === 0 || (channels !== 1 && channels !== 3))
    throw new RangeError(
      `imageGrid: images must be [n, height, width] or [n, height, width, 1 or 3], got [${images.shape.join(', ')}]`,
    );
}

const byte = (value: number) => Math.round(255 * Math.min(1, Math.max(0, value)));

/** PNG of one image, as base64. */
async function encodePng(
  pixels: Float32Array,
  height: number,
  width: number,
  channels: number,
): Promise<string> {
  const rgb = new Int32Array(height * width * 3);
  for (let i = 0; i < height * width; i++) {
    const pixel = pixels.subarray(i * channels, (i + 1) * channels);
    const color = pixel.some(Number.isNaN) ? NAN_PIXEL : [0, 1, 2].map((c) => byte(pixel[c % channels]));
    rgb.set(color, i * 3);
  }
  const image = tf.tensor3d(rgb, [height, width, 3], 'int32');
  try {
    return Buffer.from(await tf.node.encodePng(image)).toString('base64');
  } finally {
    image.dispose();
  }
}
