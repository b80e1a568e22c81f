import { beforeAll, describe, expect, it } from '@jest/globals';
import { SlimName, loadNameHash, sharedSecret, type IdentityVerifier } from '@nestjs-slim/core';
import { ManualClock } from '@nestjs-slim/core/testing';
import { applicationId } from '../../libs/slim-core/src/names/name-id.js';
import { verifySender } from '../../libs/slim-core/src/session/checks.js';
import { toIncoming, type Incoming } from '../../libs/slim-core/src/session/incoming.js';
import { frame } from '../../libs/slim-core/src/wire/frame.js';
import { headerIntegrityBytes } from '../../libs/slim-core/src/wire/header-integrity.js';
import { isControl } from '../../libs/slim-core/src/wire/session-header.js';
import { nodeCrypto } from '../../libs/slim-platform-node/src/node-crypto.js';
import { captureFrames, captureNames, readCapture, toHex } from '../support/vectors.js';
import { identityVectors } from './identity-vectors.js';

const { shared_secret: secret } = readCapture('p2p-plain');

/** A verifier whose clock shows the time at which the token was minted. */
function verifierAt(token: string, sharedWith = secret): IdentityVerifier {
  const clock = new ManualClock(Number(token.split(':')[1]) * 1000);
  const name = SlimName.parse('org/ns/verifier');
  return sharedSecret({ secret: sharedWith })({ name, crypto: nodeCrypto, clock }).verifier;
}

const frames = captureNames.flatMap(captureFrames);

const withToken = frames.flatMap(({ title, bytes }) => {
  const { publish, subscribe, unsubscribe } = frame.decode(bytes);
  const header = (publish ?? subscribe ?? unsubscribe)?.header;
  return header?.identity ? [{ title, token: header.identity, source: header.source }] : [];
});

const control = frames.flatMap(({ title, bytes }) => {
  const incoming = toIncoming(frame.decode(bytes));
  return incoming && isControl(incoming.session.messageType) ? [{ title, incoming }] : [];
});

beforeAll(loadNameHash);

describe('a shared-secret token', () => {
  it.each(withToken)('of a native application verifies: $title', async ({ token, source }) => {
    const { subject } = await verifierAt(token).verify(token);
    expect(token.startsWith(`${subject}:`)).toBe(true);
    expect(source?.id).toBe(applicationId(subject));
  });

  it('of a native application is refused by whoever knows another secret', async () => {
    const tokens = new Set(withToken.map(({ token }) => token));
    const other = secret.replaceAll('demo', 'test');
    for (const token of tokens) {
      const verify = async () => verifierAt(token, other).verify(token);
      await expect(verify()).rejects.toMatchObject({ code: 'identity-rejected' });
    }
    expect(tokens.size).toBeGreaterThan(50);
  });
});

describe('a control message', () => {
  it.each(control)('of a native application is signed: $title', async ({ incoming }) => {
    const verifier = verifierAt(incoming.header.identity);
    const { publicKey } = await verifySender(verifier, nodeCrypto, incoming);
    expect(publicKey).toHaveLength(65);
  });

  it.each([
    {
      part: 'the message id',
      forge: (incoming: Incoming) => ({
        ...incoming,
        session: { ...incoming.session, messageId: incoming.session.messageId + 1 },
      }),
    },
    {
      part: 'the destination',
      forge: (incoming: Incoming) => ({
        ...incoming,
        header: { ...incoming.header, destination: incoming.source },
      }),
    },
    {
      part: 'the signature, which is left out',
      forge: (incoming: Incoming) => ({
        ...incoming,
        header: { ...incoming.header, headerSignature: undefined },
      }),
    },
  ])('is refused when somebody changed $part', async ({ forge }) => {
    for (const { incoming } of control) {
      const verifier = verifierAt(incoming.header.identity);
      const verify = async () => verifySender(verifier, nodeCrypto, forge(incoming));
      await expect(verify()).rejects.toMatchObject({ code: 'identity-rejected' });
    }
  });
});

describe.each(identityVectors)('vector $title of the identity reference', (vector) => {
  const recorded = readCapture(vector.capture).entries[vector.entry];
  const message = frame.decode(Uint8Array.from(Buffer.from(recorded?.hex ?? '', 'hex')));
  const header = (message.publish ?? message.subscribe)?.header;

  it('is the recorded message', () => {
    expect(header?.identity).toBe(vector.token);
  });

  it('has the claims, the proof and the application id of the reference', async () => {
    const { publicKey, subject, claims } = await verifierAt(vector.token).verify(vector.token);
    expect(toHex(publicKey)).toBe(vector.publicKey);
    expect(claims.custom_claims).toStrictEqual({
      pubkey: Buffer.from(vector.publicKey, 'hex').toString('base64'),
    });
    expect(applicationId(subject).toString(16)).toBe(vector.applicationId);
    const [proof = ''] = vector.token.split(':').slice(-1);
    expect(Buffer.from(proof, 'base64url').toString('hex')).toBe(vector.hmac);
    const signed = Buffer.from(vector.token.slice(0, -proof.length - 1));
    expect(toHex(nodeCrypto.hmacSha256(Buffer.from(secret), signed))).toBe(vector.hmac);
  });

  it('signs the bytes of the reference, if it is signed', () => {
    const session = message.publish?.session;
    const signed = header && session && toHex(headerIntegrityBytes(header, session, ''));
    expect(signed).toBe(vector.signed);
    expect(header?.headerSignature && toHex(header.headerSignature)).toBe(vector.signature);
  });
});
