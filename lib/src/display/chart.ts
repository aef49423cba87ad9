import * as vega from 'vega';
import { compile, type TopLevelSpec } from 'vega-lite';
import { displayBundle } from './bundle';
import { CHART_CONFIG } from './chartConfig';
import { svgToPng } from './png';

/** A Vega-Lite v5 specification: plain JSON. Its title, if there is one, states the finding. */
export type VegaLiteSpec = { title?: ChartTitle } & Record<string, unknown>;

type Lines = string | string[];
type ChartTitle = Lines | { text: Lines; subtitle?: Lines };

const MIME = 'application/vnd.vegalite.v5+json';
const SCHEMA = 'https://vega.github.io/schema/vega-lite/v5.json';

/** Vega-Lite's marks. For another one it fails without a word about it. */
export const MARKS: readonly string[] = [
  'arc',
  'area',
  'bar',
  'boxplot',
  'circle',
  'errorband',
  'errorbar',
  'geoshape',
  'image',
  'line',
  'point',
  'rect',
  'rule',
  'square',
  'text',
  'tick',
  'trail',
];

/**
 * Shows a chart: live in JupyterLab, a PNG of its initial state on pages that run no scripts, its title as text.
 *
 * @throws Error if a number in the specification is not finite (JSON knows neither NaN nor Infinity: the point would
 *   silently vanish), if a mark is none of Vega-Lite's, or if Vega-Lite objects to the specification
 */
export async function chart(spec: VegaLiteSpec): Promise<void> {
  const text = titleText(spec.title);
  const unknown = firstUnknownMark(spec, 'spec');
  if (unknown !== null)
    throw new Error(`chart: ${unknown.place} is '${unknown.mark}'; expected one of ${MARKS.join(', ')}`);
  const offending = firstNotFinite(spec, 'spec');
  if (offending !== null)
    throw new Error(
      `chart: ${offending.place} is ${offending.value}, which JSON turns into null and the chart drops; ` +
        'draw it as a mark, in a field of its own',
    );
  const live = {
    $schema: SCHEMA,
    ...spec,
    config: vega.mergeConfig(CHART_CONFIG as vega.Config, (spec.config ?? {}) as vega.Config),
  };
  const png = svgToPng(await renderSvg(live));
  displayBundle(
    { [MIME]: live, 'image/png': png.base64, 'text/plain': text },
    {
      metadata: {
        [MIME]: {
          embed_options: { actions: { export: true, source: false, compiled: false, editor: false } },
        },
        'image/png': { ...png.metadata, alt: text },
      },
    },
  );
}

async function renderSvg(spec: object): Promise<string> {
  const problems: string[] = [];
  let svg = '';
  try {
    const logger = collectingLogger(problems);
    const view = new vega.View(vega.parse(compile(spec as TopLevelSpec, { logger }).spec), {
      renderer: 'none',
      logger,
    });
    svg = await view.toSVG();
    view.finalize();
  } catch (error) {
    problems.push((error as Error).message);
  }
  if (problems.length > 0) throw new Error(`chart: Vega-Lite objects: ${problems.join('; ')}`);
  return svg;
}

/** Vega's default logger would print to the console, where nobody looks. */
function collectingLogger(problems: string[]): vega.LoggerInterface {
  const logger = vega.logger(vega.Warn);
  const collect = (...messages: readonly unknown[]): vega.LoggerInterface => {
    problems.push(messages.map(String).join(' '));
    return logger;
  };
  return Object.assign(logger, { error: collect, warn: collect });
}

function titleText(title: ChartTitle | undefined): string {
  const { text, subtitle = [] } =
    typeof title === 'object' && !Array.isArray(title) ? title : { text: title ?? '' };
  const [main, ...rest] = [text, subtitle].map((lines) => (Array.isArray(lines) ? lines.join(' ') : lines));
  return [main, ...rest].filter((line) => line.trim() !== '').join(': ') || 'a chart without a title';
}

/** The first mark, of the chart or one within it, that Vega-Lite does not have. */
function firstUnknownMark(
  spec: Record<string, unknown>,
  place: string,
): { place: string; mark: string } | null {
  const { mark } = spec;
  const type = typeof mark === 'object' && mark !== null ? (mark as { type?: unknown }).type : mark;
  if (typeof type === 'string' && !MARKS.includes(type)) return { place: `${place}.mark`, mark: type };
  for (const key of ['layer', 'concat', 'hconcat', 'vconcat', 'spec'])
    for (const [i, inner] of [spec[key] ?? []].flat().entries()) {
      const where = key === 'spec' ? `${place}.spec` : `${place}.${key}[${i}]`;
      const found = firstUnknownMark(inner as Record<string, unknown>, where);
      if (found !== null) return found;
    }
  return null;
}

interface Offending {
  place: string;
  value: number;
}

/** The first number in a JSON-like value that JSON cannot express. */
function firstNotFinite(value: unknown, place: string): Offending | null {
  if (typeof value === 'number') return Number.isFinite(value) ? null : { place, value };
  if (typeof value !== 'object' || value === null) return null;
  const inArray = Array.isArray(value) || ArrayBuffer.isView(value);
  for (const [key, child] of Object.entries(value)) {
    const found = firstNotFinite(child, inArray ? `${place}[${key}]` : `${place}.${key}`);
    if (found !== null) return found;
  }
  return null;
}
