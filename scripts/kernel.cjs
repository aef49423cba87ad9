// Starts the TypeScript kernel: tslab, with the gaps in its part of the Jupyter protocol closed. What is different
// here:
// - A failed cell has an `error` output whose stack names cells and lines. tslab prints errors to stderr, so that
//   whatever executes a notebook takes a broken one for a good one.
// - Cells are numbered, and cells that are not run because an earlier one failed say so.
// - Stop first lets the code end itself at its next `breathe()`, and reaches it there even after the cell was given up.
// - Errors of code that a finished cell has left behind name that cell.
// - A cell that imports what is not there can be run again once it is.
// - No message is lost, however many a cell sends. tslab may lose the one that says that the cell has ended. Lines that
//   are printed in quick succession are sent together.
// - A data frame, a tensor or an array of rows as the last expression is shown as a table.
// - A notebook outside the clone (in a student's home folder, a course's exchange, a download) finds the library.
// - Cells are checked against what Node 20 has, such as toSorted and findLast; they are compiled once (kernel/program.cjs).
// - The process ends on shutdown whatever still runs, and does not outlive Jupyter.
const { AsyncLocalStorage } = require('node:async_hooks');
const { createHmac, randomUUID } = require('node:crypto');
const { Module } = require('node:module');
const path = require('node:path');
const { clearTimeout, setInterval, setTimeout } = require('node:timers');
const { inspect, types } = require('node:util');
const { Declarations, withOwnProgram } = require('./kernel/program.cjs');

// Where nothing else is found, in the folders of the notebook's own, the packages of this clone are: for Node here, for
// TypeScript in packagePaths.
const PACKAGES = path.join(__dirname, '../node_modules');
process.env.NODE_PATH = [process.env.NODE_PATH, PACKAGES].filter(Boolean).join(path.delimiter);
Module._initPaths();

const dist = path.join(path.dirname(require.resolve('tslab/package.json')), 'dist');
const typescript = require.resolve('@tslab/typescript-for-tslab', { paths: [dist] });
const declarations = fromSnapshot() ?? new Declarations(require(typescript));
const { ts } = declarations;
const adapt = (options) => ({
  ...options,
  lib: ['lib.es2023.d.ts'],
  paths: { '*': packagePaths(options.rootDir) },
  typeRoots: [path.join(PACKAGES, '@types')], // not tslab's own, which are of another Node and not in the snapshot
  types: ['node'],
});
const node20 = path.join(__dirname, 'node20.d.ts');
require.cache[typescript].exports = withOwnProgram(declarations, adapt, [node20]);

/** What kernel/snapshot.cjs has kept, where this process was started from it. */
function fromSnapshot() {
  const { kernelSnapshot } = globalThis;
  if (!kernelSnapshot) return null;
  delete globalThis.kernelSnapshot;
  // Child processes start with the same options otherwise, and would be kernels.
  process.execArgv = process.execArgv.filter(
    (argument, i, all) => ![argument, all[i - 1]].includes('--snapshot-blob'),
  );
  require.cache[typescript] = Object.assign(new Module(typescript), { loaded: true });
  return kernelSnapshot;
}

/**
 * Where a package's types may be: in the folders in which Node looks for the package, in Node's order. Relative, because
 * only then TypeScript can name in its declarations of later cells what it has found there.
 */
function packagePaths(folder) {
  const folders = new Set([...Module._nodeModulePaths(folder), PACKAGES]);
  return [...folders].flatMap((packages) => {
    const relative = `./${path.relative(folder, packages)}`;
    return [`${relative}/*`, `${relative}/@types/*`];
  });
}

const executor = require(path.join(dist, 'executor.js'));
const jupyter = require(path.join(dist, 'jupyter.js'));
const { startKernel } = require(path.join(dist, 'main.js'));

const GRACE_MS = 1000; // from Stop until a cell that does not end itself is given up
const NODE_INTERRUPTED = 'ERR_SCRIPT_EXECUTION_INTERRUPTED'; // Stop in the synchronous part of a cell
const CLOSING_MS = 100; // for the last replies to leave
const TOGETHER_MS = 100; // what is printed faster is sent once in that time
const PROMPT_MESSAGES = 20; // but these many at once, for the next line may be a long computation
const MOST_TOGETHER = 1e6; // characters
const ORPHAN_CHECK_MS = 2000;

/** The cell to which the running code belongs, also in what that cell has left behind: { display, count }. */
const cells = new AsyncLocalStorage();

// tslab's one current display function also tells `breathe` whose code it is in. Here each piece of code sees its own
// cell's, so that Stop ends a loop even where a later cell has begun meanwhile.
let latestDisplay = null;
Object.defineProperty(jupyter, 'lastWriteDisplayData', {
  get: () => cells.getStore()?.display ?? latestDisplay,
  set: (display) => {
    latestDisplay = display;
  },
});

/** The arguments of tslab's calls to console.error about the cell that runs. */
let complaints = [];

/** By the number of a cell: its lines in TypeScript, and as compiled. */
const sources = new Map();

Error.stackTraceLimit = 50; // tfjs alone takes ten frames

/** { x } as { x: x }: tslab renames what earlier cells have declared, but overlooks the short form. */
function expandShorthand(source) {
  const insertions = [];
  const visit = (node) => {
    if (ts.isShorthandPropertyAssignment(node)) insertions.push(node.name);
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile('cell.ts', source, ts.ScriptTarget.Latest));
  return insertions.reduceRight(
    (text, { text: name, end }) => `${text.slice(0, end)}: ${name}${text.slice(end)}`,
    source,
  );
}

function showLastExpression(value) {
  const { isTable, show } = require('focal-loss-lab/dist/display/table'); // takes no TensorFlow with it
  if (isTable(value)) show(value);
  else console.log(value);
}

const { createExecutor } = executor;
executor.createExecutor = (root, converters) => {
  const { node } = converters;
  const { convert } = node;
  node.convert = (declarations, source) => {
    const expanded = expandShorthand(source);
    const converted = convert(declarations, expanded);
    if (!converted.output) return converted;
    const { count } = cells.getStore();
    sources.set(count, { source: expanded.split('\n'), compiled: converted.output.split('\n') });
    return { ...converted, output: `${converted.output}\n//# sourceURL=cell-${count}` };
  };
  const inner = createExecutor(root, converters, {
    log: showLastExpression,
    error: (...args) => complaints.push(args),
  });
  let running = false;
  let giveUp;
  return {
    ...inner,
    async execute(code) {
      complaints = [];
      running = true;
      try {
        return await inner.execute(code);
      } finally {
        running = false;
        clearTimeout(giveUp);
        giveUp = undefined;
        // Node has kept the signal from its listeners, while something that the cell has begun may be waiting for it.
        if (complaints[0]?.[0]?.code === NODE_INTERRUPTED) process.emit('SIGINT');
      }
    },
    interrupt() {
      if (running) giveUp ??= setTimeout(inner.interrupt, GRACE_MS);
    },
  };
};

jupyter.JupyterHandlerImpl = class extends jupyter.JupyterHandlerImpl {
  /** Called when it is the cell's turn. Throwing makes tslab abort the cells that wait. */
  async handleExecuteImpl(request, writeStream, display) {
    const count = this.execCount + 1;
    request.started(count);
    try {
      const result = await cells.run({ display, count }, () =>
        super.handleExecuteImpl(request, writeStream, display),
      );
      for (const complaint of complaints) console.error(...complaint);
      return result;
    } catch (result) {
      request.failed(describe(complaints, request.code, result));
      if (request.stop_on_error === false) return result;
      throw result;
    }
  }

  handleShutdown({ restart }) {
    return { status: 'ok', restart };
  }
};

/**
 * What cells print, on its way to the reader. JupyterLab takes a hundredth of a second to draw a message, and a loop prints
 * thousands of lines: what comes after a cell's first ones in each tenth of a second is sent together.
 */
class PrintedText {
  #send;
  #request; // of the cell that prints
  #waiting = null;
  #timer;
  #since = -Infinity;
  #sent = 0;

  constructor(send) {
    this.#send = send;
    process.on('exit', () => this.flush());
  }

  add(request, name, text) {
    if (request !== this.#request || performance.now() - this.#since > TOGETHER_MS) {
      this.flush();
      this.#request = request;
      this.#since = performance.now();
      this.#sent = 0;
    } else if (name !== this.#waiting?.name) this.flush();
    if (this.#waiting) {
      this.#waiting.text += text;
      if (this.#waiting.text.length > MOST_TOGETHER) this.flush();
    } else if (this.#sent++ < PROMPT_MESSAGES) this.#send(request, name, text);
    else {
      this.#waiting = { name, text };
      this.#timer = setTimeout(() => this.flush(), TOGETHER_MS);
    }
  }

  flush() {
    if (!this.#waiting) return;
    const { name, text } = this.#waiting;
    this.#waiting = null;
    clearTimeout(this.#timer);
    this.#send(this.#request, name, text);
  }
}

jupyter.ZmqServer = class extends jupyter.ZmqServer {
  printed = new PrintedText((request, name, text) =>
    this.sendNow(this.iopub, request, 'stream', { name, text }),
  );

  bindSocket(socket, port) {
    socket.sendTimeout = 0; // otherwise every 513th message is sent later, and those sent until then are refused
    socket.sendHighWaterMark = 0; // otherwise messages are dropped while 1000 wait for a slow reader
    return super.bindSocket(socket, port);
  }

  async handleShellMessage(socket, ...frames) {
    const request = parse(frames);
    if (request.header.msg_type !== 'history_request') return super.handleShellMessage(socket, ...frames);
    // JupyterLab asks for it with every notebook; tslab would print a warning into the cell that ran last.
    this.publishStatus('busy', request);
    this.send(socket, request, 'history_reply', { status: 'ok', history: [] });
    this.publishStatus('idle', request);
  }

  async handleExecute(socket, request) {
    const { code } = request.content;
    let failure = {};
    const reply = await this.handler.handleExecute(
      {
        ...request.content,
        started: (count) => this.send(this.iopub, request, 'execute_input', { code, execution_count: count }),
        failed: (error) => {
          failure = { ...error, status: 'error' };
          this.send(this.iopub, request, 'error', error);
        },
      },
      (name, text) => this.printed.add(request, name, text),
      (content, update) =>
        this.send(this.iopub, request, update ? 'update_display_data' : 'display_data', content),
    );
    if (reply.status === 'abort') reply.status = 'aborted';
    this.send(socket, request, 'execute_reply', { ...reply, ...failure });
  }

  handleCommInfoRequest(socket, request) {
    this.send(socket, request, 'comm_info_reply', { status: 'ok', comms: {} });
  }

  publishStatus(state, request) {
    this.send(this.iopub, request, 'status', { execution_state: state });
  }

  /** What was printed before comes before. */
  send(...message) {
    this.printed.flush();
    this.sendNow(...message);
  }

  sendNow(socket, { identity, header }, type, content) {
    const { session, username } = header;
    const date = new Date().toISOString();
    const reply = { msg_id: randomUUID(), msg_type: type, version: '5.3', date, session, username };
    const parts = [reply, header, {}, content].map((part) => JSON.stringify(part));
    const signature = createHmac('sha256', this.connInfo.key).update(parts.join('')).digest('hex');
    socket.send([...identity, DELIMITER, signature, ...parts]);
  }

  close() {
    this.printed.flush();
    super.close();
    setTimeout(() => process.exit(), CLOSING_MS);
  }
};

const DELIMITER = Buffer.from('<IDS|MSG>');

/** As much of a request as an answer needs; tslab checks its signature. */
function parse(frames) {
  const end = frames.findIndex((frame) => frame.equals(DELIMITER));
  return { identity: frames.slice(0, end), header: JSON.parse(frames[end + 2]) };
}

/** The content of Jupyter's error message, from what tslab would have printed. */
function describe(complaints, code, thrown) {
  const [reason] = complaints[0] ?? [thrown];
  if (reason === DIAGNOSTIC) {
    const lines = complaints.flatMap((complaint) => describeDiagnostic(complaint, code));
    return { ename: 'TypeScript', evalue: lines[0], traceback: lines };
  }
  const interruption = describeInterruption(reason);
  if (interruption)
    return { ename: 'Interrupted', evalue: interruption, traceback: [`Interrupted: ${interruption}`] };
  const text = describeError(reason);
  if (!types.isNativeError(reason)) return { ename: 'Thrown', evalue: text, traceback: [`Thrown: ${text}`] };
  return { ename: reason.name, evalue: reason.message, traceback: text.split('\n') };
}

const DIAGNOSTIC = '%s%d:%d - %s';

function describeDiagnostic([, file, line, column, message], code) {
  const place = file ? `${file.trim()}, line ${line}` : `Line ${line}`;
  const source = file ? undefined : code.split('\n')[line - 1];
  const excerpt = source === undefined ? [] : [`  ${source}`, `  ${' '.repeat(column - 1)}^`];
  return [`${place}: ${message}`, ...excerpt];
}

/** What became of a cell that was stopped, or null where the reason is another. */
function describeInterruption(reason) {
  if (reason?.name === 'Interrupted') return reason.message; // by breathe
  if (reason?.code === NODE_INTERRUPTED) return 'stopped by the user';
  if (reason?.message === 'Interrupted asynchronously')
    return 'given up; what the cell has begun may go on until its next breathe(): restart the kernel to be sure';
  return null;
}

/** An error with its stack, of which only the reader's part is left: cells and our own library. */
function describeError(error) {
  return inspect(error)
    .replace(/^\S+:\d+\n.*\n\s*\^+\n+/, '') // where a compiled file threw: its line, and a caret below
    .split('\n')
    .filter((line) => !FOREIGN_FRAME.test(line))
    .map((line) => line.replace('at Proxy.', 'at ')) // what cells declare is in a proxy
    .map((line) =>
      line.replace(CELL_FRAME, (_frame, count, row, column) => describePlace(count, row, column)),
    )
    .filter((line) => !line.endsWith(AROUND_CELL))
    .join('\n');
}

const FOREIGN_FRAME =
  /^\s+at .*(\/node_modules\/|\bnode:|scripts\/kernel(\/\w+)?\.cjs)|^\s+\.\.\. \d+ lines matching cause stack/;
const CELL_FRAME = /\bcell-(\d+):(\d+):(\d+)/;
const AROUND_CELL = 'the function that tslab makes of a cell';

/** The line in TypeScript is the one that contains the rest of the compiled line, if there is one such. */
function describePlace(count, row, column) {
  const { source, compiled } = sources.get(Number(count)) ?? { source: [], compiled: [] };
  if (row > compiled.length) return AROUND_CELL;
  const rest = compiled[row - 1].slice(column - 1).replace(/;?\s*$/, '');
  const lines = source.flatMap((line, index) => (rest && line.includes(rest) ? [index + 1] : []));
  return lines.length === 1 ? `cell [${count}], line ${lines[0]}` : `cell [${count}]`;
}

startKernel({ configPath: process.argv[2], enableFindLocal: false });

for (const [event, what] of [
  ['uncaughtException', 'Uncaught'],
  ['unhandledRejection', 'Unhandled rejection'],
]) {
  process.removeAllListeners(event);
  process.on(event, (reason) => {
    if (describeInterruption(reason)) return;
    const cell = cells.getStore();
    console.error(`${what}${cell ? `, begun in cell [${cell.count}]` : ''}: ${describeError(reason)}`);
  });
}

if (process.env.JPY_PARENT_PID) {
  const parent = process.ppid;
  setInterval(() => {
    if (process.ppid !== parent) process.exit(1);
  }, ORPHAN_CHECK_MS).unref();
}
