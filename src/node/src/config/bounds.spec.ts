import { describe, expect, it } from '@jest/globals';
import { at, client, plain, withClient, withServer } from './testing/one-link.js';
import { wrong } from './testing/verdict.js';

const longest = 2_147_483_647;
const timeLimit = `a duration of whole milliseconds, of at most ${longest}ms`;

describe('numbers of a configuration file', () => {
  it.each([
    withServer(plain, `keepalive: { time: ${longest}ms, max_connection_idle: 1y }`),
    withServer(plain, `max_header_list_size: 1024`, `max_concurrent_streams: ${longest}`),
    withClient('request_timeout: 1y', 'keepalive: { http2_keepalive: 0s, timeout: 24d }'),
  ])('may be the largest, and larger where they have no effect: %j', (text) => {
    expect(wrong(text)).toStrictEqual([]);
  });

  it.each<readonly [string, string]>([
    [
      withServer(plain, 'keepalive: { time: 1y }'),
      `f:7: ${at}.keepalive.time: expected ${timeLimit}, got "1y"`,
    ],
    [
      withServer(plain, 'keepalive: { time: 1500us }'),
      `f:7: ${at}.keepalive.time: expected ${timeLimit}, got "1500us"`,
    ],
    [
      withServer(plain, 'keepalive: { timeout: 25d }'),
      `f:7: ${at}.keepalive.timeout: expected ${timeLimit}, got "25d"`,
    ],
    [
      withServer(plain, 'keepalive: { max_connection_age: 30d }'),
      `f:7: ${at}.keepalive.max_connection_age: expected ${timeLimit}, got "30d"`,
    ],
    [
      withServer(plain, 'max_header_list_size: 512'),
      `f:7: ${at}.max_header_list_size: expected a whole number from 1024 to ${longest}, got 512`,
    ],
    [
      withServer(plain, 'max_concurrent_streams: 2147483648'),
      `f:7: ${at}.max_concurrent_streams: expected a whole number from 1 to ${longest}, got 2147483648`,
    ],
    [
      withClient('connect_timeout: 1y'),
      `f:6: ${client}.connect_timeout: expected ${timeLimit}, got "1y"`,
    ],
    [
      withClient('keepalive: { http2_keepalive: 1y }'),
      `f:6: ${client}.keepalive.http2_keepalive: expected ${timeLimit}, got "1y"`,
    ],
    [
      withClient('keepalive: { timeout: 500us }'),
      `f:6: ${client}.keepalive.timeout: expected ${timeLimit}, got "500us"`,
    ],
    [
      withClient(
        'auth: { type: jwt, duration: 10ms, claims: { subject: a }, key: { type: encoding, algorithm: ES256, format: pem, key: { data: a } } }',
      ),
      `f:6: ${client}.auth.duration: expected a duration of at least 1s, got something else`,
    ],
  ])('are refused with which no node could start: %j', (text, issue) => {
    expect(wrong(text)).toStrictEqual([issue]);
  });
});
