import { systemClock, type Clock } from '../clock/clock.js';
import { parseVerificationKey, type JwtVerificationKey } from './key-source.js';
import { parseKey, type JwtKey } from './jwt-keys.js';
import { parseClaims } from './jwt.js';
import { SignedTokens, type TokenClaims } from './signed-tokens.js';

/** Judges the signatures of tokens that are not identities, such as those that open links. */
export interface JwtSignatures {
  /** Settles when the keys are ready. @throws SlimError `invalid-config` for a key that is malformed */
  ready(): Promise<void>;
  /**
   * What a token with a good signature claims; nothing of it was judged, not even its age.
   * @throws SlimError `identity-rejected`, or `link-failed` when the keys cannot be had
   */
  open(token: string): Promise<TokenClaims>;
  /** May be called twice. */
  close(): void;
}

/** What the tokens of a signer say. */
export interface JwtSignerOptions {
  readonly subject?: string;
  readonly issuer?: string;
  readonly audience?: string | readonly string[];
  /** Claimed beside the rest. */
  readonly claims?: Readonly<Record<string, unknown>>;
  readonly signingKey: JwtKey;
  /** How long a token is good; an hour unless given. */
  readonly lifetimeMs?: number;
  readonly clock?: Clock;
}

/** @throws SlimError `invalid-config` */
export function jwtSignatures(source: JwtVerificationKey, clock = systemClock): JwtSignatures {
  const open = parseVerificationKey(source);
  let opening: Promise<SignedTokens> | undefined;
  let closed = false;
  const start = async (): Promise<SignedTokens> => {
    try {
      const keys = await open(clock);
      // Closed meanwhile: what was opened has no owner any more.
      if (closed) keys.close();
      return new SignedTokens(keys);
    } catch (reason) {
      // A file that is not there yet may be there for the next token.
      opening = undefined;
      throw reason;
    }
  };
  const tokens = (): Promise<SignedTokens> => (opening ??= start());
  return {
    ready: async () => void (await tokens()),
    open: async (token) => (await tokens()).open(token),
    close() {
      if (closed) return;
      closed = true;
      // Keys that could not be opened hold nothing.
      opening?.then((opened) => opened.close()).catch(() => undefined);
    },
  };
}

/**
 * Makes a new token each time it is called; rejects with `invalid-config` for a key that is malformed.
 * @throws SlimError `invalid-config`
 */
export function jwtSigner(options: JwtSignerOptions): () => Promise<string> {
  const claims = parseClaims(options);
  const load = parseKey(options.signingKey, 'signing');
  const { clock = systemClock } = options;
  const prepare = async () => {
    const { JwtSigner } = await import('./jwt-signer.js');
    return new JwtSigner(claims, await load(), clock);
  };
  let preparing: ReturnType<typeof prepare> | undefined;
  return async () => (await (preparing ??= prepare())).sign(options.claims);
}
