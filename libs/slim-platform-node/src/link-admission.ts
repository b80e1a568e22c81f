import { SlimError, type Cancel, type Clock } from '@nestjs-slim/core';
import type { LinkAuthenticator, LinkRequest } from './link-auth/link-auth.js';

/** How long an authenticator may think about one request. */
export const admissionTimeoutMs = 5_000;

/** What becomes of a request; exactly one of the two is called, unless it was given up before. */
export interface AdmissionOutcome {
  admitted(): void;
  refused(reason: SlimError): void;
}

/**
 * Asks an authenticator about a request: at once where it knows at once, within a bounded time otherwise.
 * The function returned gives the question up.
 */
export function admit(
  { authenticator, clock }: { readonly authenticator: LinkAuthenticator; readonly clock: Clock },
  request: LinkRequest,
  outcome: AdmissionOutcome,
): Cancel {
  const refuse = (reason: unknown): void => outcome.refused(refusalOf(reason, request));
  let pending: void | Promise<void>;
  try {
    pending = authenticator.authenticate(request);
  } catch (reason) {
    refuse(reason);
    return () => undefined;
  }
  if (!pending) {
    outcome.admitted();
    return () => undefined;
  }
  let open = true;
  const once = (act: () => void): void => {
    if (!open) return;
    open = false;
    cancel();
    act();
  };
  const cancel = clock.schedule(admissionTimeoutMs, () => {
    const what = `the credentials were not judged within ${admissionTimeoutMs} ms`;
    once(() => refuse(new SlimError('timeout', what)));
  });
  pending.then(
    () => once(() => outcome.admitted()),
    (reason: unknown) => once(() => refuse(reason)),
  );
  return () => once(() => undefined);
}

/**
 * The HTTP status for a refusal: the client is wrong (reference: data plane 6.6), or we cannot tell now and
 * it may come again.
 */
export function httpStatusOf(refusal: SlimError): 401 | 503 {
  return refusal.code === 'identity-rejected' ? 401 : 503;
}

function refusalOf(reason: unknown, { remote }: LinkRequest): SlimError {
  return SlimError.from(reason, 'refused', `judging the credentials of ${remote}`);
}
