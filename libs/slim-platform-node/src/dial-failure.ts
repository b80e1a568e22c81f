import { SlimError } from '@nestjs-slim/core';

/** What a dialler throws: `aborted` when the signal fired, `link-failed` with the cause otherwise. */
export function dialFailure(reason: unknown, target: string, signal: AbortSignal): SlimError {
  if (signal.aborted) {
    return new SlimError('aborted', `dialling ${target} was given up`, { cause: signal.reason });
  }
  return new SlimError('link-failed', `${target}: ${failureText(reason)}`, { cause: reason });
}

/** A host with several addresses fails with one error for each and no message of its own. */
function failureText(reason: unknown): string {
  if (reason instanceof AggregateError) return reason.errors.map(failureText).join(', ');
  return reason instanceof Error ? reason.message : String(reason);
}
