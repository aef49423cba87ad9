// A cell of a notebook, from TypeScript to a script that a worker can run. Types are taken off, not checked: by Sucrase,
// which leaves every line where it was, and has a tenth of the size of TypeScript's own compiler.
import { parse } from 'acorn';
import { transform } from 'sucrase';

const TO_JAVASCRIPT = {
  transforms: ['typescript'],
  disableESTransforms: true,
  keepUnusedImports: true, // a later cell may use them
};

/** The global functions that a compiled cell calls. */
export const PUBLISH = '__publish';
export const IMPORT = '__import';
export const EXTREME = '__extreme';

/**
 * Compiles one cell. The script evaluates to a promise of { value } of the last expression, or of undefined where the cell
 * ends with a statement. What the cell declares, later cells see: it is given to PUBLISH as accessors, so that they
 * always see the present value, and cannot assign to a const. Its lines are those of the source.
 *
 * @param source  TypeScript
 * @param count  the number of the cell: its frames in a stack are called cell-COUNT
 * @throws SyntaxError with `pos`, the place in the source, or in the source without its types
 */
export function compileCell(source, count) {
  const code = transform(source, TO_JAVASCRIPT).code;
  const program = parse(code, { ecmaVersion: 'latest', sourceType: 'module' });
  const edits = callsOfExtremes(program, code);
  const declared = [];
  for (const statement of program.body) {
    if (statement.type === 'ImportDeclaration') edits.push(importAsCall(statement, declared));
    const exported = statement.type === 'ExportNamedDeclaration' ? statement.declaration : statement;
    if (exported !== statement) edits.push({ ...statement, end: exported?.start ?? statement.end, text: '' });
    if (exported) declared.push(...declarationsOf(exported));
  }
  const last = program.body.at(-1);
  if (last?.type === 'ExpressionStatement') {
    const end = code[last.end - 1] === ';' ? last.end - 1 : last.end;
    edits.push({ start: last.start, end: last.start, text: 'return { value: (' });
    edits.push({ start: end, end: last.end, text: ') };' });
  }
  // All in front of the first line, so that lines keep their numbers.
  const before = `(async () => { 'use strict'; ${PUBLISH}({ ${declared.map(accessors).join(', ')} });`;
  return `${before}${edited(code, edits)}\n})()\n//# sourceURL=cell-${count}`;
}

/** `import { a, b as c } from 'x'` as `const { a, b: c } = await IMPORT('x', ['a', 'b'])`. */
function importAsCall({ start, end, specifiers, source }, declared) {
  const names = specifiers.flatMap(({ imported }) => (imported ? [imported.name] : []));
  const call = `await ${IMPORT}(${source.raw}, ${JSON.stringify(names)});`;
  const whole = specifiers.find(({ type }) => type === 'ImportNamespaceSpecifier')?.local.name;
  const members = specifiers.filter(({ type }) => type !== 'ImportNamespaceSpecifier');
  declared.push(...specifiers.map(({ local }) => ({ name: local.name, isFixed: true })));
  const pattern = members.map(({ imported, local }) => `${imported?.name ?? 'default'}: ${local.name}`);
  const parts = [
    whole ? `const ${whole} = ${call}` : '',
    members.length > 0 ? `const { ${pattern.join(', ')} } = ${whole ? `${whole};` : call}` : '',
  ];
  return { start, end, text: parts.join(' ').trim() || call };
}

/**
 * `Math.max(...a, b)` as `EXTREME('max', [...a, b])`: arguments go through the stack, and that of a worker is half as large as
 * Node's. 100,000 numbers do not fit.
 */
function callsOfExtremes(program, code) {
  const edits = [];
  const visit = (node) => {
    if (node === null || typeof node !== 'object') return;
    Object.values(node).forEach(visit);
    if (node.type !== 'CallExpression' || !node.arguments.some(({ type }) => type === 'SpreadElement'))
      return;
    const [, name] = /^Math\.(max|min)$/.exec(code.slice(node.callee.start, node.callee.end)) ?? [];
    if (!name) return;
    const [first] = node.arguments;
    edits.push({ start: node.start, end: first.start, text: `${EXTREME}('${name}', [` });
    edits.push({ start: node.end - 1, end: node.end, text: '])' });
  };
  visit(program);
  return edits;
}

/** The names that a statement declares for later cells, and whether a later cell may assign to them. */
function declarationsOf({ type, kind, declarations, id }) {
  if (type === 'VariableDeclaration')
    return declarations
      .flatMap((each) => namesIn(each.id))
      .map((name) => ({ name, isFixed: kind === 'const' }));
  return type === 'FunctionDeclaration' || type === 'ClassDeclaration'
    ? [{ name: id.name, isFixed: true }]
    : [];
}

/** Of what stands on the left of a declaration. */
function namesIn(binding) {
  switch (binding?.type) {
    case 'Identifier':
      return [binding.name];
    case 'ObjectPattern':
      return binding.properties.flatMap((each) => namesIn(each.value ?? each.argument));
    case 'ArrayPattern':
      return binding.elements.flatMap(namesIn);
    case 'AssignmentPattern':
      return namesIn(binding.left);
    case 'RestElement':
      return namesIn(binding.argument);
    default:
      return []; // a hole
  }
}

const accessors = ({ name, isFixed }) =>
  `get ${name}() { return ${name}; }${isFixed ? '' : `, set ${name}(__value) { ${name} = __value; }`}`;

/** The code with its edits, which do not overlap; each keeps the lines of what it replaces. */
function edited(code, edits) {
  let result = '';
  let position = 0;
  for (const { start, end, text } of edits.toSorted((a, b) => a.start - b.start || a.end - b.end)) {
    const lineEnds = code.slice(start, end).split('\n').length - 1;
    result += code.slice(position, start) + text + '\n'.repeat(lineEnds);
    position = end;
  }
  return result + code.slice(position);
}
