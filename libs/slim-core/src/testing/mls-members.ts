import { sharedSecret } from '../auth/shared-secret.js';
import type { IdentityProvider } from '../auth/identity.js';
import type { Clock } from '../clock/clock.js';
import type { Crypto } from '../crypto/crypto.js';
import { cipherSuite } from '../mls/cipher-suite.js';
import type { MlsContext } from '../mls/mls-group.js';
import { SlimName } from '../names/slim-name.js';

/** An application that can be a member of a group. */
export interface MlsMember {
  readonly context: MlsContext;
  readonly provider: IdentityProvider;
}

/** Members with identities of one secret. */
export async function mlsMember(
  name: string,
  crypto: Crypto,
  clock: Clock,
  secret = 'the secret of groups under test, 32+',
): Promise<MlsMember> {
  const source = sharedSecret({ secret, id: name });
  const { provider, verifier } = source({ name: SlimName.parse(`org/ns/${name}`), crypto, clock });
  const suite = cipherSuite(crypto);
  return { provider, context: { crypto, clock, suite, verifier, keys: provider.keys } };
}
