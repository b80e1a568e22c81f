import type { SigningKeyPair } from '../crypto/crypto.js';
import { SlimError } from '../errors/slim-error.js';
import { parseAudience } from './audience.js';
import type { IdentityContext, IdentityPair, IdentitySource } from './identity.js';
import { readKeyPair } from './key-pair-pem.js';
import { openAll, parseVerificationKey } from './key-source.js';
import type { JwtVerificationKey, KeyOpener } from './key-source.js';
import { SignedTokens } from './signed-tokens.js';
import type { TokenSource } from './token-source.js';
import { claimsAudience, toWorkloadIdentity, trustDomainOf } from './workload-claims.js';

/** A P-256 key pair, as it is or as a PEM with the private key (PKCS#8). */
export type KeyPairSource = SigningKeyPair | { readonly pem: string };

/** Where the tokens of a workload come from, and whom it believes. */
export interface WorkloadIdentityOptions {
  /** JWT-SVIDs with the `workloadAudience` of the key pair among their audiences. */
  readonly source: TokenSource;
  /** What the tokens carry the public half of; messages are signed with the private one. */
  readonly keyPair: KeyPairSource;
  /** Trust domains, such as `example.org`, and the keys that their SVIDs are signed with. */
  readonly trust: Readonly<Record<string, JwtVerificationKey>>;
  /** A token must be for one of these; `slim` unless given. */
  readonly audience?: string | readonly string[];
  /** Hears when a newer token could not be had or used. The one at hand stays in use. */
  readonly onError?: (reason: SlimError) => void;
}

/**
 * Identity by SPIFFE JWT-SVIDs, as official applications with SPIRE have it (reference: identity 9). Newer
 * tokens of the source are used as soon as they are there.
 * @throws SlimError `invalid-config`
 */
export function workloadIdentity(options: WorkloadIdentityOptions): IdentitySource {
  if (typeof options.source?.token !== 'function') throw invalid('expected a source of tokens');
  const audience = parseAudience(options.audience ?? 'slim');
  const trust = parseTrust(options.trust);
  return (context) => connect({ ...options, audience }, trust, context);
}

/**
 * The audience by which a JWT-SVID carries the public key of a pair: it has to be requested together with
 * `slim`, for instance as `jwt_extra_audiences` of spiffe-helper.
 * @throws SlimError `invalid-config`
 */
export async function workloadAudience(keyPair: KeyPairSource): Promise<string> {
  return claimsAudience((await loadKeyPair(keyPair)).publicKey);
}

interface Settings extends WorkloadIdentityOptions {
  readonly audience: readonly string[];
}

type Trust = readonly (readonly [trustDomain: string, KeyOpener])[];

async function connect(
  { source, keyPair, audience, onError }: Settings,
  trust: Trust,
  { clock, recall }: IdentityContext,
): Promise<IdentityPair> {
  const [{ JwtVerifier }, { WorkloadProvider }] = await Promise.all([
    import('./jwt-verifier.js'),
    import('./workload-provider.js'),
  ]);
  const keys = await loadKeyPair(keyPair);
  // Name and keys come from outside, so nothing of it is needed but the store opened.
  recall?.(keys.privateKey);
  const tokens = new SignedTokens(await openAll(trust, trustDomainOf, clock));
  const verifier = new JwtVerifier(tokens, (claims) => toWorkloadIdentity(claims, audience), clock);
  const provider = new WorkloadProvider({
    source,
    keys,
    verifier,
    clock,
    onError: (reason) => onError?.(reason),
    release: () => tokens.close(),
  });
  try {
    await provider.start();
  } catch (reason) {
    provider.close();
    throw reason;
  }
  return { provider, verifier };
}

function loadKeyPair(source: KeyPairSource): Promise<SigningKeyPair> {
  if ('pem' in source) return readKeyPair(source.pem);
  return Promise.resolve(source);
}

/** SPIRE's bundles name no algorithm; those of curves follow from the curve. */
function parseTrust(trust: WorkloadIdentityOptions['trust']): Trust {
  const domains = Object.entries(trust ?? {});
  if (domains.length === 0) throw invalid('expected trust to have the keys of a trust domain');
  return domains.map(([trustDomain, source]) => {
    const isDomain = trustDomainOf({ sub: `spiffe://${trustDomain}/workload` }) === trustDomain;
    if (!isDomain)
      throw invalid(`expected a trust domain such as example.org, got "${trustDomain}"`);
    return [trustDomain, parseVerificationKey({ algorithm: 'RS256', ...source })] as const;
  });
}

function invalid(message: string): SlimError {
  return new SlimError('invalid-config', message);
}
