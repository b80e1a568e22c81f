import { describe, expect, it } from '@jest/globals';
import { deriveKey, deriveNonce, ratchetUntil, type GenerationSecret } from 'ts-mls/secretTree.js';
import { nodeCrypto } from '../../../slim-platform-node/src/node-crypto.js';
import { toHex } from '../testing/hex.js';
import { cipherSuite } from './cipher-suite.js';
import { SecretRatchet, type MessageKey } from './secret-ratchet.js';

const secret = Uint8Array.from({ length: 32 }, (_, index) => index * 7);
const maxAhead = 16_384;

const setup = () => new SecretRatchet(nodeCrypto, secret);
const text = ({ key, nonce }: MessageKey): string => `${toHex(key)} ${toHex(nonce)}`;
const failure = expect.objectContaining({ code: 'mls-failure' });

/** Key and nonce of that generation as the MLS library derives them. */
async function fromLibrary(generation: number): Promise<string> {
  const suite = cipherSuite(nodeCrypto);
  const start: GenerationSecret = { secret, generation: 0, unusedGenerations: {} };
  const steps = {
    retainKeysForGenerations: 0,
    retainKeysForEpochs: 0,
    maximumForwardRatchetSteps: maxAhead,
  };
  const [reached] = await ratchetUntil(start, generation, steps, suite.kdf);
  return text({
    key: await deriveKey(reached.secret, generation, suite),
    nonce: await deriveNonce(reached.secret, generation, suite),
  });
}

describe('SecretRatchet', () => {
  it.each([0, 1, 2, 17, 1_024])('derives generation %d like the MLS library', async (at) => {
    expect(text(setup().peek(at))).toBe(await fromLibrary(at));
  });

  it('gives out one generation after the other to send with', async () => {
    const ratchet = setup();
    for (let generation = 0; generation < 5; generation += 1) {
      const key = ratchet.next();
      expect(key.generation).toBe(generation);
      expect(text(key)).toBe(await fromLibrary(generation));
    }
  });

  it('does not touch the secret it was given, nor need it later', () => {
    const given = secret.slice();
    const ratchet = new SecretRatchet(nodeCrypto, given);
    ratchet.next();
    expect(toHex(given)).toBe(toHex(secret));
    given.fill(0);
    expect(text(ratchet.next())).toBe(text(setup().peek(1)));
  });

  it('gives up nothing for a generation that is only looked at', () => {
    const ratchet = setup();
    const before = [0, 3, 9].map((at) => text(ratchet.peek(at)));
    ratchet.peek(500);
    expect([0, 3, 9].map((at) => text(ratchet.peek(at)))).toStrictEqual(before);
  });

  it('gives a generation out once', () => {
    const ratchet = setup();
    ratchet.consume(0);
    expect(() => ratchet.peek(0)).toThrow(failure);
    expect(() => ratchet.peek(1)).not.toThrow();
  });

  it('keeps what it passed over for messages that come late, each once', () => {
    const ratchet = setup();
    const early = [0, 1, 2].map((at) => text(ratchet.peek(at)));
    ratchet.consume(3);
    expect([2, 0, 1].map((at) => text(ratchet.peek(at)))).toStrictEqual([
      early[2],
      early[0],
      early[1],
    ]);
    ratchet.consume(1);
    expect(() => ratchet.peek(1)).toThrow(failure);
    expect(text(ratchet.peek(2))).toBe(early[2]);
  });

  it('takes no notice of a generation that was consumed before', () => {
    const ratchet = setup();
    ratchet.consume(2);
    ratchet.consume(2);
    ratchet.consume(0);
    ratchet.consume(0);
    expect(text(ratchet.peek(3))).toBe(text(setup().peek(3)));
  });

  it('refuses what is too far ahead, so that nobody can make it count for long', () => {
    const ratchet = setup();
    expect(() => ratchet.peek(maxAhead + 1)).toThrow(failure);
    expect(() => ratchet.peek(0xffff_ffff)).toThrow(failure);
    ratchet.consume(0);
    expect(() => ratchet.peek(maxAhead + 1)).not.toThrow();
  });

  it('keeps the last of many that it passed over at once', () => {
    const ratchet = setup();
    const late = [maxAhead - 1_024, maxAhead - 1].map((at) => text(ratchet.peek(at)));
    ratchet.consume(maxAhead);
    expect([maxAhead - 1_024, maxAhead - 1].map((at) => text(ratchet.peek(at)))).toStrictEqual(
      late,
    );
    expect(() => ratchet.peek(maxAhead - 1_025)).toThrow(failure);
  });

  it('forgets the oldest of too many that never came', () => {
    const ratchet = setup();
    ratchet.consume(1_000);
    ratchet.consume(1_000 + 30);
    expect(() => ratchet.peek(0)).toThrow(failure);
    expect(() => ratchet.peek(1_029)).not.toThrow();
  });
});
