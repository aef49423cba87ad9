// What is wrong with a cell that does not compile, in the words of TypeScript's own compiler. It is large, and loaded only then.
import ts from 'typescript';

/**
 * @param source  of a cell
 * @returns {string[] | undefined} as the local edition tells it: 'Line 3: ';' expected.', the line, and a mark under it;
 *   undefined where TypeScript has no objection
 */
export function problemOf(source) {
  const { diagnostics } = ts.transpileModule(source, {
    compilerOptions: { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext },
    reportDiagnostics: true,
  });
  if (diagnostics.length === 0) return undefined;
  const [{ file, start = 0, messageText }] = diagnostics;
  const { line, character } = file.getLineAndCharacterOfPosition(start);
  const message = ts.flattenDiagnosticMessageText(messageText, '\n');
  return [
    `Line ${line + 1}: ${message}`,
    `  ${source.split('\n')[line] ?? ''}`,
    `  ${' '.repeat(character)}^`,
  ];
}
