import { jwtSigner, SlimError, type JwtSignerOptions, type TokenSource } from '@nestjs-slim/core';
import { fileTokenSource } from '../tokens/file-token-source.js';
import { isHeaderToken } from '../tokens/header-token.js';
import type { LinkCredentials } from './link-auth.js';

/**
 * Presents tokens that are signed here, a new one at every dial, as an official client does.
 * @throws SlimError `invalid-config`
 */
export function jwtCredentials(options: JwtSignerOptions): LinkCredentials {
  const sign = jwtSigner(options);
  return { authorization: async () => bearer(await sign()) };
}

/** Presents the token that stands in a file when it is dialled. */
export function staticTokenCredentials(path: string): LinkCredentials {
  return tokenCredentials(fileTokenSource(path));
}

/** Presents the tokens of a source, such as `oidcClientCredentials`; closes it when it is closed. */
export function tokenCredentials(source: TokenSource): LinkCredentials {
  return {
    authorization: async () => bearer(await source.token()),
    close: () => source.close?.(),
  };
}

/** A header cannot hold everything, and what cannot be sent must not be left out without a word. */
function bearer(token: string): string {
  if (isHeaderToken(token)) return `Bearer ${token}`;
  const message = 'expected a token without white space and unusual characters';
  throw new SlimError('invalid-config', message);
}
