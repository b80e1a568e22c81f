import { SlimError, unlessAborted } from '@nestjs-slim/core';
import type { LinkCredentials } from './link-auth/link-auth.js';

/** What a header can carry: a line break would end it, and an official client then sends none at all. */
const headerValue = /^[\t\x20-\x7e]+$/;

/**
 * The `authorization` header of one dial; nothing without credentials.
 * @throws SlimError `invalid-config` when it is none, without showing it; what the credentials throw
 */
export async function authorizationHeader(
  credentials: LinkCredentials | undefined,
  signal?: AbortSignal,
): Promise<{ readonly authorization?: string }> {
  if (!credentials) return {};
  const asked = async (): Promise<string> => credentials.authorization();
  const authorization = await (signal ? unlessAborted(signal, asked()) : asked());
  if (headerValue.test(authorization)) return { authorization };
  const what = 'expected credentials that a header can carry, got none or unprintable characters';
  throw new SlimError('invalid-config', what);
}
