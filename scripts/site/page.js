// What a page does once it is there: formulas, and live charts in place of their pictures. No module: a browser loads
// none from a file.
/** CSS pixels. Below, a chart is drawn for a phone. */
const NARROW = 600;
/** What the labels and the title of an axis take on a phone, and the menu of a chart; more where the labels are long. */
const NEXT_TO_PLOT = 150;
const NARROWEST_PLOT = 160;
/** vega-embed's, to the right of a chart. */
const MENU = 38;

renderMathInElement(document.querySelector('main'), {
  delimiters: [
    { left: '$$', right: '$$', display: true },
    { left: '$', right: '$', display: false },
    ...['aligned', 'align', 'align*', 'equation', 'equation*'].map((name) => ({
      left: `\\begin{${name}}`,
      right: `\\end{${name}}`,
      display: true,
    })),
  ],
});
const widths = new ResizeObserver((changes) => changes.forEach(({ target }) => tellWidth(target)));
document.querySelectorAll('.chart, main table').forEach((box) => widths.observe(box));
document.querySelectorAll('.chart').forEach(drawChart);
const run = document.querySelector('.run');
if (run && location.protocol === 'file:')
  run.append(
    ' (This needs a server: ',
    code('python3 -m http.server --directory site'),
    ', then http://localhost:8000.)',
  );

/** Where it fails, the picture stays. */
async function drawChart(figure) {
  const picture = figure.querySelector('img');
  const { spec, options } = JSON.parse(figure.querySelector('script').textContent);
  const chart = document.createElement('div');
  const width = figure.clientWidth;
  const draw = (drawn) =>
    vegaEmbed(chart, { description: picture.alt, ...drawn }, { ...options, renderer: 'svg' });
  try {
    if (width < NARROW) {
      await draw(forPhone(spec, width, width - NEXT_TO_PLOT));
      const tooWide = Number(chart.querySelector('svg').getAttribute('width')) + MENU - width;
      const narrower = Math.max(width - NEXT_TO_PLOT - Math.ceil(tooWide), NARROWEST_PLOT);
      if (tooWide > 0) await draw(forPhone(spec, width, narrower));
    } else await draw(spec);
    picture.replaceWith(chart);
  } catch (error) {
    console.error(`chart "${picture.alt}":`, error);
  }
}

/**
 * A chart in one column: panels one below the other and at most `plot` wide, the legend below, titles in short lines. What has
 * a width of its own, such as long names, goes on to the right.
 */
function forPhone(spec, width, plot) {
  const config = {
    ...spec.config,
    axisX: { labelSeparation: 6, ...spec.config?.axisX }, // labels that would touch are left out
    title: { ...spec.config?.title, frame: 'bounds' },
    legend: { ...spec.config?.legend, orient: 'bottom', columns: 1 },
  };
  return { ...stacked(spec, width, plot), config };
}

function stacked({ hconcat = [], vconcat = [], concat = [], ...view }, width, plot) {
  delete view.columns; // of concat
  const panels = [...vconcat, ...[...hconcat, ...concat].map(withOwnAxis)].map((panel) =>
    stacked(panel, width, plot),
  );
  const isDrawing = view.encoding?.x?.axis === null; // of boxes and arrows, which would overlap
  return {
    ...view,
    ...(view.title && { title: shortTitle(view.title, width - MENU) }),
    ...(view.width && !isDrawing && { width: view.width < plot ? view.width : plot }),
    ...(panels.length && { vconcat: panels }),
  };
}

/** Side by side, only the first panel has names at its rows. */
function withOwnAxis(panel) {
  const y = panel.encoding?.y;
  if (y?.axis?.labels !== false) return panel;
  return { ...panel, encoding: { ...panel.encoding, y: { ...y, axis: {} } } };
}

function shortTitle(title, width) {
  const { text, subtitle, ...rest } =
    typeof title === 'object' && !Array.isArray(title) ? title : { text: title };
  const lines = (all, letter) => [all].flat().flatMap((line) => wrapped(line, Math.floor(width / letter)));
  return { ...rest, text: lines(text, 9.5), ...(subtitle && { subtitle: lines(subtitle, 7.5) }) };
}

/** Lines of no more letters than fit, broken between words. */
function wrapped(line, letters) {
  const lines = [''];
  for (const word of line.split(' ')) {
    const longer = `${lines.at(-1)} ${word}`.trim();
    if (longer.length <= letters || lines.at(-1) === '') lines[lines.length - 1] = longer;
    else lines.push(word);
  }
  return lines;
}

/** A phone shows no scroll bar: page.css puts a line over what goes on to the right. */
function tellWidth(box) {
  box.classList.toggle('wider', box.scrollWidth > box.clientWidth);
}

function code(text) {
  const element = document.createElement('code');
  element.textContent = text;
  return element;
}
