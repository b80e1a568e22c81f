import { SlimError, type Session, type SessionMessage } from '@nestjs-slim/core';
import { Bundle, bundlePayloadType, decodeBundle } from './bundle.js';
import {
  decodeEnvelope,
  envelopePayloadType,
  type Envelope,
  type EnvelopeFields,
} from './envelope.js';

/** More would have the other side wait for work that it could have begun. */
const maxEnvelopes = 32;
/** What is longer than that gains nothing from company. */
const maxBundleBytes = 64 * 1024;

/** A bundle that is about to go. */
interface Leaving {
  readonly sent: Promise<void>;
  readonly go: (sent: Promise<void>) => void;
}

/** What is told of what goes wrong. */
export interface EnvelopesEvents {
  /** Something came that cannot be used. */
  readonly dropped: (reason: SlimError) => void;
  /** A message did not reach the other side; called before those who sent its envelopes hear of it. */
  readonly failed?: (reason: unknown) => void;
}

/**
 * The envelopes of one session. Those that are sent in one turn of the event loop go as one message once the
 * other side said that it reads bundles: a message costs an acknowledgement, tags at every hop and, with MLS,
 * a signature (bench case `Nest request/response, 64 in flight`).
 */
export class Envelopes {
  private readonly session: Session;
  private readonly events: EnvelopesEvents;
  private readsBundles = false;
  private readonly bundle = new Bundle();
  private leaving: Leaving | undefined;

  constructor(session: Session, events: EnvelopesEvents) {
    this.session = session;
    this.events = events;
  }

  /** In the order of the calls. Settles when the other side has it. @throws SlimError as `Session.publish` */
  send(fields: EnvelopeFields): Promise<void> {
    const { bundle } = this;
    if (bundle.bytes + (fields.data?.length ?? 0) > maxBundleBytes) this.flush();
    const { sent } = (this.leaving ??= this.begin());
    bundle.add(fields);
    if (!this.readsBundles || bundle.size === maxEnvelopes) this.flush();
    return sent;
  }

  /** Hands on what a message brought, in its order. False for a message of another kind. */
  read({ payloadType, payload }: SessionMessage, take: (envelope: Envelope) => void): boolean {
    switch (payloadType) {
      case envelopePayloadType:
        this.take(payload, take);
        return true;
      case bundlePayloadType:
        this.attempt(() => {
          for (const envelope of decodeBundle(payload)) this.take(envelope, take);
        });
        return true;
      default:
        return false;
    }
  }

  private take(bytes: Uint8Array, take: (envelope: Envelope) => void): void {
    this.attempt(() => {
      const envelope = decodeEnvelope(bytes);
      this.readsBundles ||= envelope.bundles;
      take(envelope);
    });
  }

  private attempt(work: () => void): void {
    try {
      work();
    } catch (reason) {
      this.events.dropped(SlimError.from(reason, 'malformed-frame'));
    }
  }

  private begin(): Leaving {
    let go: Leaving['go'] = () => undefined;
    const sent = new Promise<void>((resolve) => (go = resolve));
    const leaving = { sent, go };
    // Behind everything that this turn still gives rise to.
    process.nextTick(() => {
      if (this.leaving === leaving) this.flush();
    });
    return leaving;
  }

  private flush(): void {
    const { leaving } = this;
    this.leaving = undefined;
    leaving?.go(this.publish());
  }

  private publish(): Promise<void> {
    const sent = this.session.publish(...this.bundle.take());
    if (this.events.failed) sent.catch(this.events.failed);
    return sent;
  }
}
