// In place of node:fs: files are read from the site, synchronously, as a worker may. Nothing is written.
import { leftOut } from './leftOut.js';
import path from './path.js';

/** From the root of the clone; a file that is named relatively is in the folder of the notebook. */
const nameOf = (file) => path.resolve(globalThis.__files.folder, file).slice(1);

export function readFileSync(file, encoding) {
  if (encoding !== 'utf8' && encoding?.encoding !== 'utf8')
    throw new Error(`readFileSync: ${file} can only be read as utf8 here`);
  const request = new XMLHttpRequest();
  request.open('GET', addressOf(file), false);
  request.overrideMimeType('text/plain; charset=utf-8');
  request.send();
  const { status, responseText } = request;
  if (status === 200) return responseText;
  throw notFound(file);
}

export const addressOf = (file) =>
  globalThis.__files.root + nameOf(file).split('/').map(encodeURIComponent).join('/');

export const notFound = (file) =>
  Object.assign(new Error(`ENOENT: no such file or directory, open '${file}'`), {
    code: 'ENOENT',
    errno: -2,
  });

/* global FILES -- bundle.mjs fills it in */
export const existsSync = (file) => FILES.includes(nameOf(file));

/** Asks whether a folder is the reader's own, which is of no account here. */
export const accessSync = () => {};
export const constants = { W_OK: 2 };

const refuse = leftOut('writing a file');
export const [mkdirSync, openSync, closeSync, fsyncSync, renameSync, writeFileSync, rmSync, readdirSync] =
  Array(8).fill(refuse);
