import { SlimError } from '@nestjs-slim/core';
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
  const authorization = await (signal ? untilAborted(asked(), signal) : asked());
  if (headerValue.test(authorization)) return { authorization };
  const what = 'expected credentials that a header can carry, got none or unprintable characters';
  throw new SlimError('invalid-config', what);
}

/** What a promise gives, or a rejection as soon as the signal fires. */
function untilAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(SlimError.from(signal.reason, 'aborted'));
    signal.addEventListener('abort', abort);
    const done = (): void => signal.removeEventListener('abort', abort);
    work.finally(done).then(resolve, reject);
    if (signal.aborted) abort();
  });
}
