// In place of node:fs: files are read from the site, synchronously, as a worker may. Nothing is written.
import { leftOut } from './leftOut.js';
import path from './path.js';

/** The address of a file; one that is named relatively is in the folder of the notebook, as in a clone. */
function addressOf(file) {
  const { root, folder } = globalThis.__files;
  return root + path.resolve(folder, file).slice(1).split('/').map(encodeURIComponent).join('/');
}

function ask(method, file) {
  const request = new XMLHttpRequest();
  request.open(method, addressOf(file), false);
  request.overrideMimeType('text/plain; charset=utf-8');
  request.send();
  return request;
}

export function readFileSync(file, encoding) {
  if (encoding !== 'utf8' && encoding?.encoding !== 'utf8')
    throw new Error(`readFileSync: ${file} can only be read as utf8 here`);
  const { status, responseText } = ask('GET', file);
  if (status === 200) return responseText;
  throw Object.assign(new Error(`ENOENT: no such file or directory, open '${file}'`), {
    code: 'ENOENT',
    errno: -2,
  });
}

export const existsSync = (file) => ask('HEAD', file).status === 200;

const refuse = leftOut('writing a file');
export const [mkdirSync, openSync, closeSync, fsyncSync, renameSync, writeFileSync, rmSync, readdirSync] =
  Array(8).fill(refuse);
