import { describe, expect, it } from '@jest/globals';
import { nodeCrypto } from '../../../slim-platform-node/src/node-crypto.js';
import { VerifiedSignatures } from './verified-signatures.js';

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);
const data = utf8('signed data');

/** Counts how often the platform is asked. */
function setup() {
  let asked = 0;
  const verify: typeof nodeCrypto.verify = (...input) => {
    asked += 1;
    return nodeCrypto.verify(...input);
  };
  const { publicKey, privateKey } = nodeCrypto.signingKeyPair();
  const signatures = new VerifiedSignatures({ ...nodeCrypto, verify });
  return { signatures, publicKey, privateKey, asked: () => asked };
}

describe('VerifiedSignatures', () => {
  it('verifies the same signature once', () => {
    const { signatures, publicKey, privateKey, asked } = setup();
    const signature = nodeCrypto.sign(privateKey, data);
    const answers = [1, 2, 3].map(() => signatures.verify(publicKey, data.slice(), signature));
    expect(answers).toStrictEqual([true, true, true]);
    expect(asked()).toBe(1);
  });

  it('asks again for anything that differs in one byte', () => {
    const { signatures, publicKey, privateKey } = setup();
    const signature = nodeCrypto.sign(privateKey, data);
    expect(signatures.verify(publicKey, data, signature)).toBe(true);
    const changed = (bytes: Uint8Array): Uint8Array =>
      bytes.map((byte, at) => (at === bytes.length - 1 ? byte ^ 1 : byte));
    expect(signatures.verify(changed(publicKey), data, signature)).toBe(false);
    expect(signatures.verify(publicKey, changed(data), signature)).toBe(false);
    expect(signatures.verify(publicKey, data, changed(signature))).toBe(false);
    expect(signatures.verify(publicKey, data.subarray(1), signature)).toBe(false);
  });

  it('does not remember a signature that was wrong', () => {
    const { signatures, publicKey, privateKey, asked } = setup();
    const wrong = nodeCrypto.sign(privateKey, utf8('other data'));
    expect(signatures.verify(publicKey, data, wrong)).toBe(false);
    expect(signatures.verify(publicKey, data, wrong)).toBe(false);
    expect([asked(), signatures.size]).toStrictEqual([2, 0]);
  });

  it('does not take bytes of one field for those of the next', () => {
    const signatures = new VerifiedSignatures({
      ...nodeCrypto,
      // Knows one split of the same bytes only.
      verify: (key, _, signature) => key.length === 2 && signature.length === 2,
    });
    const bytes = Uint8Array.of(1, 2, 3, 4, 5, 6);
    const split = (a: number, b: number) =>
      [bytes.subarray(0, a), bytes.subarray(b), bytes.subarray(a, b)] as const;
    expect(signatures.verify(...split(2, 4))).toBe(true);
    for (const [a, b] of [
      [1, 4],
      [2, 5],
      [3, 4],
      [1, 2],
    ] as const) {
      expect(signatures.verify(...split(a, b))).toBe(false);
    }
  });

  it('stays bounded, and forgets what was not asked for longest', () => {
    let asked = 0;
    const verify = (): boolean => (asked += 1) > 0;
    const signatures = new VerifiedSignatures({ ...nodeCrypto, verify });
    const ask = (at: number): boolean => signatures.verify(data, Uint8Array.of(at >>> 8, at), data);
    ask(0);
    ask(1);
    for (let at = 2; at < 4_097; at += 1) {
      ask(0);
      ask(at);
    }
    expect([signatures.size, asked]).toStrictEqual([4_096, 4_097]);
    ask(0);
    expect(asked).toBe(4_097);
    ask(1);
    expect(asked).toBe(4_098);
  });
});
