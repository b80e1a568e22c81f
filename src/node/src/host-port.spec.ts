import { describe, expect, it } from '@jest/globals';
import { SlimError } from '@nestjs-slim/core';
import { parseHostPort } from './host-port.js';

describe('parseHostPort', () => {
  it.each([
    ['127.0.0.1:46380', { host: '127.0.0.1', port: 46380 }],
    ['localhost:0', { host: 'localhost', port: 0 }],
    ['[::1]:65535', { host: '::1', port: 65535 }],
  ])('reads %s', (text, address) => {
    expect(parseHostPort(text, 'to listen on')).toStrictEqual(address);
  });

  it.each(['nowhere', ':1', 'a:65536', 'http://a:1', '::1:1', '[a]:1', '[1.2.3.4]:1', 'a b:1', ''])(
    'refuses "%s", and says what it is for',
    (text) => {
      const what = `expected HOST:PORT for the admin port, got "${text}"`;
      expect(() => parseHostPort(text, 'for the admin port')).toThrow(
        new SlimError('invalid-config', what),
      );
    },
  );
});
