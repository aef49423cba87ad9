import path from 'node:path';
import { Resvg } from '@resvg/resvg-js';

/** Text looks the same in a notebook and in its PNGs where this font is installed; elsewhere the browser's own is near. */
export const FONT = 'DejaVu Sans';
export const FONT_FAMILY = `${FONT}, Verdana, sans-serif`;

const FONT_FOLDER = path.join(path.dirname(require.resolve('dejavu-fonts-ttf/package.json')), 'ttf');
const FONT_FILES = ['DejaVuSans.ttf', 'DejaVuSans-Bold.ttf', 'DejaVuSans-Oblique.ttf'].map((file) =>
  path.join(FONT_FOLDER, file),
);
/** Pixels per CSS pixel: sharp on dense screens. */
const RESOLUTION = 2;

/** A PNG for a MIME bundle, with the size in CSS pixels at which it is meant to be shown. */
export interface Png {
  base64: string;
  metadata: { width: number; height: number };
}

/** Draws an SVG on white, with our own font files only: text does not depend on what the machine has installed. */
export function svgToPng(svg: string): Png {
  const image = new Resvg(svg, {
    background: 'white',
    fitTo: { mode: 'zoom', value: RESOLUTION },
    font: { loadSystemFonts: false, fontFiles: FONT_FILES, defaultFontFamily: FONT, sansSerifFamily: FONT },
  }).render();
  return {
    base64: image.asPng().toString('base64'),
    metadata: { width: Math.round(image.width / RESOLUTION), height: Math.round(image.height / RESOLUTION) },
  };
}
