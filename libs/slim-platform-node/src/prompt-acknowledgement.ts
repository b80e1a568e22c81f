import type { Cancel, Clock } from '@nestjs-slim/core';
import { windowBytes } from './http2-settings.js';

/** Somebody who answers has answered by then, which acknowledges what came as well. */
const patienceMs = 1;

/** What is acknowledged: a stream, the session it belongs to, and how much was written so far. */
export interface AcknowledgedParts {
  readonly stream: { on(event: 'data', listener: () => void): unknown };
  readonly session: { readonly destroyed: boolean; setLocalWindowSize(bytes: number): void };
  readonly socket: { readonly bytesWritten: number };
  readonly clock: Clock;
}

/**
 * Answers what nobody answers. An official node keeps Nagle's algorithm on: behind a message it holds back
 * the next until the system here acknowledges the first, which takes 44 ms where nothing goes the other way,
 * such as while a moderator collects acknowledgements (bench case `invite`). One byte more of window is the
 * least HTTP/2 lets us say; a ping would be answered, and the answer holds back what comes behind it.
 * Returns how to stop.
 */
export function acknowledgePromptly({ stream, session, socket, clock }: AcknowledgedParts): Cancel {
  let extraBytes = 0;
  let cancel: Cancel | undefined;
  stream.on('data', () => {
    if (cancel) return;
    const { bytesWritten } = socket;
    cancel = clock.schedule(patienceMs, () => {
      cancel = undefined;
      if (session.destroyed || socket.bytesWritten !== bytesWritten) return;
      extraBytes += 1;
      // Of the connection; that of the stream, which is the only one on it, stays as it is.
      session.setLocalWindowSize(windowBytes + extraBytes);
    });
  });
  return () => cancel?.();
}
