import { describe, expect, it } from '@jest/globals';
import { hashComponent, hashId, loadNameHash } from './name-hash.js';

describe('loadNameHash', () => {
  it('has to be awaited before a name is hashed', async () => {
    expect(() => hashComponent('org')).toThrow(expect.objectContaining({ code: 'invalid-config' }));
    await loadNameHash();
    expect(hashComponent('org')).toBe(0x873e580376ea963bn);
  });

  it('compiles once, however often it is called', async () => {
    expect(loadNameHash()).toBe(loadNameHash());
    await loadNameHash();
  });
});

describe('a hash', () => {
  it('does not depend on what was hashed before', async () => {
    await loadNameHash();
    const first = [hashComponent('ns'), hashId('ns')];
    hashComponent('something longer than one stripe of the hash, which is 32 bytes');
    hashId('');
    expect([hashComponent('ns'), hashId('ns')]).toStrictEqual(first);
  });
});
