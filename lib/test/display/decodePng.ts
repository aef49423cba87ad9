import { tf } from 'focal-loss-lab';

/** RGBA pixel at column x, row y. */
export interface Pixels {
  width: number;
  height: number;
  at(x: number, y: number): number[];
  /** Number of pixels whose red, green and blue are all below 128. */
  dark(): number;
}

export function decodePng(base64: unknown): Pixels {
  const bytes = Buffer.from(base64 as string, 'base64');
  const signature = bytes.subarray(0, 8).toString('hex');
  if (signature !== '89504e470d0a1a0a') throw new Error(`no PNG: begins with ${signature}`);
  const image = tf.node.decodePng(bytes, 4);
  const [height, width] = image.shape;
  const rgba = image.dataSync();
  image.dispose();
  const at = (x: number, y: number) =>
    Array.from(rgba.subarray(4 * (y * width + x), 4 * (y * width + x) + 4));
  const dark = () => {
    let count = 0;
    for (let i = 0; i < rgba.length; i += 4) if (Math.max(rgba[i], rgba[i + 1], rgba[i + 2]) < 128) count++;
    return count;
  };
  return { width, height, at, dark };
}
