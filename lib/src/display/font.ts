import path from 'node:path';
import opentype from 'opentype.js';
import * as vega from 'vega';

/** Its files come with the project; a browser that lacks it takes a font of about the same width. */
export const FONT = 'DejaVu Sans';
export const FONT_FAMILY = `${FONT}, Verdana, sans-serif`;

const FOLDER = path.join(path.dirname(require.resolve('dejavu-fonts-ttf/package.json')), 'ttf');
const REGULAR = path.join(FOLDER, 'DejaVuSans.ttf');
const BOLD = path.join(FOLDER, 'DejaVuSans-Bold.ttf');
export const FONT_FILES = [REGULAR, BOLD];

const loaded = new Map<string, opentype.Font>();

/** Width of a line of text, in the unit of `size`. */
export function textWidth(text: string, size: number, bold = false): number {
  const file = bold ? BOLD : REGULAR;
  const font = loaded.get(file) ?? opentype.loadSync(file);
  loaded.set(file, font);
  return font.getAdvanceWidth(text, size);
}

interface TextItem {
  fontSize?: number;
  fontWeight?: string | number;
  /** Maximal width; the rest is cut off. */
  limit?: number;
}

// Without a browser, Vega takes every character for 0.8 font sizes wide, and leaves room that is not needed.
const { textMetrics } = vega as unknown as {
  textMetrics: { width: (item: TextItem, text: unknown) => number };
};
textMetrics.width = ({ fontSize = 11, fontWeight, limit = 0 }, text) => {
  const bold = fontWeight === 'bold' || Number(fontWeight) >= 600;
  const width = textWidth(String(text ?? '').trim(), fontSize, bold);
  return limit > 0 ? Math.min(width, limit) : width;
};
