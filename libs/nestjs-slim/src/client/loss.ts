import { SlimError } from '@nestjs-slim/core';

/** Failures that mean whoever was asked is not there any more. */
const lossCodes: ReadonlySet<string> = new Set(['not-delivered', 'peer-lost', 'session-closed']);

/** True when somebody else may do what whoever was asked cannot. */
export function isLoss(reason: unknown): reason is SlimError {
  return reason instanceof SlimError && lossCodes.has(reason.code);
}
