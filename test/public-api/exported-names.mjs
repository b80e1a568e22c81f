// The names a package exports, by entry, and where its checked-in list is. Run as a program, writes the lists.
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

const libs = ['slim-core', 'slim-platform-node', 'slim-platform-browser', 'nestjs-slim'];

/** What can be imported, such as `nestjs-slim` and `nestjs-slim/testing`, by the exports maps. */
export const entries = libs.flatMap(entriesOf);

export function listPath({ name }) {
  return path(`${name.replace('/', '.')}.txt`);
}

/** The exported names of the entry's source, types included, sorted, one a line. */
export function exportedNames({ source }) {
  const text = readFileSync(source, 'utf8');
  const { statements } = ts.createSourceFile(source, text, ts.ScriptTarget.Latest);
  return statements
    .flatMap(namesIn)
    .map((name) => `${name}\n`)
    .sort()
    .join('');
}

function entriesOf(lib) {
  const manifest = readFileSync(path(`../../libs/${lib}/package.json`), 'utf8');
  const { exports } = JSON.parse(manifest);
  return Object.entries(exports).flatMap(([key, { default: built }]) => {
    const source =
      built && path(`../../libs/${lib}`) + built.replace(/^\.\/dist(.*)js$/, '/src$1ts');
    return source ? [{ name: lib + key.slice(1), source }] : [];
  });
}

/** @returns {string[]} */
function namesIn(statement) {
  if (ts.isExportDeclaration(statement)) {
    const names = statement.exportClause?.elements;
    if (!names) throw new Error('an entry names what it exports');
    return names.map(({ name }) => name.text);
  }
  const isExported = statement.modifiers?.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword);
  if (!isExported) return [];
  const declared = statement.declarationList?.declarations ?? [statement];
  return declared.map(({ name }) => name.text);
}

function path(relative) {
  return fileURLToPath(new URL(relative, import.meta.url));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const entry of entries) writeFileSync(listPath(entry), exportedNames(entry));
}
