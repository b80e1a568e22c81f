import type { Capabilities, CiphersuiteImpl, ClientConfig } from 'ts-mls';
import { generateKeyPackageWithKey } from 'ts-mls/keyPackage.js';
import { defaultKeyPackageEqualityConfig } from 'ts-mls/keyPackageEqualityConfig.js';
import { defaultKeyRetentionConfig } from 'ts-mls/keyRetentionConfig.js';
import { defaultLifetimeConfig } from 'ts-mls/lifetimeConfig.js';
import { defaultPaddingConfig } from 'ts-mls/paddingConfig.js';
import type { IdentityVerifier } from '../auth/identity.js';
import type { Clock } from '../clock/clock.js';
import type { Crypto, SigningKeyPair } from '../crypto/crypto.js';
import { suiteName } from './cipher-suite.js';
import { tokenCredential, type MemberIdentities } from './member-identities.js';
import type { OwnKeyPackage } from './welcome.js';

/** What every group of one application is made from. */
export interface MlsContext {
  readonly crypto: Crypto;
  readonly clock: Clock;
  readonly suite: CiphersuiteImpl;
  readonly verifier: IdentityVerifier;
  readonly keys: SigningKeyPair;
}

const secondsPerHour = 3600;
const secondsPerYear = 365 * 24 * secondsPerHour;

const capabilities: Capabilities = {
  versions: ['mls10'],
  ciphersuites: [suiteName],
  extensions: [],
  proposals: [],
  credentials: ['basic'],
};

/** A new key package for one group; `token` becomes the credential. */
export async function makeKeyPackage(context: MlsContext, token: string): Promise<OwnKeyPackage> {
  const { keys, suite, clock } = context;
  const now = BigInt(Math.floor(clock.now() / 1000));
  // The start lies back, because a native moderator refuses a package from the future.
  const lifetime = {
    notBefore: now - BigInt(secondsPerHour),
    notAfter: now + BigInt(secondsPerYear),
  };
  const credential = tokenCredential(token);
  const pair = { signKey: keys.privateKey, publicKey: keys.publicKey };
  return generateKeyPackageWithKey(credential, capabilities, lifetime, [], pair, suite);
}

/** How the library is to judge others: a credential by its token, and that it is about the key. */
export function clientConfig({ crypto }: MlsContext, identities: MemberIdentities): ClientConfig {
  return {
    keyRetentionConfig: defaultKeyRetentionConfig,
    lifetimeConfig: defaultLifetimeConfig,
    keyPackageEqualityConfig: defaultKeyPackageEqualityConfig,
    paddingConfig: defaultPaddingConfig,
    authService: {
      validateCredential: async (credential, publicKey) => {
        const identity = await identities.verify(credential);
        return crypto.equal(identity.publicKey, publicKey);
      },
    },
  };
}
