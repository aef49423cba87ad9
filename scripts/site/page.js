// What a page does once it is there: formulas, and live charts in place of their pictures. No module: a browser loads
// none from a file.
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
  try {
    await vegaEmbed(chart, { description: picture.alt, ...spec }, { ...options, renderer: 'svg' });
    picture.replaceWith(chart);
  } catch (error) {
    console.error(`chart "${picture.alt}":`, error);
  }
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
