import { SlimError } from '@nestjs-slim/core';

/** What the wildcards of a pattern stand for in one message, by name or, for `*`, by number. */
export type Params = Readonly<Record<string, string>>;

type Segment =
  | { readonly kind: 'literal'; readonly text: string }
  | { readonly kind: 'one'; readonly name: string }
  | { readonly kind: 'rest' };

/**
 * The operation of a handler's pattern: segments between dots, of which `:name` and `*` stand for any one
 * and a last `**` for one or more. No wildcard stands for an empty segment.
 */
export class OperationPattern {
  /** Equal for patterns that mean the same, whatever they call their wildcards. */
  readonly shape: string;
  readonly isExact: boolean;
  private readonly segments: readonly Segment[];

  /** @throws SlimError `invalid-name` for `**` before the end, and for two wildcards of one name */
  constructor(text: string) {
    let unnamed = 0;
    this.segments = text.split('.').map((part, index, { length }): Segment => {
      if (part === '**') {
        if (index === length - 1) return { kind: 'rest' };
        throw invalid(text, 'only its last segment can be "**"');
      }
      if (part === '*') return { kind: 'one', name: String(unnamed++) };
      if (part.startsWith(':') && part.length > 1) return { kind: 'one', name: part.slice(1) };
      return { kind: 'literal', text: part };
    });
    const names = this.segments.flatMap((segment) => (segment.kind === 'one' ? segment.name : []));
    const twice = names.find((name, index) => names.indexOf(name) !== index);
    if (twice !== undefined) throw invalid(text, `two of its wildcards are called "${twice}"`);
    this.shape = this.segments.map(shapeOf).join('.');
    this.isExact = this.segments.every(({ kind }) => kind === 'literal');
  }

  /** What the wildcards stand for in an operation; undefined when it is not of this pattern. */
  match(operation: string): Params | undefined {
    const parts = operation.split('.');
    const { segments } = this;
    const isOpen = segments.at(-1)?.kind === 'rest';
    if (isOpen ? parts.length < segments.length : parts.length !== segments.length)
      return undefined;
    const params: Record<string, string> = {};
    for (const [index, segment] of segments.entries()) {
      const part = parts[index] ?? '';
      if (part === '' && segment.kind !== 'literal') return undefined;
      if (segment.kind === 'literal' && segment.text !== part) return undefined;
      if (segment.kind === 'one') params[segment.name] = part;
      if (segment.kind === 'rest') params['**'] = parts.slice(index).join('.');
    }
    return params;
  }

  /** Orders patterns of one operation: the one that leaves less open first. */
  static bySpecificity(one: OperationPattern, other: OperationPattern): number {
    const length = Math.max(one.segments.length, other.segments.length);
    for (let index = 0; index < length; index += 1) {
      const difference = openness(one.segments[index]) - openness(other.segments[index]);
      if (difference !== 0) return difference;
    }
    return 0;
  }
}

function invalid(text: string, why: string): SlimError {
  return new SlimError('invalid-name', `not an operation of a handler: "${text}"; ${why}`);
}

function shapeOf(segment: Segment): string {
  if (segment.kind === 'literal') return segment.text;
  return segment.kind === 'one' ? '*' : '**';
}

function openness(segment: Segment | undefined): number {
  if (segment?.kind === 'literal') return 0;
  return segment?.kind === 'one' ? 1 : 2;
}
