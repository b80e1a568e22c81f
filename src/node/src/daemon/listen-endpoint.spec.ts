import { describe, expect, it } from '@jest/globals';
import { parseListenEndpoint } from './listen-endpoint.js';

describe('parseListenEndpoint', () => {
  it.each([
    ['0.0.0.0:46357', { kind: 'http2', address: { host: '0.0.0.0', port: 46357 } }],
    ['[::1]:0', { kind: 'http2', address: { host: '::1', port: 0 } }],
    ['unix:///run/slim.sock', { kind: 'http2', address: { path: '/run/slim.sock' } }],
    ['ws://a:1', { kind: 'websocket', secure: false, address: { host: 'a', port: 1 }, path: '/' }],
    [
      'wss://[::]:1/slim/x',
      { kind: 'websocket', secure: true, address: { host: '::', port: 1 }, path: '/slim/x' },
    ],
  ])('reads %s', (text, endpoint) => {
    expect(parseListenEndpoint(text)).toStrictEqual(endpoint);
  });

  it.each(['nowhere', ':1', 'a:65536', 'http://a:1', 'ws://a', '::1:1', 'a:1/path', ''])(
    'refuses "%s"',
    (text) => {
      expect(() => parseListenEndpoint(text)).toThrow('expected HOST:PORT to listen on');
    },
  );
});
