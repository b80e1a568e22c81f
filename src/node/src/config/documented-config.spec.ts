import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from '@jest/globals';
import { configJsonSchemaText } from './json-schema.js';
import { parseConfig } from './parse-config.js';

const docs = fileURLToPath(new URL('../../../../docs/', import.meta.url));
const page = readFileSync(`${docs}configuration.md`, 'utf8');

/** Configuration files that documents show. */
const shown = readdirSync(docs)
  .filter((name) => name.endsWith('.md'))
  .flatMap((name) => {
    const text = readFileSync(docs + name, 'utf8');
    const blocks = [...text.matchAll(/^```ya?ml\n([^]*?)^```$/gm)];
    return blocks.map(([, block = '']) => [name, block] as const);
  })
  .filter(([, block]) => /^services:\n {2}slim\//m.test(block));

/** Every key of the schema. */
function keysIn(schema: unknown): string[] {
  if (typeof schema !== 'object' || schema === null) return [];
  const { properties = {} } = schema as { readonly properties?: object };
  return [...Object.keys(properties), ...Object.values(schema).flatMap(keysIn)];
}

describe('docs/configuration.md', () => {
  it.each(shown)(
    'and others show files that are valid, and without a warning: %s',
    (_name, text) => {
      const result = parseConfig(text, { env: () => 'x', file: () => 'x' });
      expect(result.kind === 'valid' ? result.warnings : result.issues).toStrictEqual([]);
    },
  );

  it('names every key', () => {
    const keys = new Set(keysIn(JSON.parse(configJsonSchemaText())));
    const words = new Set(page.match(/\w+/g));
    expect([...keys].filter((key) => !words.has(key))).toStrictEqual([]);
  });
});
