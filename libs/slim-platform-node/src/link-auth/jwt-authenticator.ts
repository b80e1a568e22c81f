import {
  jwtSignatures,
  SlimError,
  systemClock,
  type Clock,
  type JwtVerificationKey,
  type TokenClaims,
} from '@nestjs-slim/core';
import { credentialsOf } from './authorization.js';
import type { LinkAuthenticator } from './link-auth.js';

/** Which tokens let somebody in. */
export interface JwtAuthenticatorOptions {
  /** Verifies the signatures, each with the key's own algorithm whatever the token says. */
  readonly verificationKey: JwtVerificationKey;
  /** The tokens must be of this issuer; not looked at unless given. */
  readonly issuer?: string;
  /** The tokens must be for one of these; unless given, a token that is for somebody is refused. */
  readonly audience?: string | readonly string[];
  /** Whether what a token claims lets its holder in, such as its subject; true unless given. */
  readonly accept?: (claims: TokenClaims) => boolean;
  readonly clock?: Clock;
}

/** An authenticator whose keys can be waited for. */
export interface JwtAuthenticator extends LinkAuthenticator {
  /** Settles when the keys are ready. @throws SlimError `invalid-config` for a key that is malformed */
  ready(): Promise<void>;
  close(): void;
}

/** For clocks that differ; the official node allows the same (reference: data plane 6.6). */
const leewayMs = 60_000;

/**
 * Lets in who has a token that one of the keys signed, with the rules of an official node. Keys that cannot
 * be had, `link-failed`, let nobody in, and say nothing against the token.
 * @throws SlimError `invalid-config`
 */
export function jwtAuthenticator(options: JwtAuthenticatorOptions): JwtAuthenticator {
  const { verificationKey, clock = systemClock } = options;
  const rules = parseRules(options);
  const signatures = jwtSignatures(verificationKey, clock);
  return {
    async authenticate(request) {
      const token = credentialsOf(request, 'Bearer');
      judge(await signatures.open(token), rules, clock.now());
    },
    ready: () => signatures.ready(),
    close: () => signatures.close(),
  };
}

interface Rules {
  readonly issuer: string | undefined;
  readonly audience: readonly string[];
  readonly accept: (claims: TokenClaims) => boolean;
}

/** In the order of the official node; who is not valid yet (`nbf`) and who it is (`sub`) is not checked. */
function judge(claims: TokenClaims, { issuer, audience, accept }: Rules, nowMs: number): void {
  const { exp, iss, aud } = claims;
  if (typeof exp !== 'number') throw rejected('the token has no expiry');
  const lateMs = nowMs - exp * 1000;
  if (!(lateMs <= leewayMs)) {
    throw rejected(`the token expired ${Math.floor(lateMs / 1000)} s ago`);
  }
  if (issuer !== undefined && iss !== issuer) {
    throw rejected(`the token is of another issuer than ${issuer}`);
  }
  const named: readonly unknown[] = aud === undefined ? [] : [aud].flat();
  if (audience.length === 0 && aud !== undefined) {
    throw rejected('the token is for an audience, and none is configured');
  }
  if (audience.length > 0 && !audience.some((name) => named.includes(name))) {
    throw rejected(`the token is for another audience than ${audience.join(', ')}`);
  }
  if (!accept(claims)) throw rejected('what the token claims is not accepted');
}

function parseRules({ issuer, audience, accept }: JwtAuthenticatorOptions): Rules {
  const names: readonly unknown[] = audience === undefined ? [] : [audience].flat();
  const isText = (value: unknown): value is string => typeof value === 'string' && value !== '';
  if (issuer !== undefined && !isText(issuer)) {
    throw new SlimError('invalid-config', 'expected the issuer to be a text that is not empty');
  }
  if (!names.every(isText) || (audience !== undefined && names.length === 0)) {
    const message = 'expected the audience to be a name or a list of names';
    throw new SlimError('invalid-config', message);
  }
  return { issuer, audience: names, accept: accept ?? (() => true) };
}

function rejected(message: string): SlimError {
  return new SlimError('identity-rejected', message);
}
