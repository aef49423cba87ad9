// The TypeScript program of which a notebook's cells are a part, in the place of the one that tslab would have TypeScript
// watch. What is different here:
// - A cell is compiled once. tslab asks twice, at first only for the names that the cell declares: parsing tells them.
// - Nothing is watched. Each cell looks whether a file has changed since the last one.
// - What is known of declarations is kept, and can be handed from one process to the next (snapshot.cjs).
// - Declarations find what they import where Node would, seen from their own folder.
// - const { key: name } = object works where an earlier cell has declared the object.
const fs = require('node:fs');

/**
 * What tslab needs of TypeScript, with a program of ours.
 * @param declarations  an instance of Declarations
 * @param adapt         from tslab's options of the compiler to ours
 * @param globals       files of declarations that every cell sees
 */
function withOwnProgram(declarations, adapt, globals) {
  const { ts } = declarations;
  const changed = new Map(); // by file, what tslab does when it has changed
  const sys = {
    ...ts.sys,
    getCurrentDirectory: () => process.cwd(),
    watchFile(file, onChange) {
      changed.set(file, onChange);
      return { close: () => changed.delete(file) };
    },
  };

  function createWatchCompilerHost(files, options, system) {
    return { files, options: adapt(options), system };
  }

  function createWatchProgram(host) {
    const { files: cells, options, system } = host;
    const isOurs = (file) => cells.includes(file) || !file.endsWith('.d.ts');
    let files = cells;
    let program;
    let unresolved = new Set(); // files of ours that import what was not there
    const sources = new Map(); // ours, by name

    function getOurs(file, parsing) {
      const text = system.readFile(file);
      if (text === undefined) return undefined;
      const known = sources.get(file);
      if (known?.text === text) return known;
      const parsed = ts.createSourceFile(file, text, parsing);
      sources.set(file, parsed);
      if (cells.includes(file)) return parsed;
      if (known) changed.get(file)?.(file, ts.FileWatcherEventKind.Changed);
      else system.watchFile(file, () => {});
      return parsed;
    }

    /** For one program, since it remembers which files there are. */
    function createCompilerHost() {
      const compiler = ts.createIncrementalCompilerHost(options, system);
      compiler.getSourceFile = (file, parsing) =>
        isOurs(file) ? getOurs(file, parsing) : declarations.get(file, parsing, system);
      compiler.hasInvalidatedResolutions = (file) => unresolved.has(file);
      compiler.resolveModuleNameLiterals = (literals, file) => {
        const names = literals.map(({ text }) => text);
        if (!isOurs(file)) return declarations.resolve(file, names, options, compiler);
        return names.map((name) => ts.resolveModuleName(name, file, options, compiler));
      };
      return compiler;
    }

    /** As much of TypeScript's builder as tslab uses, of one state of the files. */
    function createBuilder() {
      let current;
      const getProgram = () => {
        if (current) return current;
        program = ts.createProgram([...files, ...globals], options, createCompilerHost(), program);
        const ours = program.getSourceFiles().filter(({ fileName }) => isOurs(fileName));
        unresolved = new Set(
          ours.filter((file) => importsOf(file).includes(undefined)).map(({ path }) => path),
        );
        return (current = withPlainKeys(program));
      };
      return {
        getProgram,
        emit: (...args) => getProgram().emit(...args),
        getSourceFile(file) {
          if (current || !cells.includes(file)) return getProgram().getSourceFile(file);
          const parsed = getOurs(file, options.target);
          ts.bindSourceFile(parsed, options);
          return parsed;
        },
        getAllDependencies(file) {
          const found = new Set([file]);
          for (const each of found)
            for (const name of importsOf(each)) {
              const imported = name && isOurs(name) && getProgram().getSourceFile(name);
              if (imported) found.add(imported);
            }
          return [...found].map(({ fileName }) => fileName);
        },
      };
    }

    /** tslab writes exports. before a name of an earlier cell, and takes the key in { key: name } for one. */
    function withPlainKeys(program) {
      const checker = program.getTypeChecker();
      const { getSymbolAtLocation } = checker;
      const isKey = (node) => node.parent?.propertyName === node && ts.isBindingElement(node.parent);
      checker.getSymbolAtLocation = (node) => (isKey(node) ? undefined : getSymbolAtLocation(node));
      return program;
    }

    /** The names of the files that a file of the program imports, undefined where there was none. */
    function importsOf(file) {
      const found = [];
      file.resolvedModules?.forEach(({ resolvedModule }) => found.push(resolvedModule?.resolvedFileName));
      return found;
    }

    let timer;
    const update = () => {
      if (timer) system.clearTimeout(timer);
      timer = system.setTimeout(() => {
        timer = undefined;
        host.afterProgramCreate(createBuilder());
      });
    };
    for (const file of cells) system.watchFile(file, update);
    const first = createBuilder();
    first.getProgram().getTypeChecker(); // now, and not in the time of the first cell
    host.afterProgramCreate(first);
    return {
      updateRootFileNames(names) {
        files = names;
        update();
      },
      close() {},
    };
  }

  return { ...ts, sys, createWatchCompilerHost, createWatchProgram };
}

/** Files of declarations, parsed once, and again when their text has changed, and what they import. */
class Declarations {
  #known = new Map(); // by name: { file, stamp, imports: from a module's name to what TypeScript has found }

  /** @param ts  TypeScript */
  constructor(ts) {
    this.ts = ts;
  }

  /** @returns the file as parsed, undefined where there is none */
  get(name, parsing, system) {
    const stamp = stampOf(name); // before the text is read: a change between the two is found the next time
    const known = this.#known.get(name);
    if (known && stamp && known.stamp === stamp) return known.file;
    const text = system.readFile(name);
    if (text === undefined) return undefined;
    if (known?.file.text === text) known.stamp = stamp;
    else {
      const file = this.ts.createSourceFile(name, text, parsing);
      this.#known.set(name, { file, stamp, imports: new Map() });
    }
    return this.#known.get(name).file;
  }

  /** What the file imports by these names, as TypeScript wants to be told. */
  resolve(name, imported, { paths, ...options }, host) {
    const { ts } = this;
    const { imports } = this.#known.get(name);
    return imported.map((module) => {
      const known = imports.get(module);
      if (known && (!known.resolvedModule || host.fileExists(known.resolvedModule.resolvedFileName)))
        return known;
      let found = ts.resolveModuleName(module, name, options, host);
      if (!found.resolvedModule) found = ts.resolveModuleName(module, name, { ...options, paths }, host);
      const { resolvedModule } = found;
      imports.set(module, { resolvedModule });
      return { resolvedModule };
    });
  }
}

/** Differs when the file does. npm dates all that it installs alike, so the time at which it did so counts too. */
function stampOf(name) {
  const found = fs.statSync(name, { throwIfNoEntry: false });
  return found && [found.ino, found.size, found.mtimeMs, found.ctimeMs].join();
}

module.exports = { Declarations, withOwnProgram };
