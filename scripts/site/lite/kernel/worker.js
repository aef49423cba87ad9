// The kernel: runs the cells of one notebook in a worker, so that the page stays alive, and a loop without end can be
// stopped. It is told { type: 'start' | 'execute' | 'complete' | 'interrupt' }; what it tells is in extension.js.
import inspect from 'object-inspect';
import { compileCell, EXTREME, IMPORT, PUBLISH } from './compile.js';
import { stopHandlers } from '../library/process.js';

const GRACE_MS = 1000; // from Stop until a cell that does not end itself is given up
const TOGETHER_MS = 50; // what is printed faster is told once in that time
const GIVEN_UP =
  'given up; what the cell has begun may go on until its next breathe(): restart the kernel to be sure';

/** By the name by which a cell imports it: the address of a bundle. */
const libraries = { 'focal-loss-lab': new URL('focal-loss-lab.js', import.meta.url).href };
/** By the number of a cell, how many lines it has. */
const lines = new Map();
/** The cell that runs, or ran last. */
let cell = null;

/** What was printed before comes before. */
function tell(message) {
  tellPrinted();
  self.postMessage(message);
}

const handlers = { start, execute, complete, interrupt };
self.addEventListener('message', ({ data: { type, ...content } }) => handlers[type](content));

for (const address of Object.values(libraries)) import(address).catch(() => undefined); // ready when it is asked for

function start({ files }) {
  globalThis.__files = files;
}

async function execute({ id, code, count }) {
  cell = { id, declared: [] };
  // What the library's displayBundle calls; a new one for every cell, by which breathe tells them apart.
  globalThis.__display = (content, update) => tell({ type: 'display', id, content, update });
  try {
    const script = await compile(code, count);
    const givenUp = new Promise((_, reject) => (cell.giveUp = reject));
    const result = await Promise.race([(0, eval)(script), givenUp]);
    if (result?.value !== undefined) await showLastExpression(result.value);
    tell({ type: 'done', id });
  } catch (error) {
    restoreUndeclared();
    tell({ type: 'done', id, error: describeError(error) });
  }
  cell.giveUp = undefined;
}

async function compile(code, count) {
  lines.set(count, code.split('\n').length);
  try {
    return compileCell(code, count);
  } catch (error) {
    const { problemOf } = await import('./problem.js');
    throw new SyntaxProblem(problemOf(code) ?? inOwnWords(error, code));
  }
}

/** 'Unexpected token (3:7)', the line of which is that of the cell, in the form that TypeScript's words have. */
function inOwnWords({ message }, code) {
  const [, complaint, line] = /^(.*) \((\d+):\d+\)$/.exec(message) ?? [];
  return line ? [`Line ${line}: ${complaint}`, `  ${code.split('\n')[line - 1]}`] : [message];
}

/** A cell that does not compile; the lines are those of the error output. */
class SyntaxProblem extends Error {
  name = 'TypeScript';

  constructor(lines) {
    super(lines[0]);
    this.lines = lines;
  }
}

// From the moment it begins, a cell's names hide those of earlier cells. One that it did not come to declare gives way again.
Object.defineProperty(globalThis, PUBLISH, {
  value(declared) {
    for (const [name, accessors] of Object.entries(Object.getOwnPropertyDescriptors(declared))) {
      cell.declared.push({ name, before: Object.getOwnPropertyDescriptor(globalThis, name) });
      Object.defineProperty(globalThis, name, { ...accessors, configurable: true });
    }
  },
});

function restoreUndeclared() {
  for (const { name, before } of cell.declared)
    try {
      void globalThis[name];
    } catch {
      delete globalThis[name];
      if (before) Object.defineProperty(globalThis, name, before);
    }
}

Object.defineProperty(globalThis, IMPORT, {
  async value(name, imported) {
    if (!Object.hasOwn(libraries, name))
      throw new Error(
        `there is no package '${name}' in the browser edition, only ${Object.keys(libraries).join(', ')}`,
      );
    const library = await import(libraries[name]);
    const leftOut = imported.filter((each) => library.forKernel.isLeftOut(library[each]));
    if (leftOut.length > 0) console.log(`Left to the local edition: ${leftOut.join(', ')}`);
    return library;
  },
});

Object.defineProperty(globalThis, EXTREME, {
  value: (name, numbers) => numbers.reduce((a, b) => Math[name](a, b), Math[name]()),
});

async function showLastExpression(value) {
  const { isTable, show } = (await import(libraries['focal-loss-lab'])).forKernel;
  if (isTable(value)) show(value);
  else console.log(value);
}

/** What cells have printed and the page has not been told: { name, text }. */
let printed = null;
let toldAt = -Infinity;

/** JupyterLab takes a hundredth of a second to draw a message, and a loop prints thousands of lines: they go together. */
const print =
  (name) =>
  (...values) => {
    if (printed?.name !== name) tellPrinted();
    printed ??= { name, text: '' };
    printed.text += `${values.map((value) => (typeof value === 'string' ? value : inspect(value))).join(' ')}\n`;
    if (performance.now() - toldAt > TOGETHER_MS) tellPrinted();
    else setTimeout(tellPrinted, TOGETHER_MS);
  };

function tellPrinted() {
  if (printed === null) return;
  self.postMessage({ type: 'stream', ...printed });
  printed = null;
  toldAt = performance.now();
}

Object.assign(console, {
  log: print('stdout'),
  info: print('stdout'),
  warn: print('stderr'),
  error: print('stderr'),
});

self.addEventListener('unhandledrejection', (event) => {
  event.preventDefault();
  if (event.reason?.name !== 'Interrupted')
    console.error(`Unhandled rejection: ${describeError(event.reason).traceback.join('\n')}`);
});
self.addEventListener('error', (event) => {
  event.preventDefault();
  console.error(`Uncaught: ${describeError(event.error).traceback.join('\n')}`);
});

/** A loop ends at its next breathe(); whatever else the cell waits for is given up. */
function interrupt() {
  tell({ type: 'alive' });
  for (const handler of stopHandlers) handler();
  const { giveUp } = cell ?? {};
  const interrupted = Object.assign(new Error(GIVEN_UP), { name: 'Interrupted' });
  if (giveUp) setTimeout(giveUp, GRACE_MS, interrupted);
}

/** The content of Jupyter's error message. */
function describeError(thrown) {
  if (thrown instanceof SyntaxProblem)
    return { ename: thrown.name, evalue: thrown.message, traceback: thrown.lines };
  if (!(thrown instanceof Error)) {
    const text = inspect(thrown);
    return { ename: 'Thrown', evalue: text, traceback: [`Thrown: ${text}`] };
  }
  const { name, message, stack = '' } = thrown;
  if (name === 'Interrupted') return { ename: name, evalue: message, traceback: [`${name}: ${message}`] };
  const frames = stack.split('\n').flatMap(describeFrame);
  return { ename: name, evalue: message, traceback: [`${name}: ${message}`, ...frames] };
}

/** Of a frame in a cell, its place: '    at f (cell [3], line 5)'. Others are of no use to the reader. */
function describeFrame(frame) {
  const [, count, row] = /cell-(\d+):(\d+):\d+/.exec(frame) ?? [];
  if (!(Number(row) <= lines.get(Number(count)))) return []; // what is around the cell
  const place = `cell [${count}], line ${row}`;
  const [, caller] = /^\s*at (?:async )?([\w$.]+) \(/.exec(frame) ?? /^([\w$.]+)@/.exec(frame) ?? []; // the latter: Firefox
  return [caller && caller !== 'eval' ? `    at ${caller} (${place})` : `    at ${place}`];
}

const WORDS =
  'async await break case catch class const continue default else export extends false finally for function if import in instanceof interface let new null of return switch throw true try type typeof undefined void while'.split(
    ' ',
  );

/** Names that begin as what stands before the cursor does: members of an object that is there, or what is declared. */
function complete({ id, code, cursor }) {
  const [, path = '', begun] = /((?:[\w$]+\.)*)([\w$]*)$/.exec(code.slice(0, cursor));
  let names = path === '' ? [...WORDS, ...Object.getOwnPropertyNames(globalThis)] : [];
  if (path !== '')
    try {
      let object = path
        .slice(0, -1)
        .split('.')
        .reduce((value, name) => value[name], globalThis);
      for (; object !== null && object !== undefined; object = Object.getPrototypeOf(object))
        names.push(...Object.getOwnPropertyNames(object));
    } catch {
      names = []; // what is not there has no members
    }
  const matches = [...new Set(names)].filter(
    (name) => name.startsWith(begun) && /^[A-Za-z$][\w$]*$/.test(name),
  );
  tell({ type: 'completed', id, matches: matches.sort(), start: cursor - begun.length });
}
