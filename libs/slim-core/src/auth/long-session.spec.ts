import { generateKeyPairSync } from 'node:crypto';
import { afterEach, describe, expect, it } from '@jest/globals';
import { SignJWT } from 'jose';
import { nodeCrypto } from '../../../slim-platform-node/src/node-crypto.js';
import type { SlimApp } from '../app/slim-app.js';
import type { SlimError } from '../errors/slim-error.js';
import { Fabric } from '../testing/fabric.js';
import { ManualClock } from '../testing/manual-clock.js';
import type { IdentitySource } from './identity.js';
import { jwt } from './jwt.js';
import type { TokenSource } from './token-source.js';
import { workloadAudience, workloadIdentity } from './workload-identity.js';

let fabric = new Fabric(nodeCrypto, 'a secret that nobody here uses for anything');
afterEach(async () => {
  await fabric.close();
  fabric = new Fabric(nodeCrypto, 'a secret that nobody here uses for anything');
});

const authority = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const jwks = { keys: [{ ...authority.publicKey.export({ format: 'jwk' }), kid: 'a' }] };
const lifeMs = 300_000;
const services = ['alice', 'bob'] as const;

/** An identity whose tokens live five minutes, by a clock of its own. */
type Maker = (service: string, clock: ManualClock) => Promise<IdentitySource>;

const byJwt: Maker = (service) =>
  Promise.resolve(
    jwt({
      subject: service,
      signingKey: { jwk: authority.privateKey.export({ format: 'jwk' }) },
      verificationKey: { jwks },
      lifetimeMs: lifeMs,
    }),
  );

/** As SPIRE does it with spiffe-helper: at half of its life, a token is replaced by a new one. */
const byWorkload: Maker = async (service, clock) => {
  const keyPair = nodeCrypto.signingKeyPair();
  const aud = ['slim', await workloadAudience(keyPair)];
  const source: TokenSource = {
    token() {
      const issued = Math.floor(clock.now() / (lifeMs / 2)) * (lifeMs / 2);
      const [iat, exp] = [issued / 1000, (issued + lifeMs) / 1000];
      return new SignJWT({ sub: `spiffe://example.org/${service}`, aud, iat, exp })
        .setProtectedHeader({ alg: 'ES256', kid: 'a' })
        .sign(authority.privateKey)
        .then((token) => (tokens[iat] ??= token));
    },
  };
  // Signatures of this kind differ each time; the file would have one token for all who read it.
  const tokens: Record<number, string> = {};
  return workloadIdentity({ source, keyPair, trust: { 'example.org': { jwks } } });
};

/** Moves time on in steps that each provider can keep up with. */
async function pass(clock: ManualClock, byMs: number): Promise<void> {
  for (let gone = 0; gone < byMs; gone += 30_000) {
    clock.advance(30_000);
    while (clock.pending < services.length) await new Promise((resolve) => setImmediate(resolve));
  }
}

const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

describe.each([
  ['JWT', byJwt],
  ['SPIFFE JWT-SVID', byWorkload],
] as const)('a session by %s', (_what, make) => {
  it.each([{ mls: true }, { mls: false }])(
    'goes on for hours with tokens of five minutes: %o',
    async ({ mls }) => {
      const clock = new ManualClock();
      const refused: SlimError[] = [];
      const connect = async (service: string): Promise<SlimApp> => {
        const source = await make(service, clock);
        const identity: IdentitySource = (context) => source({ ...context, clock });
        const app = await fabric.connect(`org/ns/${service}`, { identity });
        app.on('dropped', (reason) => {
          // A repeated answer that comes late, on a slow machine, is dropped as well.
          if (reason.code === 'identity-rejected') refused.push(reason);
        });
        return app;
      };
      const [alice, bob] = [await connect('alice'), await connect('bob')];
      const answering = (async () => {
        for await (const session of bob.sessions()) {
          for await (const message of session) await message.reply(message.payload);
        }
      })();
      const session = await alice.openSession('org/ns/bob', { mls });
      const issued = new Set<number>();
      for (let round = 0; round < 6; round += 1) {
        await session.publish(new TextEncoder().encode(`round ${round}`));
        const { payload, identity } = await session.next({ timeoutMs: 3_000 });
        expect(text(payload)).toBe(`round ${round}`);
        expect(identity.expiresAtMs).toBeGreaterThan(clock.now());
        issued.add(identity.expiresAtMs);
        await pass(clock, 1_800_000);
      }
      expect(issued.size).toBe(6);
      expect(refused).toStrictEqual([]);
      await session.close();
      await bob.close();
      await answering;
      await alice.close();
      expect(clock.pending).toBe(0);
    },
  );
});
