import { SlimError, type Clock } from '@nestjs-slim/core';
import { authorizationHeader } from './dial-credentials.js';
import { dialFailure } from './dial-failure.js';
import type { LinkCredentials } from './link-auth/link-auth.js';

/** What limits an attempt to dial. */
export interface DialAttemptOptions {
  readonly target: string;
  readonly signal: AbortSignal;
  readonly clock: Clock;
  readonly timeoutMs: number;
  readonly credentials: LinkCredentials | undefined;
}

/**
 * Runs one attempt to dial, which begins with the question who we are, and which ends when the signal fires and when the time is over: a node may take
 * the connection and say nothing. `dial` has to give up when the signal it is handed fires.
 * @throws SlimError `aborted`, `link-failed`, `identity-rejected`, `invalid-config`
 */
export async function attemptToDial<T>(
  { target, signal, clock, timeoutMs, credentials }: DialAttemptOptions,
  dial: (stop: AbortSignal, headers: { readonly authorization?: string }) => Promise<T>,
): Promise<T> {
  if (signal.aborted) throw dialFailure(signal.reason, target, signal);
  const stop = new AbortController();
  const abort = (): void => stop.abort(signal.reason);
  const late = new SlimError('link-failed', `no answer within ${timeoutMs} ms`);
  const cancel = clock.schedule(timeoutMs, () => stop.abort(late));
  signal.addEventListener('abort', abort);
  try {
    return await dial(stop.signal, await authorizationHeader(credentials, stop.signal));
  } catch (reason) {
    throw dialFailure(stop.signal.aborted ? stop.signal.reason : reason, target, signal);
  } finally {
    signal.removeEventListener('abort', abort);
    cancel();
  }
}
