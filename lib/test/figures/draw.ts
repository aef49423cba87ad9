import assert from 'node:assert/strict';
import * as vega from 'vega';
import * as vegaLite from 'vega-lite';
import type { VegaLiteSpec } from 'focal-loss-lab';

/** Compiles and draws a specification; fails on any warning, and on an error while it is drawn. */
export async function draw(spec: VegaLiteSpec): Promise<{ svg: string; view: vega.View }> {
  const warnings: string[] = [];
  const logger = vega.logger(vega.Warn);
  logger.warn = logger.error = (...args: unknown[]) => {
    warnings.push(args.join(' '));
    return logger;
  };
  const topLevel = spec as unknown as vegaLite.TopLevelSpec;
  const compiled = vegaLite.compile(topLevel, { logger: logger as never }).spec;
  const view = new vega.View(vega.parse(compiled), { renderer: 'none', logger });
  const svg = await view.toSVG();
  assert.deepEqual(warnings, []);
  return { svg, view };
}

export const titleOf = ({ title }: VegaLiteSpec) =>
  [(title as { text: string | string[] }).text].flat().join(' ');

/** The texts in a drawing. */
export const textsIn = (svg: string) =>
  [...svg.matchAll(/<text[^>]*>([^<]*)<\/text>/g)].map(([, text]) => text);
