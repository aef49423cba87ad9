// A cell of a notebook, from TypeScript to a script that a worker can run. Types are taken off, not checked.
import ts from 'typescript';

const OPTIONS = {
  target: ts.ScriptTarget.ES2022,
  module: ts.ModuleKind.ESNext,
  sourceMap: true,
  newLine: ts.NewLineKind.LineFeed,
};

/** What TypeScript objects to: the lines of an error output. */
export class SyntaxProblem extends Error {
  name = 'TypeScript';

  /** @param lines  the message with its place, the line, a mark below it */
  constructor(lines) {
    super(lines[0]);
    this.lines = lines;
  }
}

/**
 * Compiles one cell. The script evaluates to a promise of { value } of the last expression, or of undefined where the cell
 * ends with a statement. What the cell declares, later cells see: it is given to PUBLISH as accessors, so that they
 * always see the present value, and cannot assign to a const.
 *
 * @param source  TypeScript
 * @param count  the number of the cell: its frames in a stack are called cell-COUNT
 * @returns {{ script: string, lineOf: (line: number) => number | undefined }} lineOf tells which line of the cell a line
 *   of the script was, both counted from 1; undefined for what is around the cell
 * @throws SyntaxProblem
 */
export function compileCell(source, count) {
  const file = ts.createSourceFile('cell.ts', source, ts.ScriptTarget.ES2022, true);
  const edits = [];
  const declared = [];
  for (const statement of file.statements) {
    if (ts.isImportDeclaration(statement)) edits.push(importAsCall(statement, declared));
    else if (ts.isExportDeclaration(statement)) edits.push(blank(statement));
    else declared.push(...declarationsOf(statement));
    const exporting = statement.modifiers?.find(({ kind }) => kind === ts.SyntaxKind.ExportKeyword);
    if (exporting) edits.push(blank(exporting));
  }
  edits.push(...callsOfExtremes(file));
  const last = file.statements.at(-1);
  if (last && ts.isExpressionStatement(last)) {
    edits.push({ start: last.getStart(), end: last.expression.getStart(), text: 'return { value: (' });
    edits.push({ start: last.expression.end, end: last.end, text: ') };' });
  }
  // All in front of the first line, so that lines keep their numbers.
  const before = `(async () => { 'use strict'; ${PUBLISH}({ ${declared.map(accessors).join(', ')} });`;
  const wrapped = `${before}${edited(source, edits)}\n})()`;
  const { outputText, sourceMapText, diagnostics } = ts.transpileModule(wrapped, {
    compilerOptions: OPTIONS,
    reportDiagnostics: true,
  });
  const problem = file.parseDiagnostics[0] ?? diagnostics[0];
  if (problem) throw new SyntaxProblem(describe(problem, source));
  const lines = originalLines(JSON.parse(sourceMapText).mappings);
  const script = outputText.replace(/\/\/# sourceMappingURL=.*\s*$/, '');
  const lineOf = (line) => (lines[line - 1] <= source.split('\n').length ? lines[line - 1] : undefined);
  return { script: `${script}\n//# sourceURL=cell-${count}`, lineOf };
}

/** The global functions that a compiled cell calls. */
export const PUBLISH = '__publish';
export const IMPORT = '__import';
export const EXTREME = '__extreme';

/** `import { a, b as c } from 'x'` as `const { a, b: c } = await IMPORT('x')`. */
function importAsCall(statement, declared) {
  const { importClause: clause, moduleSpecifier } = statement;
  if (clause?.isTypeOnly) return blank(statement);
  const call = `await ${IMPORT}(${moduleSpecifier.getText()});`;
  if (!clause) return replace(statement, call);
  const named = clause.namedBindings;
  const elements =
    named && ts.isNamedImports(named) ? named.elements.filter((element) => !element.isTypeOnly) : [];
  const members = elements.map(({ name, propertyName }) => ({
    from: (propertyName ?? name).text,
    to: name.text,
  }));
  if (clause.name) members.unshift({ from: 'default', to: clause.name.text });
  const whole = named && ts.isNamespaceImport(named) ? named.name.text : null;
  declared.push(...members.map(({ to }) => ({ name: to, isFixed: true })));
  if (whole) declared.push({ name: whole, isFixed: true });
  const pattern = `{ ${members.map(({ from, to }) => `${from}: ${to}`).join(', ')} }`;
  return replace(
    statement,
    `${whole ? `const ${whole} = ${call} ` : ''}const ${pattern} = ${whole ? `${whole};` : call}`,
  );
}

/**
 * `Math.max(...a, b)` as `EXTREME('max', [...a, b])`: arguments go through the stack, and that of a worker is half as large as
 * Node's. 100,000 numbers do not fit.
 */
function callsOfExtremes(file) {
  const edits = [];
  const visit = (node) => {
    ts.forEachChild(node, visit);
    if (!ts.isCallExpression(node) || !node.arguments.some(ts.isSpreadElement)) return;
    const [, name] = /^Math\.(max|min)$/.exec(node.expression.getText()) ?? [];
    if (!name) return;
    edits.push({ start: node.getStart(), end: node.arguments.pos, text: `${EXTREME}('${name}', [` });
    edits.push({ start: node.end - 1, end: node.end, text: '])' });
  };
  visit(file);
  return edits;
}

/** The names that a statement declares for later cells, and whether a later cell may assign to them. */
function declarationsOf(statement) {
  if (statement.modifiers?.some(({ kind }) => kind === ts.SyntaxKind.DeclareKeyword)) return [];
  if (ts.isVariableStatement(statement)) {
    const { flags, declarations } = statement.declarationList;
    const isFixed = Boolean(flags & ts.NodeFlags.Const);
    return declarations.flatMap(({ name }) => namesIn(name)).map((name) => ({ name, isFixed }));
  }
  const declares =
    ts.isFunctionDeclaration(statement) ||
    ts.isClassDeclaration(statement) ||
    ts.isEnumDeclaration(statement);
  return declares && statement.name && (statement.body || !ts.isFunctionDeclaration(statement))
    ? [{ name: statement.name.text, isFixed: true }]
    : [];
}

function namesIn(binding) {
  if (ts.isIdentifier(binding)) return [binding.text];
  return binding.elements.filter(ts.isBindingElement).flatMap(({ name }) => namesIn(name));
}

const accessors = ({ name, isFixed }) =>
  `get ${name}() { return ${name}; }${isFixed ? '' : `, set ${name}(__value) { ${name} = __value; }`}`;

const replace = (node, text) => ({ start: node.getStart(), end: node.end, text });
const blank = (node) => replace(node, '');

/** The source with its edits, which do not overlap; each keeps the lines of what it replaces. */
function edited(source, edits) {
  let result = '';
  let position = 0;
  for (const { start, end, text } of edits.toSorted((a, b) => a.start - b.start || a.end - b.end)) {
    const lineEnds = source.slice(start, end).split('\n').length - 1;
    result += source.slice(position, start) + text + '\n'.repeat(lineEnds);
    position = end;
  }
  return result + source.slice(position);
}

/** As the local edition tells it: 'Line 3: ';' expected.', the line, and a mark under it. */
function describe({ file, start = 0, messageText }, source) {
  const { line, character } = file.getLineAndCharacterOfPosition(start);
  const message = ts.flattenDiagnosticMessageText(messageText, '\n');
  const text = source.split('\n')[line] ?? '';
  const mark = file.text === source ? [`  ${' '.repeat(character)}^`] : []; // in an edited line the place is another
  return [`Line ${line + 1}: ${message}`, `  ${text}`, ...mark];
}

/**
 * By the line of the script, the line of the source, from the mappings of a source map: lines are divided by ';', segments
 * by ',', and each segment has base-64 numbers of which the third is the change of the source's line since the segment
 * before (https://tc39.es/ecma426/#sec-mappings).
 */
function originalLines(mappings) {
  let line = 1;
  return mappings.split(';').map((segments) => {
    const changes = segments
      .split(',')
      .filter(Boolean)
      .map((segment) => decodeNumbers(segment)[2] ?? 0);
    const first = changes.length > 0 ? line + changes[0] : undefined;
    for (const change of changes) line += change;
    return first;
  });
}

const DIGITS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';

/** Each digit carries 5 bits, the lowest first, and a sixth that says whether more follow; the lowest bit is the sign. */
function decodeNumbers(segment) {
  const numbers = [];
  let value = 0;
  let shift = 0;
  for (const character of segment) {
    const digit = DIGITS.indexOf(character);
    value += (digit & 31) << shift;
    shift += 5;
    if (digit & 32) continue;
    numbers.push(value & 1 ? -(value >> 1) : value >> 1);
    value = 0;
    shift = 0;
  }
  return numbers;
}
