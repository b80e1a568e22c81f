import { describe, expect, it } from '@jest/globals';
import type { Identity } from '@nestjs-slim/core';
import { verifiedName } from './verified-name.js';

const identity = (subject: string, claims: Identity['claims']): Identity => ({
  subject,
  publicKey: new Uint8Array(65),
  issuedAtMs: 0,
  expiresAtMs: 0,
  claims,
});
const shared = { sub: '', iat: 100, exp: 3700, custom_claims: { pubkey: '' } };

describe('the name that a token was made out to', () => {
  it.each([
    ['acme/shop/gateway_a1B2c3D4', 'acme/shop/gateway'],
    ['acme/shop/gateway_a1B2c3D4_z1Z2z3Z4', 'acme/shop/gateway_a1B2c3D4'],
    ['acme/shop/gateway', 'acme/shop/gateway'],
    ['acme/shop/gateway_short', 'acme/shop/gateway_short'],
    ['acme/shop/gateway_a1B2c3D4\n', 'acme/shop/gateway_a1B2c3D4\n'],
    ['_a1B2c3D4', ''],
  ])('by a shared secret as %j is %j', (subject, name) => {
    expect(verifiedName(identity(subject, shared))).toBe(name);
  });

  it.each<[string, Identity['claims']]>([
    ['an issuer', { ...shared, iss: 'https://issuer.example' }],
    ['an audience', { ...shared, aud: ['acme'] }],
    ['a key of its own', { sub: '', iat: 100, exp: 3700, pubkey: '' }],
    ['another lifetime', { ...shared, exp: 7300 }],
    ['no time of issue', { ...shared, iat: undefined, exp: undefined }],
    ['nothing', {}],
  ])('by a token with %s is all of its subject', (_, claims) => {
    const subject = 'acme/users/admin_a1B2c3D4';
    expect(verifiedName(identity(subject, claims))).toBe(subject);
  });
});
