import { lastValueFrom } from 'rxjs';
import type { Abortion } from './abortion.js';
import { handlerStream } from './handler-stream.js';

/** Why an event handler failed, which may be any value. */
export interface EventFailure {
  readonly reason: unknown;
}

/**
 * Runs one event handler to its end, whatever it gives, or until it is aborted. Never fails: gives the
 * failure, if there was one.
 */
export async function runEvent(
  run: () => unknown,
  abortion: Abortion,
): Promise<EventFailure | undefined> {
  const whenRoom = (): Promise<void> => Promise.resolve();
  try {
    const values = handlerStream(run, { abortion, whenRoom, given: () => undefined });
    await lastValueFrom(values, { defaultValue: undefined });
    return undefined;
  } catch (reason) {
    return { reason };
  }
}

/** For a log line: what went wrong, in one line. */
export function describeError(reason: unknown): string {
  if (reason instanceof Error) return reason.message;
  const isObject = typeof reason === 'object' && reason !== null;
  return isObject && 'message' in reason ? String(reason.message) : String(reason);
}
