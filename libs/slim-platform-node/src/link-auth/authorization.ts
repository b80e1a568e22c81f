import { SlimError } from '@nestjs-slim/core';
import type { LinkRequest } from './link-auth.js';

/**
 * What follows the scheme in the `authorization` header. The scheme may be written in any case.
 * @throws SlimError `identity-rejected` for another scheme, or none
 */
export function credentialsOf({ authorization }: LinkRequest, scheme: 'Basic' | 'Bearer'): string {
  if (authorization === undefined) {
    throw new SlimError('identity-rejected', `expected ${scheme} credentials, got none`);
  }
  const [given = '', credentials = '', ...rest] = authorization.trim().split(/ +/);
  if (given.toLowerCase() === scheme.toLowerCase() && credentials !== '' && rest.length === 0) {
    return credentials;
  }
  throw new SlimError('identity-rejected', `expected ${scheme} credentials, got others`);
}
