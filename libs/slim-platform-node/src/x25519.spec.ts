import { createPrivateKey } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import type { AgreementKey } from '@nestjs-slim/core';
import { nodeCrypto } from './node-crypto.js';
import { x25519Key } from './x25519.js';

const hex = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, 'hex'));
const pkcs8Prefix = '302e020100300506032b656e04220420';

function keyOf(scalar: string): AgreementKey {
  const key = Buffer.from(pkcs8Prefix + scalar, 'hex');
  return x25519Key(createPrivateKey({ key, format: 'der', type: 'pkcs8' }));
}

describe('x25519Key', () => {
  it('agrees with RFC 7748 section 6.1', () => {
    const bob = keyOf('5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb');
    const alice = hex('8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a');
    expect(bob.publicKey).toStrictEqual(
      hex('de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f'),
    );
    expect(bob.agree(alice)).toStrictEqual(
      hex('4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742'),
    );
  });

  it('derives the header MAC key that a native client accepted (data plane 3.4)', () => {
    const acceptor = keyOf('98d991b1f69e9f633a0e76f928160864d1e0615eb838bbf0b12efab38ec49b65');
    expect(acceptor.publicKey).toStrictEqual(
      hex('f392add0cd7fa8484688244720bfa95b6cd8dbfd682b5318930511de5131bf2d'),
    );
    const shared = acceptor.agree(
      hex('9649f1643a641bac37ebaeb1bed7109f228cf092390e19d1ab8898973153430c'),
    );
    expect(shared).toStrictEqual(
      hex('5109683c8ebfafbaceaa09fc81bf03035bb529ace4dce03938c969b110ba6848'),
    );
    const salt = Buffer.from('72bc6a95-21f3-4ad8-bff7-7bc5c07b3edd');
    const info = Buffer.from('SLIM-DP-inter-node-hmac-v1');
    expect(nodeCrypto.hkdfSha256(shared ?? hex(''), salt, info, 32)).toStrictEqual(
      hex('06304361c87196790abd0cc4ef7ef0a6b6aacedb0927fc61653d3cc4da4eb266'),
    );
  });
});

describe('nodeCrypto.agreementKey', () => {
  it('gives both sides the same secret', () => {
    const [a, b] = [nodeCrypto.agreementKey(), nodeCrypto.agreementKey()];
    expect(a.publicKey.length).toBe(32);
    expect(a.agree(b.publicKey)).toStrictEqual(b.agree(a.publicKey));
    expect(a.agree(b.publicKey)?.length).toBe(32);
  });

  it.each([
    ['zero', '00'.repeat(32)],
    ['one', `01${'00'.repeat(31)}`],
    ['of order 8', 'e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800'],
    ['of order 8 too', '5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157'],
    ['p - 1', `ec${'ff'.repeat(30)}7f`],
    ['p', `ed${'ff'.repeat(30)}7f`],
    ['p + 1', `ee${'ff'.repeat(30)}7f`],
    ['empty', ''],
    ['short', '09'.repeat(31)],
    ['long', '09'.repeat(33)],
  ])('does not agree with a peer key that is %s', (_, key) => {
    expect(nodeCrypto.agreementKey().agree(hex(key))).toBeUndefined();
  });
});
