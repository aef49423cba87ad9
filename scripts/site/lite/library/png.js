// In place of lib/src/display/png.ts. A worker cannot draw an SVG: the notebook shows it as it is.

const CHART = 'application/vnd.vegalite.v5+json';

/** Where the library puts a PNG, the SVG of which it was to be made. */
export const svgToPng = (svg) => ({ base64: { svg }, metadata: {} });

/** A MIME bundle with its picture as SVG; without it where a live chart is there, which the page draws itself. */
export function pictureAsSvg({ 'image/png': picture, ...data }) {
  if (picture === undefined || CHART in data) return data;
  return { 'image/svg+xml': picture.svg, ...data };
}

/** tf.node.encodePng: int32 [height, width, 3] as a PNG's bytes. */
export async function encodePng(image) {
  const [height, width] = image.shape;
  const rgb = await image.data();
  const pixels = Uint8ClampedArray.from({ length: height * width * 4 }, (_, i) =>
    i % 4 === 3 ? 255 : rgb[(i >> 2) * 3 + (i % 4)],
  );
  const canvas = new OffscreenCanvas(width, height);
  canvas.getContext('2d').putImageData(new ImageData(pixels, width, height), 0, 0);
  return new Uint8Array(await (await canvas.convertToBlob({ type: 'image/png' })).arrayBuffer());
}
