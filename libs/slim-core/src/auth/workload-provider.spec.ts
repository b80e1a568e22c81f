import { describe, expect, it } from '@jest/globals';
import { nodeCrypto } from '../../../slim-platform-node/src/node-crypto.js';
import { AnsweredSource } from '../testing/answered-source.js';
import { ManualClock } from '../testing/manual-clock.js';
import { turns } from '../testing/turns.js';
import type { Identity, IdentityVerifier } from './identity.js';
import { WorkloadProvider } from './workload-provider.js';

function setup() {
  const clock = new ManualClock();
  const keys = nodeCrypto.signingKeyPair();
  const tokens = new AnsweredSource();
  const source = { token: tokens.read, onChange: tokens.onChange };
  const verify = (): Identity => ({
    ...{ subject: 'a', principal: 'a', publicKey: keys.publicKey, claims: {} },
    ...{ issuedAtMs: clock.now(), expiresAtMs: clock.now() + 60_000 },
  });
  const verifier: IdentityVerifier = { verify, verifyCredential: verify };
  const ignored = (): void => undefined;
  const options = { source, keys, verifier, clock, onError: ignored, release: ignored };
  return { clock, tokens, provider: new WorkloadProvider(options) };
}

describe('WorkloadProvider', () => {
  it('takes one token after the other, from the first one on, so that the last one stays', async () => {
    const { clock, tokens, provider } = setup();
    const starting = provider.start();
    await turns();
    tokens.change();
    await turns();
    expect(tokens.waiting).toBe(1);
    await tokens.answer('old');
    await tokens.answer('new');
    await starting;
    expect(provider.token()).toBe('new');
    provider.close();
    expect(clock.pending).toBe(0);
  });
});
