// Checks the cells of every notebook without running them: strict types, lint, format, what tslab gets wrong, and the
// form of the page. Usage: node scripts/check-notebooks.mjs [NOTEBOOK...]
import { ESLint } from 'eslint';
import fs from 'node:fs';
import path from 'node:path';
import prettier from 'prettier';
import ts from 'typescript';
import { allNotebooks } from './pages.mjs';
import { root } from './setup/project.mjs';

const LONGEST_CELL = 15; // lines
const MOST_CELLS = 25; // of code: a notebook is a lesson
const MOST_WORDS = 2000;
const NODE_20 = path.join(root, 'scripts/node20.d.ts');
const PRINT_WIDTH = 95; // columns: more would scroll sideways in JupyterLab

process.chdir(root);
const files =
  process.argv.length > 2
    ? process.argv.slice(2)
    : allNotebooks().map((name) => path.join('notebooks', name));
const notebooks = files.map(readNotebook);
const program = compile(notebooks);
const eslint = new ESLint();

let failed = 0;
for (const notebook of notebooks) {
  const problems = [
    ...pageProblems(notebook),
    ...typeProblems(notebook),
    ...tslabProblems(notebook),
    ...(await lintProblems(notebook)),
    ...(await formatProblems(notebook)),
  ].sort((a, b) => a.cell - b.cell || a.line - b.line);
  console.log(`${problems.length ? 'FAIL' : 'ok  '} ${notebook.file}`);
  for (const { cell, line, message } of problems)
    console.log(`     cell [${cell}]${line ? `, line ${line}` : ''}: ${message}`);
  if (problems.length) failed++;
}
console.log(`${notebooks.length - failed} passed, ${failed} failed`);
process.exitCode = failed ? 1 : 0;

/**
 * A notebook as one TypeScript module, in which a place can be traced back to its cell.
 * Cells are numbered as Jupyter numbers them in a run from top to bottom: empty ones do not count.
 */
function readNotebook(file) {
  const { cells, metadata } = JSON.parse(fs.readFileSync(file, 'utf8'));
  const codeCells = [];
  let module = '';
  cells.forEach(({ cell_type: type, source }, position) => {
    const code = [source].flat().join('');
    if (type !== 'code' || !code.trim()) return;
    codeCells.push({ code, position, start: module.length, firstLine: module.split('\n').length });
    module += `${code}\n`;
  });
  const cellAt = (offset) => codeCells.findLastIndex((cell) => cell.start <= offset);
  return {
    file,
    cells,
    metadata,
    codeCells,
    module,
    moduleFile: path.resolve(`${file}.ts`),
    problemAt(offset, message) {
      const cell = cellAt(offset);
      return {
        cell: cell + 1,
        line: module.slice(codeCells[cell].start, offset).split('\n').length,
        message,
      };
    },
    problemAtLine(moduleLine, message) {
      const cell = codeCells.findLastIndex(({ firstLine }) => firstLine <= moduleLine);
      return { cell: cell + 1, line: moduleLine - codeCells[cell].firstLine + 1, message };
    },
    cellAt,
  };
}

/** All modules at once, so that the declarations of tfjs and lib are read once. They exist in memory only. */
function compile(notebooks) {
  const options = {
    target: ts.ScriptTarget.ES2022,
    module: ts.ModuleKind.ES2022,
    moduleResolution: ts.ModuleResolutionKind.NodeJs,
    moduleDetection: ts.ModuleDetectionKind.Force,
    lib: ['lib.es2023.d.ts'], // with NODE_20 as in kernel.cjs
    types: ['node'],
    strict: true,
    noEmit: true,
    skipLibCheck: true,
    esModuleInterop: true,
  };
  const modules = new Map(notebooks.map(({ moduleFile, module }) => [moduleFile, module]));
  const host = ts.createCompilerHost(options);
  const { fileExists, readFile, getSourceFile } = host;
  host.fileExists = (file) => modules.has(file) || fileExists(file);
  host.readFile = (file) => modules.get(file) ?? readFile(file);
  host.getSourceFile = (file, ...rest) =>
    modules.has(file)
      ? ts.createSourceFile(file, modules.get(file), { languageVersion: options.target, ...rest[0] }, true)
      : getSourceFile(file, ...rest);
  return ts.createProgram([...modules.keys(), NODE_20], options, host);
}

function typeProblems({ moduleFile, problemAt }) {
  return ts
    .getPreEmitDiagnostics(program, program.getSourceFile(moduleFile))
    .map(({ start, messageText }) => problemAt(start, ts.flattenDiagnosticMessageText(messageText, ' ')));
}

/** What compiles, and yet fails or misleads in a cell. (The kernel expands `{ x }` itself: scripts/kernel.cjs.) */
function tslabProblems({ moduleFile, problemAt, cellAt }) {
  const source = program.getSourceFile(moduleFile);
  const checker = program.getTypeChecker();
  const problems = [];
  const visit = (node) => {
    if (ts.isBindingElement(node) && node.propertyName && isNameOfEarlierCell(node.propertyName)) {
      const key = node.propertyName.text;
      problems.push(
        problemAt(
          node.getStart(),
          `write a declaration with .${key}: tslab takes ${key} for an earlier cell's`,
        ),
      );
    }
    if (ts.isAwaitExpression(node) && node.expression.getText().startsWith('('))
      problems.push(
        problemAt(node.getStart(), 'write await without a parenthesis after it, which tslab reads as a call'),
      );
    ts.forEachChild(node, visit);
  };
  const isDeclaredBefore = (symbol, node) => {
    const declaration = symbol?.declarations?.[0];
    return (
      declaration?.getSourceFile() === source && cellAt(declaration.getStart()) < cellAt(node.getStart())
    );
  };
  const isNameOfEarlierCell = (node) =>
    checker
      .getSymbolsInScope(source, ts.SymbolFlags.Value)
      .some((symbol) => symbol.name === node.text && isDeclaredBefore(symbol, node));
  visit(source);
  for (const statement of source.statements)
    if (
      ts.isExpressionStatement(statement) &&
      checker.getTypeAtLocation(statement.expression).getProperty('then')
    )
      problems.push(problemAt(statement.getStart(), 'await this promise: the cell would end before it'));
  return problems;
}

async function lintProblems({ module, moduleFile, problemAtLine }) {
  const [{ messages }] = await eslint.lintText(module, { filePath: moduleFile });
  return messages.map(({ line, message, ruleId }) => problemAtLine(line ?? 1, `${message} (${ruleId})`));
}

async function formatProblems({ codeCells }) {
  const options = {
    ...(await prettier.resolveConfig('notebooks/cell.ts')),
    parser: 'typescript',
    printWidth: PRINT_WIDTH,
  };
  const problems = [];
  for (const [index, { code }] of codeCells.entries()) {
    const formatted = await prettier.format(code, options).catch(() => null); // a syntax error is told by its type check
    if (formatted === null || formatted.trimEnd() === code.trimEnd()) continue;
    const [lines, wanted] = [code.split('\n'), formatted.split('\n')];
    const line = lines.findIndex((text, i) => text !== wanted[i]);
    problems.push({
      cell: index + 1,
      line: line + 1,
      message: `format: Prettier writes ${JSON.stringify(wanted[line] ?? '')}`,
    });
  }
  return problems;
}

/** A page is read: it is a lesson long, each cell of code follows a sentence, and is no longer than a screen. */
function pageProblems({ cells, metadata, codeCells }) {
  const problems = [];
  if (metadata.kernelspec?.name !== 'tslab')
    problems.push({ cell: 0, line: 0, message: 'the kernel is not tslab' });
  if (codeCells.length > MOST_CELLS)
    problems.push({
      cell: 0,
      line: 0,
      message: `${codeCells.length} cells of code: more than ${MOST_CELLS}`,
    });
  const texts = cells
    .filter((cell) => cell.cell_type === 'markdown')
    .map(({ source }) => [source].flat().join(''));
  const words = texts.join(' ').split(/\s+/).filter(Boolean).length;
  if (words > MOST_WORDS)
    problems.push({ cell: 0, line: 0, message: `${words} words of text: more than ${MOST_WORDS}` });
  codeCells.forEach(({ code, position }, index) => {
    const lines = code.trimEnd().split('\n').length;
    if (lines > LONGEST_CELL)
      problems.push({ cell: index + 1, line: 0, message: `${lines} lines: more than ${LONGEST_CELL}` });
    const before = cells[position - 1];
    const text = before?.cell_type === 'markdown' ? [before.source].flat().join('') : '';
    if (!text.split('\n').some((line) => line.trim() && !line.startsWith('#')))
      problems.push({ cell: index + 1, line: 0, message: 'no sentence in front of it says what it is for' });
  });
  return problems;
}
