import { describe, expect, it } from '@jest/globals';
import { KeyCache } from './key-cache.js';

function setup(limit: number) {
  const built: string[] = [];
  const cache = new KeyCache<string>(limit);
  const get = (id: string) =>
    cache.get(id, () => {
      built.push(id);
      return `key ${id}`;
    });
  return { built, cache, get };
}

describe('KeyCache', () => {
  it('builds a key once', () => {
    const { built, get } = setup(2);
    expect([get('a'), get('a')]).toStrictEqual(['key a', 'key a']);
    expect(built).toStrictEqual(['a']);
  });

  it('forgets the key that was not asked for longest', () => {
    const { built, cache, get } = setup(2);
    for (const id of ['a', 'b', 'a', 'c', 'a', 'b']) get(id);
    expect(built).toStrictEqual(['a', 'b', 'c', 'b']);
    expect(cache.size).toBe(2);
  });

  it('does not keep what could not be built', () => {
    const { cache, get } = setup(2);
    const refuse = () => {
      throw new Error('no key');
    };
    expect(() => cache.get('a', refuse)).toThrow('no key');
    expect(cache.size).toBe(0);
    expect(get('a')).toBe('key a');
  });
});
