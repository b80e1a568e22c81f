// The names a lib exports, and where its checked-in list is. Run as a program, writes the lists.
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

export const libs = ['slim-core', 'slim-platform-node', 'nestjs-slim'];

export function listPath(lib) {
  return fileURLToPath(new URL(`${lib}.txt`, import.meta.url));
}

/** The names in the export statements of the lib's index, types included, sorted, one a line. */
export function exportedNames(lib) {
  const index = fileURLToPath(new URL(`../../libs/${lib}/src/index.ts`, import.meta.url));
  const source = ts.createSourceFile(index, readFileSync(index, 'utf8'), ts.ScriptTarget.Latest);
  return source.statements.flatMap(namesIn).sort().join('');
}

/** @returns {string[]} */
function namesIn(statement) {
  const names = statement.exportClause?.elements;
  if (!names) throw new Error('an index has nothing but `export { … }` statements');
  return names.map(({ name }) => `${name.text}\n`);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const lib of libs) writeFileSync(listPath(lib), exportedNames(lib));
}
