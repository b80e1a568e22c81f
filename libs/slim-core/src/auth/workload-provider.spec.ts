import { describe, expect, it } from '@jest/globals';
import { nodeCrypto } from '../../../slim-platform-node/src/node-crypto.js';
import { ManualClock } from '../testing/manual-clock.js';
import { turns } from '../testing/turns.js';
import type { Identity, IdentityVerifier } from './identity.js';
import { WorkloadProvider } from './workload-provider.js';

/** A source that answers when the test says so. */
function setup() {
  const clock = new ManualClock();
  const keys = nodeCrypto.signingKeyPair();
  const answers: ((token: string) => void)[] = [];
  let changed = (): void => undefined;
  const source = {
    token: () => new Promise<string>((resolve) => answers.push(resolve)),
    onChange: (listener: () => void) => {
      changed = listener;
      return () => undefined;
    },
  };
  const verify = (): Identity => ({
    ...{ subject: 'a', principal: 'a', publicKey: keys.publicKey, claims: {} },
    ...{ issuedAtMs: clock.now(), expiresAtMs: clock.now() + 60_000 },
  });
  const verifier: IdentityVerifier = { verify, verifyCredential: verify };
  const ignored = (): void => undefined;
  const options = { source, keys, verifier, clock, onError: ignored, release: ignored };
  const answer = async (token: string): Promise<void> => {
    answers.shift()?.(token);
    await turns();
  };
  return {
    clock,
    provider: new WorkloadProvider(options),
    answers,
    answer,
    changed: () => changed(),
  };
}

describe('WorkloadProvider', () => {
  it('takes one token after the other, from the first one on, so that the last one stays', async () => {
    const { clock, provider, answers, answer, changed } = setup();
    const starting = provider.start();
    await turns();
    changed();
    await turns();
    expect(answers).toHaveLength(1);
    await answer('old');
    await answer('new');
    await starting;
    expect(provider.token()).toBe('new');
    provider.close();
    expect(clock.pending).toBe(0);
  });
});
