import { SlimError } from '../errors/slim-error.js';
import type { IdentityContext, IdentityPair, IdentitySource } from './identity.js';
import { parseKey, parseKeys, type JwtKey, type JwtKeySet, type KeyLoader } from './jwt-keys.js';
import type { JwtClaims } from './jwt-provider.js';

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
  readonly verificationKey: JwtKey | JwtKeySet;
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
  const claims = parseClaims(options);
  const signing = parseKey(options.signingKey, 'signing');
  const verification = parseKeys(options.verificationKey);
  return (context) => connect(claims, signing, verification, context);
}

let loading: ReturnType<typeof importTokens> | undefined;

/** Not before it is needed: most applications have another identity, and `jose` takes its time to load. */
const loadTokens = (): ReturnType<typeof importTokens> => (loading ??= importTokens());

async function importTokens() {
  const { JwtProvider } = await import('./jwt-provider.js');
  const { JwtVerifier } = await import('./jwt-verifier.js');
  return { JwtProvider, JwtVerifier };
}

async function connect(
  claims: JwtClaims,
  signing: KeyLoader,
  verification: readonly KeyLoader[],
  { crypto, clock }: IdentityContext,
): Promise<IdentityPair> {
  const { JwtProvider, JwtVerifier } = await loadTokens();
  const signingKey = await signing();
  const keys = await Promise.all(verification.map((load) => load()));
  const provider = new JwtProvider(claims, signingKey, crypto.signingKeyPair(), clock);
  const verifier = new JwtVerifier(keys, claims, clock);
  try {
    await provider.start();
    await verifier.verify(provider.token());
  } catch (reason) {
    provider.close();
    const message = 'expected a verificationKey that verifies what the signingKey signs';
    throw new SlimError('invalid-config', message, { cause: reason });
  }
  return { provider, verifier };
}

function parseClaims({ subject, issuer, audience, lifetimeMs }: JwtOptions): JwtClaims {
  if (typeof subject !== 'string' || subject === '') throw invalid('expected a subject');
  if (issuer !== undefined && (typeof issuer !== 'string' || issuer === '')) {
    throw invalid('expected the issuer to be a text that is not empty');
  }
  const lifetime = lifetimeMs ?? defaultLifetimeMs;
  if (!(Number.isFinite(lifetime) && lifetime >= minLifetimeMs)) {
    throw invalid(`expected a lifetime of at least ${minLifetimeMs} ms, got ${lifetime}`);
  }
  return { subject, issuer, audience: parseAudience(audience), lifetimeMs: lifetime };
}

function parseAudience(audience: JwtOptions['audience']): readonly string[] | undefined {
  if (audience === undefined) return undefined;
  const list = typeof audience === 'string' ? [audience] : [...audience];
  if (list.length > 0 && list.every((name) => typeof name === 'string' && name !== '')) return list;
  throw invalid('expected the audience to be a name or a list of names');
}

function invalid(message: string): SlimError {
  return new SlimError('invalid-config', message);
}
