// In place of lib/src/display/font.ts: the browser has fonts, and measures them.
import * as vega from 'vega';

export const FONT = 'DejaVu Sans';
export const FONT_FAMILY = `${FONT}, Verdana, sans-serif`;
export const FONT_FILES = [];

let context;

/** Width of a line of text, in the unit of `size`. */
export function textWidth(text, size, bold = false) {
  context ??= new OffscreenCanvas(1, 1).getContext('2d');
  context.font = `${bold ? 'bold ' : ''}${size}px ${FONT_FAMILY}`;
  return context.measureText(text).width;
}

vega.textMetrics.width = ({ fontSize = 11, fontWeight, limit = 0 }, text) => {
  const bold = fontWeight === 'bold' || Number(fontWeight) >= 600;
  const width = textWidth(String(text ?? '').trim(), fontSize, bold);
  return limit > 0 ? Math.min(width, limit) : width;
};
