import { describe, expect, it } from '@jest/globals';
import { textPayload } from './text-payload.js';

describe('text of a command', () => {
  it.each([
    ['{"a":1}', 'application/json'],
    ['[1]', 'application/json'],
    ['hello', 'text/plain'],
    ['', 'text/plain'],
    ['1', 'text/plain'],
    ['null', 'text/plain'],
    ['"quoted"', 'text/plain'],
    ['{"a":', 'text/plain'],
  ])('%j is published as %s', (text, payloadType) => {
    expect(textPayload(text)).toStrictEqual([Buffer.from(text), { payloadType }]);
  });
});
