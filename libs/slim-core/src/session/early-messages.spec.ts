import { beforeAll, describe, expect, it } from '@jest/globals';
import { loadNameHash } from '../names/name-hash.js';
import { publishTo, wireNameOf } from '../testing/frames.js';
import { EarlyMessages, type EarlyMessage } from './early-messages.js';
import { toIncoming } from './incoming.js';

beforeAll(loadNameHash);

function message(): EarlyMessage {
  const incoming = toIncoming(publishTo(wireNameOf('org/ns/room')));
  if (!incoming) throw new Error('not a publish');
  const publicKey = new Uint8Array(65);
  const identity = {
    subject: 'alice',
    principal: 'alice',
    publicKey,
    issuedAtMs: 0,
    expiresAtMs: 0,
    claims: {},
  };
  return { incoming, identity };
}

describe('EarlyMessages', () => {
  it('gives each back once, in the order they came', () => {
    const early = new EarlyMessages();
    const [first, second] = [message(), message()];
    early.push(first);
    early.push(second);
    expect(early.take()).toStrictEqual([first, second]);
    expect(early.take()).toStrictEqual([]);
  });

  it('takes only so many', () => {
    const early = new EarlyMessages();
    const one = message();
    for (let count = 0; count < 512; count += 1) early.push(one);
    expect(() => early.push(one)).toThrow('too many messages of a later epoch');
  });
});
