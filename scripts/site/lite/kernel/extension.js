// The part of the kernel that runs in JupyterLite's page: it starts the worker, and speaks Jupyter's protocol for it.
// JupyterLab loads an extension as a container of module federation (init, get); this one is small enough to be written by
// hand, so that building it needs neither JupyterLab's builder nor its packages.
const EXTENSION = 'focal-loss-lab-kernel';
const NAME = 'tslab'; // as in the notebooks' metadata
const DISPLAY_NAME = 'TypeScript';
const DEAF_MS = 1500; // after Stop, until a worker that does not answer is ended
const ENDED = 'the cell did not let go, so the kernel was restarted: run the notebook again from its top';

const own = new URL('.', document.currentScript.src).href;
const newWorker = () => new Worker(`${own}worker.js`, { type: 'module', name: NAME });

/** The worker of the notebook that this page opens, which loads the library while the page still loads JupyterLab. */
let ahead = document.body.dataset.notebook === 'notebooks' ? newWorker() : undefined;
ahead?.addEventListener('error', () => (ahead = undefined)); // the kernel starts another, and tells what is wrong

/** What the page shares with its extensions, by package and version. */
let shareScope;

async function shared(name) {
  const versions = Object.values(shareScope[name] ?? {});
  if (versions.length === 0) throw new Error(`${EXTENSION}: JupyterLite does not share ${name}`);
  return (await versions.at(-1).get())();
}

async function plugins() {
  const { BaseKernel, IKernelClient, IKernelSpecs } = await shared('@jupyterlite/services');
  const { PageConfig, URLExt } = await shared('@jupyterlab/coreutils');
  const { INotebookTracker } = await shared('@jupyterlab/notebook');
  const { Notification } = await shared('@jupyterlab/apputils');
  const base = new URL(PageConfig.getBaseUrl(), location.href).href;
  const kernels = new Map();

  class TypeScriptKernel extends BaseKernel {
    constructor(options) {
      super(options);
      this.startWorker();
      kernels.set(this.id, this);
    }

    dispose() {
      if (this.isDisposed) return;
      this.worker.terminate();
      kernels.delete(this.id);
      super.dispose();
    }

    startWorker() {
      /** What the worker has been asked and has not answered: id -> what takes the answer. */
      this.waiting = new Map();
      this.asked = 0;
      this.worker = ahead ?? newWorker();
      ahead = undefined;
      this.worker.addEventListener('message', ({ data: { type, ...content } }) =>
        this[`on_${type}`](content),
      );
      this.worker.addEventListener('error', (event) => {
        for (const { answer } of this.waiting.values())
          answer({ error: failure('WorkerError', event.message ?? 'the kernel did not start') });
      });
      // Files are found as in a clone: by the folder of the notebook.
      const files = URLExt.join(base, 'files/');
      this.worker.postMessage({
        type: 'start',
        files: { root: files, folder: URLExt.join('/', this.location) },
      });
    }

    /** @returns {Promise<object>} what the worker answers */
    ask(type, content) {
      const id = ++this.asked;
      return new Promise((resolve) => {
        const answer = (message) => {
          this.waiting.delete(id);
          resolve(message);
        };
        this.waiting.set(id, { answer, header: this.parentHeader });
        this.worker.postMessage({ type, id, ...content });
      });
    }

    on_done({ id, error }) {
      this.waiting.get(id)?.answer({ error });
    }

    on_completed({ id, ...content }) {
      this.waiting.get(id)?.answer(content);
    }

    on_alive() {
      clearTimeout(this.deaf);
    }

    on_stream({ name, text }) {
      this.stream({ name, text });
    }

    on_display({ content, update }) {
      if (update) this.updateDisplayData(content);
      else this.displayData(content);
    }

    /** A loop that never lets go cannot be told to stop: its worker is ended. */
    interrupt() {
      this.worker.postMessage({ type: 'interrupt' });
      clearTimeout(this.deaf);
      const { worker } = this;
      this.deaf = setTimeout(() => {
        if (this.worker !== worker || this.isDisposed) return;
        const { waiting } = this;
        worker.terminate();
        this.startWorker();
        for (const { answer } of waiting.values()) answer({ error: failure('Interrupted', ENDED) });
      }, DEAF_MS);
    }

    async kernelInfoRequest() {
      return {
        status: 'ok',
        implementation: NAME,
        implementation_version: '1',
        protocol_version: '5.3',
        banner: 'TypeScript in the browser; types are not checked',
        help_links: [],
        language_info: {
          name: 'typescript',
          version: '3.7.2', // what the notebooks have, so that saving one changes nothing
          mimetype: 'text/typescript',
          file_extension: '.ts',
          codemirror_mode: { mode: 'typescript', name: 'javascript', typescript: true },
        },
      };
    }

    async executeRequest({ code }) {
      const execution_count = this.executionCount;
      const { error } = await this.ask('execute', { code, count: execution_count });
      if (!error) return { status: 'ok', execution_count, user_expressions: {} };
      this.publishExecuteError(error);
      return { status: 'error', execution_count, ...error };
    }

    async completeRequest({ code, cursor_pos }) {
      const { matches = [], start = cursor_pos } = await this.ask('complete', { code, cursor: cursor_pos });
      return { status: 'ok', matches, cursor_start: start, cursor_end: cursor_pos, metadata: {} };
    }

    async inspectRequest() {
      return { status: 'ok', found: false, data: {}, metadata: {} };
    }

    async isCompleteRequest() {
      return { status: 'unknown' };
    }

    async commInfoRequest() {
      return { status: 'ok', comms: {} };
    }

    inputReply() {}
    async commOpen() {}
    async commMsg() {}
    async commClose() {}
  }

  return [
    {
      id: `${EXTENSION}:kernel`,
      autoStart: true,
      requires: [IKernelSpecs],
      activate(_app, specs) {
        const names = { name: NAME, display_name: DISPLAY_NAME, language: 'typescript' };
        specs.register({
          spec: { ...names, argv: [], resources: {}, metadata: {}, interrupt_mode: 'message' },
          create: async (options) => new TypeScriptKernel(options),
        });
      },
    },
    {
      // JupyterLite's own interrupt leaves out the cells that wait, and does not tell the kernel.
      id: `${EXTENSION}:stop`,
      autoStart: true,
      requires: [IKernelClient],
      activate(_app, client) {
        const leaveOutWaiting = client.interrupt.bind(client);
        client.interrupt = async (id) => {
          kernels.get(id)?.interrupt();
          await leaveOutWaiting(id);
        };
      },
    },
    {
      id: `${EXTENSION}:notice`,
      autoStart: true,
      requires: [INotebookTracker],
      async activate(_app, tracker) {
        const answer = await fetch(URLExt.join(base, 'notebooks.json'));
        const notebooks = await answer.json();
        tracker.widgetAdded.connect((_tracker, { context }) => {
          const { needs = [] } = notebooks[context.path] ?? {};
          if (needs.length > 0) Notification.info(savedOnly(needs), { autoClose: false });
        });
      },
    },
  ];
}

const failure = (ename, evalue) => ({ ename, evalue, traceback: [`${ename}: ${evalue}`] });

/** JupyterLab cuts a notice at 140 characters. */
const savedOnly = ([first, ...others]) =>
  `This notebook shows its saved results. To run it, get the local edition: ${first}${others.length > 0 ? ' and others need' : ' needs'} it.`;

(window._JUPYTERLAB ??= {})[EXTENSION] = {
  init(scope) {
    shareScope = scope;
  },
  async get(name) {
    if (name !== './extension') throw new Error(`${EXTENSION} has no module ${name}`);
    const all = await plugins();
    return () => ({ __esModule: true, default: all });
  },
};
