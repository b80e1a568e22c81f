import { SlimError, type SlimErrorCode } from '@nestjs-slim/core';

/** What a caller does something about; all else is a link that failed. */
const kept: readonly SlimErrorCode[] = ['identity-rejected', 'invalid-config'];

/**
 * What a dialler throws: `aborted` when the signal fired, `identity-rejected` and `invalid-config` when it
 * is one of these, `link-failed` with the cause otherwise.
 */
export function dialFailure(reason: unknown, target: string, signal: AbortSignal): SlimError {
  if (signal.aborted) {
    return new SlimError('aborted', `dialling ${target} was given up`, { cause: signal.reason });
  }
  const code =
    reason instanceof SlimError && kept.includes(reason.code) ? reason.code : 'link-failed';
  return new SlimError(code, `${target}: ${failureText(reason)}`, { cause: reason });
}

/** A host with several addresses fails with one error for each and no message of its own. */
function failureText(reason: unknown): string {
  if (reason instanceof AggregateError) return reason.errors.map(failureText).join(', ');
  return reason instanceof Error ? reason.message : String(reason);
}
