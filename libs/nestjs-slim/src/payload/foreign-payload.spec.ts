import { describe, expect, it } from '@jest/globals';
import type { SessionMessage } from '@nestjs-slim/core';
import { readForeign, writeForeign, writeForeignError } from './foreign-payload.js';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const textOf = (payload: Uint8Array | undefined): string => new TextDecoder().decode(payload);
const message = (payloadType: string, payload: Uint8Array): SessionMessage =>
  ({ payloadType, payload }) as SessionMessage;

describe('a foreign payload', () => {
  it.each([
    ['application/json', '{"a":1}', { a: 1 }],
    ['application/json; charset=utf-8', '"text"', 'text'],
    ['APPLICATION/JSON', 'null', null],
    ['application/vnd.acme+json', '[1]', [1]],
    ['msg', '{"a":1}', { a: 1 }],
    ['msg', ' \n[1, 2]', [1, 2]],
    ['', '{}', {}],
  ])('of type "%s" that is %s is parsed', (payloadType, text, value) => {
    expect(readForeign(message(payloadType, bytes(text)))).toStrictEqual(value);
  });

  it.each([
    ['msg', 'plain text'],
    ['msg', '42'],
    ['msg', '"text"'],
    ['msg', '{ not json'],
    ['msg', ''],
    ['application/octet-stream', '[1]'],
    ['application/jsonish', '[1]'],
  ])('of type "%s" that is %s stays bytes', (payloadType, text) => {
    const payload = bytes(text);
    expect(readForeign(message(payloadType, payload))).toBe(payload);
  });

  it.each(['text/plain', 'Text/Plain; charset=utf-8'])('of type "%s" is text', (payloadType) => {
    expect(readForeign(message(payloadType, bytes('{"ü":1}')))).toBe('{"ü":1}');
  });

  it.each([
    ['application/json', bytes('{')],
    ['text/plain', new Uint8Array([0xff])],
  ])('that says it is %s and is not, is refused', (payloadType, payload) => {
    expect(() => readForeign(message(payloadType, payload))).toThrow(
      expect.objectContaining({ code: 'malformed-frame' }),
    );
  });

  it.each([
    ['text', 'text/plain', 'text'],
    ['', 'text/plain', ''],
    [{ a: 1 }, 'application/json', '{"a":1}'],
    [null, 'application/json', 'null'],
    [0, 'application/json', '0'],
  ])('for %p is %s', (value, payloadType, text) => {
    const written = writeForeign(value);
    expect(written?.payloadType).toBe(payloadType);
    expect(textOf(written?.payload)).toBe(text);
  });

  it('for bytes is those bytes, for undefined nothing', () => {
    const payload = new Uint8Array([0, 255]);
    expect(writeForeign(payload)?.payload).toBe(payload);
    expect(writeForeign(undefined)).toBeUndefined();
  });

  it.each([
    [{ status: 'error', message: 'no' }, '{"status":"error","message":"no"}'],
    ['no', '{"status":"error","message":"no"}'],
    [undefined, '{"status":"error","message":""}'],
  ])('for the error %p is marked as one', (error, text) => {
    const { payload, ...rest } = writeForeignError(error);
    expect(textOf(payload)).toBe(text);
    expect(rest).toStrictEqual({
      payloadType: 'application/json',
      metadata: { 'slim-error': 'true' },
    });
  });
});
