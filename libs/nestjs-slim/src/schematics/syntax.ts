import ts from 'typescript';

export function parse(text: string): ts.SourceFile {
  return ts.createSourceFile('source.ts', text, ts.ScriptTarget.Latest, true);
}

/** The first node that passes, in the order of the text. */
export function find<Found extends ts.Node>(
  node: ts.Node,
  passes: (node: ts.Node) => node is Found,
): Found | undefined {
  return passes(node) ? node : ts.forEachChild(node, (child) => find(child, passes));
}

/** Whether the code, comments aside, has that identifier. */
export function names(text: string, identifier: string): boolean {
  const isIt = (node: ts.Node) => ts.isIdentifier(node) && node.text === identifier;
  return find(parse(text), (node): node is ts.Node => isIt(node)) !== undefined;
}

export function insert(text: string, at: number, addition: string): string {
  return text.slice(0, at) + addition + text.slice(at);
}

/** The white space in front of what starts there; undefined when it does not start its line. */
export function indentationAt(text: string, at: number): string | undefined {
  const before = text.slice(text.lastIndexOf('\n', at - 1) + 1, at);
  return before.trim() === '' ? before : undefined;
}
