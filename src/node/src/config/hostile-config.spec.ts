import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { parse, stringify } from 'yaml';
import { parseConfig, type ConfigResult } from './parse-config.js';
import { samples } from './testing/samples.js';

/** Stands in the samples, and is what every reference brings. */
const secret = 'correct-horse-battery-staple-0123';

const runs = { numRuns: 100 };

function read(text: string): ConfigResult {
  return parseConfig(text, { env: () => secret, file: () => secret });
}

/** It is a result, and nothing in it that would be shown shows a secret. */
function expectAnAnswer(text: string): void {
  const result = read(text);
  const shown = result.kind === 'valid' ? result.warnings : result.issues;
  expect(JSON.stringify(shown)).not.toContain(secret);
  if (result.kind === 'invalid') expect(result.issues).not.toHaveLength(0);
}

const sampleTexts = fc.constantFrom(...Object.values(samples));

/** What somebody may put anywhere. */
const anything = fc.oneof(
  fc.jsonValue({ maxDepth: 3 }),
  fc.constantFrom('${env:A}', '${file:B}', '${env:', '__proto__', 'constructor', 'spire', '10s'),
);

/** One change to one place, found by walking down as far as the choices lead. */
const change = fc.record({
  way: fc.array(fc.nat({ max: 7 }), { maxLength: 9 }),
  kind: fc.constantFrom('delete', 'replace', 'rename', 'add'),
  key: fc.oneof(fc.string(), fc.constantFrom('__proto__', 'type', 'auth', 'pem', 'key', 'basic')),
  value: anything,
});

type Change = typeof change extends fc.Arbitrary<infer T> ? T : never;

function apply(root: unknown, { way, kind, key, value }: Change): void {
  let container = root;
  let last: string | undefined;
  for (const step of way) {
    if (typeof container !== 'object' || container === null) break;
    const keys = Object.keys(container);
    last = keys[step % Math.max(1, keys.length)];
    const child: unknown = last === undefined ? undefined : Reflect.get(container, last);
    if (last === undefined || typeof child !== 'object' || child === null) break;
    container = child;
  }
  if (typeof container !== 'object' || container === null) return;
  const define = (name: string, content: unknown): void => {
    Object.defineProperty(container, name, {
      ...{ value: content, enumerable: true, configurable: true, writable: true },
    });
  };
  const named = last ?? key;
  if (kind === 'rename') define(key, Reflect.get(container, named));
  if (kind === 'delete' || kind === 'rename') Reflect.deleteProperty(container, named);
  if (kind === 'replace') define(named, value);
  if (kind === 'add' && !Array.isArray(container)) define(key, value);
}

describe('whatever a file holds, the answer is a configuration or a list of issues', () => {
  it('any text', () => {
    fc.assert(fc.property(fc.string({ unit: 'grapheme' }), expectAnAnswer), runs);
  });

  it('any YAML', () => {
    const asYaml = anything.map((value) => stringify(value));
    fc.assert(fc.property(asYaml, expectAnAnswer), runs);
  });

  it('a valid file with other values', () => {
    const changes = fc.array(change, { minLength: 1, maxLength: 4 });
    const changed = fc.tuple(sampleTexts, changes).map(([text, all]) => {
      const root: unknown = parse(text);
      for (const one of all) apply(root, one);
      return stringify(root);
    });
    fc.assert(fc.property(changed, expectAnAnswer), runs);
  });

  it('a valid file with other characters', () => {
    const splice = fc.record({ at: fc.nat(), remove: fc.nat({ max: 12 }), insert: fc.string() });
    const changed = fc.tuple(sampleTexts, splice).map(([text, { at, remove, insert }]) => {
      const start = at % text.length;
      return text.slice(0, start) + insert + text.slice(start + remove);
    });
    fc.assert(fc.property(changed, expectAnAnswer), runs);
  });

  it('a key of every object changes none of them', () => {
    const text = 'services: { __proto__: { polluted: true } }\n__proto__: { polluted: true }';
    expect(read(text).kind).toBe('invalid');
    expect(Object.keys(Object.prototype)).toStrictEqual([]);
  });
});
