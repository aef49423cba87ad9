// A kernel's memory after its slowest work, as a file from which the next kernels start: node --build-snapshot. In it are
// TypeScript and the declarations that notebooks use, read and parsed. What has changed since is read again (program.cjs),
// so that an old snapshot is slow at worst. Only Node's own modules can be required here; the others are loaded by hand.
const fs = require('node:fs');
const path = require('node:path');
const { startupSnapshot } = require('node:v8');

const kernel = process.argv[2];
const scripts = path.dirname(kernel);
const program = path.join(scripts, 'kernel/program.cjs');
const packages = path.join(scripts, '../node_modules');
const IMPORTED = ['focal-loss-lab', 'danfojs-node', 'vega-lite'];

function load(file) {
  const module = { exports: {} };
  const wrapped = new Function(
    'module',
    'exports',
    'require',
    '__filename',
    '__dirname',
    fs.readFileSync(file, 'utf8'),
  );
  wrapped(module, module.exports, (name) => require(name), file, path.dirname(file));
  return module.exports;
}

const ts = load(path.join(packages, '@tslab/typescript-for-tslab/lib/typescript.js'));
const { Declarations } = load(program);
const declarations = new Declarations(ts);
const options = {
  module: ts.ModuleKind.ESNext,
  moduleResolution: ts.ModuleResolutionKind.Node10,
  target: ts.ScriptTarget.ES2022,
  lib: ['lib.es2023.d.ts'],
  esModuleInterop: true,
  resolveJsonModule: true,
  typeRoots: [path.join(packages, '@types')],
  types: ['node'],
};
const cell = path.join(scripts, '../notebooks/__tslab__.ts');
const source = IMPORTED.map((name) => `import '${name}';`).join('\n');
const host = ts.createCompilerHost(options);
host.getSourceFile = (file, parsing) =>
  file === cell ? ts.createSourceFile(file, source, parsing) : declarations.get(file, parsing, ts.sys);
host.resolveModuleNameLiterals = (literals, file) => {
  const names = literals.map(({ text }) => text);
  if (file !== cell) return declarations.resolve(file, names, options, host);
  return names.map((name) => ts.resolveModuleName(name, file, options, host));
};
ts.createProgram([cell, path.join(scripts, 'node20.d.ts')], options, host).getTypeChecker(); // which binds their names

const code = fs.readFileSync(program, 'utf8');
startupSnapshot.setDeserializeMainFunction(() => {
  const file = path.resolve(process.argv[1]);
  if (file === kernel && fs.readFileSync(program, 'utf8') === code) globalThis.kernelSnapshot = declarations;
  require('node:module')._load(file, null, true); // as the main module
});
