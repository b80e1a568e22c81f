import { describe, expect, it } from '@jest/globals';
import { sharedSecret } from '@nestjs-slim/core';
import { checkOptions, type SlimOptions } from './slim-options.js';

const identity = sharedSecret({ secret: 'a secret that only this file knows of, ever' });
const good: SlimOptions = { name: 'acme/billing/invoices', identity, node: 'http://127.0.0.1:1' };

describe('the options', () => {
  it('have defaults', () => {
    expect(checkOptions(good)).toMatchObject({
      requestTimeoutMs: 30_000,
      discoveryMs: 2_000,
      mls: true,
      reliable: true,
      drainMs: 10_000,
      spread: 1,
      rediscoverMs: 10_000,
    });
  });

  it.each([
    ['name', { ...good, name: undefined }],
    ['identity', { ...good, identity: 'secret' }],
    ['node', { ...good, node: undefined }],
    ['node', { ...good, node: '' }],
    ['node', { ...good, node: [] }],
    ['requestTimeoutMs', { ...good, requestTimeoutMs: -1 }],
    ['requestTimeoutMs', { ...good, requestTimeoutMs: Number.NaN }],
    ['discoveryMs', { ...good, discoveryMs: '2000' }],
    ['drainMs', { ...good, drainMs: null }],
    ['spread', { ...good, spread: 0 }],
    ['spread', { ...good, spread: 1.5 }],
    ['spread', { ...good, spread: '2' }],
    ['rediscoverMs', { ...good, rediscoverMs: -1 }],
    ['options', undefined],
  ])('with a bad %s are refused, by name', (option, options) => {
    // What a JavaScript caller can give.
    expect(() => checkOptions(options as SlimOptions)).toThrow(
      expect.objectContaining({
        code: 'invalid-config',
        message: expect.stringContaining(option),
      }),
    );
  });

  it('name the service, whatever instance the name says', () => {
    const name = `${String(good.name)}/00000000-0000-0000-0000-000000000001`;
    expect(String(checkOptions({ ...good, name }).name)).toBe('acme/billing/invoices');
  });

  it('with a bad own name are refused', () => {
    expect(() => checkOptions({ ...good, name: 'billing' })).toThrow(
      expect.objectContaining({ code: 'invalid-name' }),
    );
  });
});
