import { SlimError } from '@nestjs-slim/core';
import { describe, expect, it } from '@jest/globals';
import { cleanFields, cleanText } from './clean-fields.js';

describe('cleanText', () => {
  it.each([
    ['a JWT', 'got eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhIn0.c2ln, refused', 'got <token>, refused'],
    ['a Bearer header', 'authorization: Bearer abc123, more', 'authorization: Bearer …, more'],
    ['Basic credentials', 'Basic dXNlcjpwYXNz', 'Basic …'],
    ['credentials in a URL', 'https://user:pass@host/x', 'https://…@host/x'],
    ['a token in a query', 'ws://host/?token=abc&x=1', 'ws://host/?token=…&x=1'],
    [
      'a key in PEM',
      'read -----BEGIN PRIVATE KEY-----\nMIIB\n-----END PRIVATE KEY----- here',
      'read <pem> here',
    ],
    ['a key that is cut off', '-----BEGIN PRIVATE KEY-----\nMIIB', '<pem>'],
  ])('leaves out %s', (_, text, clean) => {
    expect(cleanText(text)).toBe(clean);
  });

  it('leaves a sentence as it is', () => {
    const text = 'expected basic credentials or a bearer token, got nothing';
    expect(cleanText(text)).toBe(text);
  });

  it('cuts what is endless', () => {
    expect(cleanText('x'.repeat(1_000_000))).toBe(`${'x'.repeat(1_000)}…`);
  });
});

describe('cleanFields', () => {
  it('leaves out whatever is named like a secret, at any depth', () => {
    const fields = {
      ...{ token: 'a', accessToken: 'b', client_secret: 'c', password: 'd', privateKey: 'e' },
      list: [{ authorization: 'f', kind: 'edge' }],
    };
    expect(cleanFields(fields)).toStrictEqual({
      ...{ token: '<redacted>', accessToken: '<redacted>', client_secret: '<redacted>' },
      ...{ password: '<redacted>', privateKey: '<redacted>' },
      list: [{ authorization: '<redacted>', kind: 'edge' }],
    });
  });

  it('keeps of an error its code and message', () => {
    const cause = new Error('Bearer top-secret-1');
    const reason = new SlimError('refused', 'Bearer top-secret-1 is wrong', { cause });
    const stranger = new TypeError('no');
    expect(cleanFields({ reason, stranger })).toStrictEqual({
      reason: { code: 'refused', message: 'Bearer … is wrong' },
      stranger: { code: 'TypeError', message: 'no' },
    });
  });

  it('counts bytes, and ends at a bounded depth', () => {
    const nested: { next?: object } = {};
    nested.next = nested;
    expect(cleanFields({ bytes: new Uint8Array(3), big: 7n })).toStrictEqual({
      bytes: '<3 bytes>',
      big: '7',
    });
    expect(JSON.stringify(cleanFields(nested))).toContain('<nested>');
  });
});
