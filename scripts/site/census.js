// The table of the census: which rows are shown, and in which order. Without scripts all of them are there, as in the file.
const table = document.querySelector('table.census');
const form = document.querySelector('form.census');
const body = table.tBodies[0];
const search = form.querySelector('input');
const filters = [...form.querySelectorAll('select[data-key]')];
const sorting = form.querySelector('select[data-sort]');
const found = form.querySelector('output');

/** The rows with what they are searched and sorted by, in the order of the file. */
const rows = Array.from(body.rows, (element) => {
  const cells = new Map(Array.from(element.cells, (cell) => [cell.dataset.key, cell]));
  return { element, cells, text: simple(element.textContent) };
});

/** The column by which the table is sorted, and whether from the largest value down. */
const order = { key: 'one', descending: false };

for (const heading of table.tHead.rows[0].cells) {
  const button = document.createElement('button');
  button.type = 'button';
  button.append(...heading.childNodes);
  button.addEventListener('click', () => sortBy(heading.dataset.key));
  heading.append(button);
}
search.addEventListener('input', show);
for (const select of filters) select.addEventListener('change', show);
sorting.addEventListener('change', () => sortBy(sorting.value));
form.addEventListener('submit', (event) => event.preventDefault());
form.hidden = false;
sort();
show();

/** A second time in the other direction. */
function sortBy(key) {
  order.descending = order.key === key && !order.descending;
  order.key = key;
  sort();
}

function sort() {
  const { key, descending } = order;
  sorting.value = key;
  for (const heading of table.tHead.rows[0].cells) {
    if (heading.dataset.key !== key) heading.removeAttribute('aria-sort');
    else heading.setAttribute('aria-sort', descending ? 'descending' : 'ascending');
  }
  const sign = descending ? -1 : 1;
  body.append(...rows.toSorted((a, b) => sign * compare(a, b, key)).map(({ element }) => element));
}

/** Equal ones keep the order of the file. */
function compare(a, b, key) {
  const [one, other] = [a.cells.get(key), b.cells.get(key)];
  const [x, y] = [Number(one.dataset.value), Number(other.dataset.value)];
  if (Number.isNaN(x) || Number.isNaN(y))
    return one.textContent.localeCompare(other.textContent, 'en', { numeric: true });
  return x === y ? 0 : x - y;
}

/** Every word of the search has to be in the row, wherever. */
function show() {
  for (const { value, dataset } of filters) table.classList.toggle(`one-${dataset.key}`, value !== '');
  const words = simple(search.value).split(/\s+/).filter(Boolean);
  let count = 0;
  for (const { element, cells, text } of rows) {
    const chosen = filters.every(
      ({ value, dataset }) => value === '' || cells.get(dataset.key).textContent === value,
    );
    element.hidden = !(chosen && words.every((word) => text.includes(word)));
    if (!element.hidden) count++;
  }
  found.textContent = `${count} of ${rows.length} rows`;
}

/** For comparing what was typed with what is written: the minus sign of a keyboard finds the true one. */
function simple(text) {
  return text.toLowerCase().replaceAll('−', '-');
}
