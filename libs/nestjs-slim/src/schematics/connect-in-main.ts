import ts from 'typescript';
import { find, indentationAt, insert, parse } from './syntax.js';

const connect = 'connectMicroservice(slimMicroservice(), { inheritAppConfig: true });';

/**
 * Connects the microservice to the application that `await NestFactory.create(…)` makes, and starts it
 * before the application listens. It comes last, because pipes and guards that are set after it do not
 * count for it. Undefined when the application is not made and listening like that.
 */
export function connectInMain(text: string): string | undefined {
  const source = parse(text);
  const app = find(source, isApplication)?.name.text;
  if (app === undefined) return undefined;
  const start = statementThatCalls(source, `${app}.startAllMicroservices`);
  const before = start ?? statementThatCalls(source, `${app}.listen`);
  if (!before) return undefined;
  const lines = [`${app}.${connect}`, ...(start ? [] : [`await ${app}.startAllMicroservices();`])];
  const at = before.getStart();
  const indentation = indentationAt(text, at) ?? '';
  return insert(text, at, lines.map((line) => `${line}\n${indentation}`).join(''));
}

type Application = ts.VariableDeclaration & { readonly name: ts.Identifier };

function isApplication(node: ts.Node): node is Application {
  if (!ts.isVariableDeclaration(node) || !ts.isIdentifier(node.name)) return false;
  const value = node.initializer;
  return !!value && ts.isAwaitExpression(value) && isCallOf(value.expression, 'NestFactory.create');
}

function isCallOf(node: ts.Node, callee: string): node is ts.CallExpression {
  return ts.isCallExpression(node) && node.expression.getText() === callee;
}

function statementThatCalls(source: ts.SourceFile, callee: string): ts.Node | undefined {
  let node: ts.Node | undefined = find(source, (at): at is ts.CallExpression =>
    isCallOf(at, callee),
  );
  while (node && !ts.isBlock(node.parent) && !ts.isSourceFile(node.parent)) node = node.parent;
  return node;
}
