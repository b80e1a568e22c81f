import { SlimError } from '../errors/slim-error.js';
import { parseAudience } from './audience.js';
import type { IdentityContext, IdentityPair, IdentitySource, KeptIdentity } from './identity.js';
import { toJwtIdentity } from './jwt-claims.js';
import { parseKey, type JwtKey, type KeyLoader } from './jwt-keys.js';
import type { JwtClaims } from './jwt-signer.js';
import { keyMaterial } from './key-material.js';
import { parseVerificationKey, type JwtVerificationKey, type KeyOpener } from './key-source.js';
import { SignedTokens } from './signed-tokens.js';

/** How an application signs its own tokens, and which tokens of others it takes. */
export interface JwtOptions {
  /** The token id. Applications with the same subject have the same application id. */
  readonly subject: string;
  /** Stands in the own tokens; other tokens must not name another. Not looked at unless given. */
  readonly issuer?: string;
  /** Stands in the own tokens as a list; other tokens that have one must have one of these. */
  readonly audience?: string | readonly string[];
  /** Signs the own tokens. */
  readonly signingKey: JwtKey;
  /** Verifies all tokens, the own ones included, because a group verifies every member. */
  readonly verificationKey: JwtVerificationKey;
  /** How long a token is good; an hour unless given. It is renewed long before. */
  readonly lifetimeMs?: number;
}

const defaultLifetimeMs = 3_600_000;
const minLifetimeMs = 1_000;

/**
 * Identity by JSON Web Tokens that carry the application's key (reference: identity 7). Keys are
 * imported when an application connects, which fails with `invalid-config` for one that is malformed.
 * @throws SlimError `invalid-config`
 */
export function jwt(options: JwtOptions): IdentitySource {
  if ('token' in options || 'tokenFile' in options) {
    throw invalid(
      'a token from elsewhere does not carry the key of the application, so no session could be ' +
        'opened with it: expected a signingKey (a static token can authenticate the link to a node)',
    );
  }
  const { subject: tokenId } = options;
  if (typeof tokenId !== 'string') throw invalid('expected a subject');
  const claims = { ...parseClaims(options), tokenId };
  const signing = parseKey(options.signingKey, 'signing');
  const verification = parseVerificationKey(options.verificationKey);
  return async (context) => {
    const known = context.recall?.(keyMaterial(options.signingKey));
    return connect(claims, signing, verification, { ...context, known });
  };
}

let loading: ReturnType<typeof importTokens> | undefined;

/** Not before it is needed: most applications have another identity, and `jose` takes its time to load. */
const loadTokens = (): ReturnType<typeof importTokens> => (loading ??= importTokens());

async function importTokens() {
  const { JwtProvider } = await import('./jwt-provider.js');
  const { JwtVerifier } = await import('./jwt-verifier.js');
  const { JwtSigner } = await import('./jwt-signer.js');
  return { JwtProvider, JwtVerifier, JwtSigner };
}

async function connect(
  claims: JwtClaims & { readonly tokenId: string },
  signing: KeyLoader,
  verification: KeyOpener,
  { crypto, clock, known }: IdentityContext & { readonly known: KeptIdentity | undefined },
): Promise<IdentityPair> {
  const { JwtProvider, JwtVerifier, JwtSigner } = await loadTokens();
  const signer = new JwtSigner(claims, await signing(), clock);
  const tokens = new SignedTokens(await verification(clock));
  const { tokenId, lifetimeMs } = claims;
  const keys = known?.keys ?? crypto.signingKeyPair();
  const provider = new JwtProvider(signer, { tokenId, keys, lifetimeMs, clock, tokens });
  const verifier = new JwtVerifier(tokens, (found) => toJwtIdentity(found, claims), clock);
  try {
    await provider.start();
    await verifier.verify(provider.token());
  } catch (reason) {
    provider.close();
    // Nobody knows whether the keys fit as long as they cannot be had.
    if (reason instanceof SlimError && reason.code === 'link-failed') throw reason;
    const message = 'expected a verificationKey that verifies what the signingKey signs';
    throw new SlimError('invalid-config', message, { cause: reason });
  }
  return { provider, verifier };
}

/** @throws SlimError `invalid-config` */
export function parseClaims(options: {
  readonly subject?: string;
  readonly issuer?: string;
  readonly audience?: string | readonly string[];
  readonly lifetimeMs?: number;
}): JwtClaims {
  const { subject, issuer, audience, lifetimeMs } = options;
  if (subject !== undefined && (typeof subject !== 'string' || subject === '')) {
    throw invalid('expected a subject that is a text and not empty');
  }
  if (issuer !== undefined && (typeof issuer !== 'string' || issuer === '')) {
    throw invalid('expected the issuer to be a text that is not empty');
  }
  const lifetime = lifetimeMs ?? defaultLifetimeMs;
  if (!(Number.isFinite(lifetime) && lifetime >= minLifetimeMs)) {
    throw invalid(`expected a lifetime of at least ${minLifetimeMs} ms, got ${lifetime}`);
  }
  const audiences = audience === undefined ? undefined : parseAudience(audience);
  return { subject, issuer, audience: audiences, lifetimeMs: lifetime };
}

function invalid(message: string): SlimError {
  return new SlimError('invalid-config', message);
}
