import ts from 'typescript';
import { find, indentationAt, insert, parse } from './syntax.js';

/**
 * Appends to a list of the first `@Module({ … })`, such as its imports. Undefined when there is no such
 * decorator, or what it has is not a list.
 */
export function addToModule(text: string, property: string, element: string): string | undefined {
  const metadata = find(parse(text), isModuleDecorator)?.expression.arguments[0];
  if (!metadata || !ts.isObjectLiteralExpression(metadata)) return undefined;
  const list = metadata.properties.find(({ name }) => name?.getText() === property);
  if (!list) {
    const separator = metadata.properties.length > 0 ? '' : '\n  ';
    const addition = `${separator}${property}: [${element}]${separator && ',\n'}`;
    return append(text, metadata, metadata.properties, addition);
  }
  if (!ts.isPropertyAssignment(list) || !ts.isArrayLiteralExpression(list.initializer)) {
    return undefined;
  }
  const { initializer } = list;
  return append(text, initializer, initializer.elements, element);
}

type ModuleDecorator = ts.Decorator & { readonly expression: ts.CallExpression };

function isModuleDecorator(node: ts.Node): node is ModuleDecorator {
  if (!ts.isDecorator(node) || !ts.isCallExpression(node.expression)) return false;
  return node.expression.expression.getText() === 'Module';
}

/** On a line of its own when the last item has one. A trailing comma stays the trailing one. */
function append(
  text: string,
  parent: ts.Node,
  items: readonly ts.Node[],
  addition: string,
): string {
  const last = items.at(-1);
  if (!last) return insert(text, parent.getEnd() - 1, addition);
  const indentation = indentationAt(text, last.getStart());
  const separator = indentation === undefined ? ', ' : `,\n${indentation}`;
  return insert(text, last.getEnd(), separator + addition);
}
