import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { configJsonSchemaText } from './json-schema.js';

describe('docs/slim-config.schema.json', () => {
  it('is what the schema says now; `npm run schema:update` writes it', () => {
    const published = new URL('../../../../docs/slim-config.schema.json', import.meta.url);
    const current: unknown = JSON.parse(configJsonSchemaText());
    expect(JSON.parse(readFileSync(published, 'utf8'))).toStrictEqual(current);
  });
});
