import type { Clock } from '../clock/clock.js';
import type { Crypto } from '../crypto/crypto.js';
import { SlimError } from '../errors/slim-error.js';
import type { ConnectionType } from '../wire/link-message.js';
import type { Link, LinkDialler, LinkEvents } from './link.js';
import {
  NegotiationRequest,
  negotiationTimeoutMs,
  type LinkEnd,
  type Negotiated,
} from './negotiation.js';

/** What the dialling side brings to a link. */
export interface DialOptions {
  readonly crypto: Crypto;
  readonly clock: Clock;
  /** Stays the same when the link is dialled again. */
  readonly linkId: string;
  readonly self: LinkEnd;
  readonly type: ConnectionType;
  readonly timeoutMs?: number;
}

/** Takes over a link at the moment it is there, before any frame behind the negotiation; its events follow. */
export type Established = (link: Link, negotiated: Negotiated) => LinkEvents;

/**
 * Dials a link and negotiates as the dialling side.
 * @throws SlimError `link-failed`, `negotiation-failed`, or the reason of the signal when it fires first
 */
export async function dialLink(
  dialler: LinkDialler,
  options: DialOptions,
  signal: AbortSignal,
  established: Established,
): Promise<void> {
  const link = await dialNotAborted(dialler, signal);
  await negotiate(link, options, signal, established);
}

/** Dials without negotiating. @throws SlimError `link-failed`, or the reason of the signal */
export async function dialNotAborted(dialler: LinkDialler, signal: AbortSignal): Promise<Link> {
  const link = await dialler.dial(signal);
  if (!signal.aborted) return link;
  // The dialler was done just before; nobody would end this link.
  link.destroy(gaveUp(signal));
  throw gaveUp(signal);
}

function negotiate(
  link: Link,
  options: DialOptions,
  signal: AbortSignal,
  established: Established,
): Promise<void> {
  const { crypto, clock, linkId, self, type, timeoutMs = negotiationTimeoutMs } = options;
  const request = new NegotiationRequest(crypto, linkId, self, type);
  return new Promise((resolve, reject) => {
    let events: LinkEvents | undefined;
    const settle = (): void => {
      cancel();
      signal.removeEventListener('abort', onAbort);
    };
    const fail = (reason: SlimError): void => {
      settle();
      reject(reason);
      link.destroy(reason);
    };
    const onAbort = (): void => fail(gaveUp(signal));
    const cancel = clock.schedule(timeoutMs, () =>
      fail(new SlimError('negotiation-failed', `no answer within ${timeoutMs} ms`)),
    );
    link.open({
      frame: (bytes) => {
        if (events) return events.frame(bytes);
        try {
          events = established(link, request.complete(bytes));
        } catch (reason) {
          return fail(SlimError.from(reason, 'negotiation-failed'));
        }
        settle();
        return resolve();
      },
      drained: () => events?.drained(),
      closed: (reason) => {
        settle();
        reject(reason ?? new SlimError('negotiation-failed', 'the node ended the link'));
        events?.closed(reason);
      },
    });
    signal.addEventListener('abort', onAbort, { once: true });
    link.send(request.frame);
  });
}

/** What an attempt fails with that its owner gave up. */
function gaveUp(signal: AbortSignal): SlimError {
  return SlimError.from(signal.reason, 'aborted', 'gave up connecting');
}
