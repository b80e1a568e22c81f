import { SlimError } from '@nestjs-slim/core';
import { SlimException } from '../slim-exception.js';

/** Failures that mean whoever was asked is not there any more. */
const lossCodes: ReadonlySet<string> = new Set(['not-delivered', 'peer-lost', 'session-closed']);

/** True when somebody else may do what whoever was asked cannot. */
export function isLoss(reason: unknown): reason is SlimError {
  return reason instanceof SlimError && lossCodes.has(reason.code);
}

/** True when the other side refused the call because it is closing: nothing of it was begun there. */
export function isClosing(reason: unknown): boolean {
  return reason instanceof SlimException && reason.code === 'session-closed';
}
