import { SlimError } from '@nestjs-slim/core';

/** What a dialler throws: `aborted` when the signal fired, `link-failed` with the cause otherwise. */
export function dialFailure(reason: unknown, target: string, signal: AbortSignal): SlimError {
  if (signal.aborted) {
    return new SlimError('aborted', `dialling ${target} was given up`, { cause: signal.reason });
  }
  const text = reason instanceof SlimError ? reason.message : failureText(reason);
  return new SlimError('link-failed', `${target}: ${text}`, { cause: reason });
}

/** A host with several addresses fails with one error for each and no message of its own. */
function failureText(reason: unknown): string {
  if (typeof reason !== 'object' || reason === null) return String(reason);
  if ('errors' in reason && Array.isArray(reason.errors)) {
    return reason.errors.map(failureText).join(', ');
  }
  return 'message' in reason ? String(reason.message) : String(reason);
}
