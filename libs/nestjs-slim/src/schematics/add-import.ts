import ts from 'typescript';
import { insert, parse } from './syntax.js';

/** Adds `import { name } from 'from';` behind the imports that are there. */
export function addImport(text: string, name: string, from: string): string {
  const last = parse(text).statements.findLast(ts.isImportDeclaration);
  const statement = `import { ${name} } from '${from}';`;
  return last ? insert(text, last.getEnd(), `\n${statement}`) : `${statement}\n${text}`;
}
