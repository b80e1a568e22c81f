import { describe, expect, it } from '@jest/globals';
import { hostAndPort, parseEndpoint } from './endpoint.js';

describe('parseEndpoint', () => {
  it.each([
    ['http://127.0.0.1:46357', false, '127.0.0.1', 46357, '127.0.0.1:46357'],
    ['http://node.example', false, 'node.example', 80, 'node.example'],
    ['https://node.example/', true, 'node.example', 443, 'node.example'],
    ['https://[::1]:8443', true, '::1', 8443, '[::1]:8443'],
  ])('reads %s', (text, secure, host, port, authority) => {
    const url = text.replace(/\/$/, '');
    const address = { host, port };
    expect(parseEndpoint(text)).toStrictEqual({ url, secure, address, authority });
  });

  it('reads the path of a Unix socket as it stands', () => {
    expect(parseEndpoint('unix:///run/my node%20.sock')).toStrictEqual({
      url: 'unix:///run/my node%20.sock',
      secure: false,
      address: { path: '/run/my node%20.sock' },
      authority: 'localhost',
    });
  });

  it.each([
    ['unix://relative.sock', 'expected unix:///path, got "unix://relative.sock"'],
    [`unix:///${'x'.repeat(103)}`, /expected a path of at most 103 bytes for a Unix socket/],
  ])('refuses %s', (text, message) => {
    expect(() => parseEndpoint(text)).toThrow(message);
  });

  it.each([
    '',
    '127.0.0.1:46357',
    'localhost:46357',
    'ws://localhost:46357',
    'http://',
    'http://host:99999',
    'http://host:46357/path',
    'http://host:46357?query',
  ])('refuses "%s" and says what it expected', (text) => {
    expect(() => parseEndpoint(text)).toThrow(
      expect.objectContaining({
        code: 'invalid-config',
        message: `expected http://host:port, https://host:port or unix:///path, got "${text}"`,
      }),
    );
  });

  it('refuses credentials and does not repeat them', () => {
    expect(() => parseEndpoint('http://me:secret@host:1')).toThrow('got "http://…@host:1"');
  });
});

describe('hostAndPort', () => {
  it('puts an IPv6 host in brackets', () => {
    expect(hostAndPort('::1', 80)).toBe('[::1]:80');
    expect(hostAndPort('localhost', 80)).toBe('localhost:80');
  });
});
