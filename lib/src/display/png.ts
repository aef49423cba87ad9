import { Resvg } from '@resvg/resvg-js';
import { FONT, FONT_FILES } from './font';

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
