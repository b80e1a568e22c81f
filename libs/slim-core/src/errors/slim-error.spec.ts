import { describe, expect, it } from '@jest/globals';
import { SlimError } from './slim-error.js';

describe('SlimError', () => {
  it('is an error with a code to branch on', () => {
    const error = new SlimError('no-route', 'nobody answers at "org/ns/agent"');
    expect(error).toBeInstanceOf(Error);
    expect([error.name, error.code, error.message]).toStrictEqual([
      'SlimError',
      'no-route',
      'nobody answers at "org/ns/agent"',
    ]);
  });

  it('passes through unchanged where errors are wrapped', () => {
    const error = new SlimError('timeout', 'no answer');
    expect(SlimError.from(error, 'link-failed', 'dialling')).toBe(error);
  });

  it('keeps a foreign error as the cause and says what was being done', () => {
    const cause = new RangeError('offset is outside the bounds');
    const error = SlimError.from(cause, 'mls-failure', 'joining the group');
    expect(error.code).toBe('mls-failure');
    expect(error.message).toBe('joining the group: offset is outside the bounds');
    expect(error.cause).toBe(cause);
  });

  it.each([
    ['text', 'text'],
    [undefined, 'undefined'],
    [7, '7'],
  ])('wraps %p, which is no error', (reason, message) => {
    expect(SlimError.from(reason, 'aborted').message).toBe(message);
  });
});
