import {
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  parseDocument,
  type Document,
  type Node,
  type YAMLError,
  type YAMLMap,
  type YAMLSeq,
} from 'yaml';
import type { ConfigIssue } from './config-issue.js';
import {
  childPath,
  ConfigTree,
  type ConfigList,
  type ConfigSection,
  type ConfigValue,
  type Origin,
} from './config-tree.js';

/** Far above any real file, far below what aliases of aliases could unfold to. */
const MAX_VALUES = 50_000;
const MAX_DEPTH = 64;
const MAX_CHARACTERS = 1_048_576;

/**
 * What is wrong in plain words, by the parser's code. Its own messages quote the file, and so could
 * quote a secret.
 */
const syntaxErrors: Readonly<Record<string, string>> = {
  BAD_INDENT: 'the indentation does not fit',
  TAB_AS_INDENT: 'tabs cannot indent',
  DUPLICATE_KEY: 'this key stands here a second time',
  MISSING_CHAR: 'a character is missing, such as a quote, colon or bracket',
  MULTILINE_IMPLICIT_KEY: 'a key must stand on one line, with a colon behind it',
  BLOCK_AS_IMPLICIT_KEY: 'a section cannot begin on the line of another key',
  MULTIPLE_DOCS: 'expected one document',
};

class Unreadable extends Error {
  readonly issue: ConfigIssue;
  constructor(issue: ConfigIssue) {
    super(issue.message);
    this.issue = issue;
  }
}

/** Reads YAML with the line and key path of every value; what it cannot read it lists. */
export function readYaml(text: string): ConfigTree | readonly ConfigIssue[] {
  const whole = (message: string): ConfigIssue => ({ path: '', line: undefined, message });
  if (text.length > MAX_CHARACTERS) return [whole(`expected at most ${MAX_CHARACTERS} characters`)];
  try {
    const lines = new LineCounter();
    const document = parseDocument(text, {
      lineCounter: lines,
      prettyErrors: false,
      stringKeys: true,
      logLevel: 'silent',
    });
    const errors = document.errors.map((error) => toIssue(error, lines));
    return errors.length > 0 ? errors : new TreeBuilder(document, lines).build();
  } catch (reason) {
    if (reason instanceof Unreadable) return [reason.issue];
    // Sections within sections by the thousand overflow the stack of the parser.
    if (reason instanceof RangeError) return [whole('the sections are nested too deeply')];
    // The parser's text could quote the file, so it goes no further.
    return [whole('not valid YAML')];
  }
}

function toIssue({ code, pos }: YAMLError, lines: LineCounter): ConfigIssue {
  const { line } = lines.linePos(pos[0]);
  const why = syntaxErrors[code] ?? code.toLowerCase().replaceAll('_', ' ');
  return { path: '', line, message: `not valid YAML: ${why}` };
}

class TreeBuilder {
  readonly #tree = new ConfigTree();
  readonly #document: Document.Parsed;
  readonly #lines: LineCounter;
  #values = 0;

  constructor(document: Document.Parsed, lines: LineCounter) {
    this.#document = document;
    this.#lines = lines;
  }

  build(): ConfigTree {
    this.#tree.root = this.#value(this.#document.contents, { path: '', line: undefined }, 0);
    return this.#tree;
  }

  #value(node: Node | null, at: Origin, depth: number): ConfigValue {
    this.#values += 1;
    if (this.#values > MAX_VALUES || depth > MAX_DEPTH) {
      throw new Unreadable({ ...at, message: 'the file holds too much' });
    }
    if (isAlias(node)) {
      const anchored = node.resolve(this.#document);
      if (!anchored)
        throw new Unreadable({ ...at, message: 'not valid YAML: an alias of nothing' });
      return this.#value(anchored, at, depth + 1);
    }
    if (isMap(node)) return this.#section(node, at, depth);
    if (isSeq(node)) return this.#list(node, at, depth);
    const value: unknown = isScalar(node) ? node.value : null;
    if (typeof value === 'string' || typeof value === 'number') return value;
    if (typeof value === 'boolean' || value === null) return value;
    throw new Unreadable({ ...at, message: 'expected text, a number, true or false' });
  }

  #section(node: YAMLMap, at: Origin, depth: number): ConfigSection {
    const section = Object.create(null) as ConfigSection;
    for (const { key, value } of node.items) {
      const name = isScalar(key) ? String(key.value) : String(key);
      const line = lineOf(isScalar(key) ? key : value, this.#lines) ?? at.line;
      const origin: Origin = { path: childPath(at.path, name), line };
      section[name] = this.#value(value as Node | null, origin, depth + 1);
      this.#tree.place(section, name, origin);
    }
    return section;
  }

  #list(node: YAMLSeq, at: Origin, depth: number): ConfigList {
    const list: ConfigList = [];
    for (const [index, item] of node.items.entries()) {
      const line = lineOf(item, this.#lines) ?? at.line;
      const origin: Origin = { path: childPath(at.path, index), line };
      list.push(this.#value(item as Node | null, origin, depth + 1));
      this.#tree.place(list, index, origin);
    }
    return list;
  }
}

function lineOf(node: unknown, lines: LineCounter): number | undefined {
  const range = (node as Partial<Node> | null)?.range;
  return range ? lines.linePos(range[0]).line : undefined;
}
