import { describe, expect, it } from '@jest/globals';
import { didYouMean } from './did-you-mean.js';

describe('didYouMean', () => {
  const words = ['endpoint', 'tls', 'auth', 'keepalive', 'require_header_mac'];
  it.each([
    ['endpont', 'endpoint'],
    ['tsl', undefined],
    ['tl', 'tls'],
    ['ath', 'auth'],
    ['keep_alive', 'keepalive'],
    ['requireHeaderMac', 'require_header_mac'],
    ['password', undefined],
    ['', undefined],
    ['x'.repeat(100_000), undefined],
  ])('finds for %.20s the word %s', (typed, meant) => {
    expect(didYouMean(typed, words)).toBe(meant);
  });
});
