import { describe, expect, it } from '@jest/globals';
import type { Credential } from 'ts-mls';
import { SlimError } from '../errors/slim-error.js';
import type { Identity, IdentityVerifier } from '../auth/identity.js';
import { MemberIdentities, tokenCredential } from './member-identities.js';

/** A verifier that takes its time, and knows everybody but mallory. */
function setup() {
  const asked: string[] = [];
  const verifyCredential = async (token: string): Promise<Identity> => {
    asked.push(token);
    if (token === 'mallory') throw new SlimError('identity-rejected', 'not one of us');
    return {
      subject: `subject of ${token}`,
      principal: token,
      publicKey: new Uint8Array(),
      issuedAtMs: 0,
      expiresAtMs: 0,
      claims: {},
    };
  };
  const verifier: IdentityVerifier = { verify: verifyCredential, verifyCredential };
  return { asked, identities: new MemberIdentities(verifier) };
}

describe('MemberIdentities', () => {
  it('verifies a credential once and has its identity at hand from then on', async () => {
    const { asked, identities } = setup();
    const alice = tokenCredential('alice');
    await identities.verify(alice);
    await identities.verify(alice);
    expect(identities.of(alice).subject).toBe('subject of alice');
    expect(asked).toStrictEqual(['alice']);
  });

  it('verifies every credential by itself, whatever token it carries', async () => {
    const { asked, identities } = setup();
    await identities.verify(tokenCredential('alice'));
    await identities.verify(tokenCredential('alice'));
    expect(() => identities.of(tokenCredential('alice'))).toThrow(SlimError);
    expect(asked).toStrictEqual(['alice', 'alice']);
  });

  it('does not know who was never verified, or refused', async () => {
    const { identities } = setup();
    const mallory = tokenCredential('mallory');
    await expect(identities.verify(mallory)).rejects.toMatchObject({ code: 'identity-rejected' });
    for (const stranger of [mallory, tokenCredential('bob')]) {
      expect(() => identities.of(stranger)).toThrow(
        expect.objectContaining({ code: 'mls-failure' }),
      );
    }
  });

  it('refuses credentials that carry no token', async () => {
    const { identities } = setup();
    const certificate: Credential = { credentialType: 'x509', certificates: [] };
    await expect(identities.verify(certificate)).rejects.toMatchObject({ code: 'mls-failure' });
  });
});
