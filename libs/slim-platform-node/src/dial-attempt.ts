import type { Socket } from 'node:net';
import { SlimError, systemClock } from '@nestjs-slim/core';
import { authorizationHeader } from './dial-credentials.js';
import { dialFailure } from './dial-failure.js';
import type { DiallerOptions } from './dialler-options.js';
import { defaultConnectTimeoutMs } from './http2-settings.js';

/** What is dialled, and until when. */
export interface DialAttempt {
  readonly target: string;
  readonly signal: AbortSignal;
  readonly options: DiallerOptions;
}

/**
 * Runs one attempt to dial. It begins with the question who we are, and ends when the signal fires and when
 * the time is over: a node may take the connection and say nothing. `dial` has to give up when the signal
 * it is handed fires.
 * @throws SlimError `aborted`, `link-failed`, `identity-rejected`, `invalid-config`
 */
export async function attemptToDial<T>(
  { target, signal, options }: DialAttempt,
  dial: (stop: AbortSignal, headers: { readonly authorization?: string }) => Promise<T>,
): Promise<T> {
  if (signal.aborted) throw dialFailure(signal.reason, target, signal);
  const { clock = systemClock, credentials } = options;
  const { connectTimeoutMs: timeoutMs = defaultConnectTimeoutMs } = options;
  const stop = new AbortController();
  const abort = (): void => stop.abort(signal.reason);
  const late = new SlimError('link-failed', `no answer within ${timeoutMs} ms`);
  const cancel = clock.schedule(timeoutMs, () => stop.abort(late));
  signal.addEventListener('abort', abort);
  try {
    const headers = await authorizationHeader(credentials, stop.signal);
    // It may be over before it began: asking for credentials takes time.
    stop.signal.throwIfAborted();
    return await dial(stop.signal, headers);
  } catch (reason) {
    throw dialFailure(stop.signal.aborted ? stop.signal.reason : reason, target, signal);
  } finally {
    signal.removeEventListener('abort', abort);
    cancel();
  }
}

/** Opens a link on a socket, which is destroyed when that fails and when the attempt is given up. */
export async function openOn<T>(
  socket: Socket,
  stop: AbortSignal,
  open: () => Promise<T>,
): Promise<T> {
  // What looks after its errors may let go of it before it is closed.
  socket.on('error', () => undefined);
  const abort = (): unknown => socket.destroy();
  stop.addEventListener('abort', abort);
  try {
    return await open();
  } catch (reason) {
    socket.destroy();
    throw reason;
  } finally {
    stop.removeEventListener('abort', abort);
  }
}
