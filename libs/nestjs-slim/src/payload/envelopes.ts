import {
  SlimError,
  type PublishOptions,
  type Session,
  type SessionMessage,
} from '@nestjs-slim/core';
import { bundlePayloadType, decodeBundle, encodeBundle } from './bundle.js';
import { decodeEnvelope, encodeEnvelope, envelopePayloadType, type Envelope } from './envelope.js';

/** More would have the other side wait for work that it could have begun. */
const maxEnvelopes = 32;
/** What is longer than that gains nothing from company. */
const maxBundleBytes = 32 * 1024;

/** Envelopes that go as one message. */
interface Bundle {
  readonly envelopes: Uint8Array[];
  bytes: number;
  readonly sent: Promise<void>;
  readonly settle: (sent: Promise<void>) => void;
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
  private bundle: Bundle | undefined;

  constructor(session: Session, events: EnvelopesEvents) {
    this.session = session;
    this.events = events;
  }

  /** In the order of the calls. Settles when the other side has it. @throws SlimError as `Session.publish` */
  send(fields: Partial<Envelope>): Promise<void> {
    const envelope = encodeEnvelope({ ...fields, bundles: true });
    if (!this.readsBundles) return this.publish([envelope]);
    if (this.bundle && this.bundle.bytes + envelope.length > maxBundleBytes) this.flush();
    const bundle = (this.bundle ??= this.begin());
    bundle.envelopes.push(envelope);
    bundle.bytes += envelope.length;
    if (bundle.envelopes.length === maxEnvelopes) this.flush();
    return bundle.sent;
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

  private begin(): Bundle {
    let settle: Bundle['settle'] = () => undefined;
    const sent = new Promise<void>((resolve) => (settle = resolve));
    const bundle = { envelopes: [], bytes: 0, sent, settle };
    // Behind everything that this turn still gives rise to.
    process.nextTick(() => {
      if (this.bundle === bundle) this.flush();
    });
    return bundle;
  }

  private flush(): void {
    const { bundle } = this;
    this.bundle = undefined;
    bundle?.settle(this.publish(bundle.envelopes));
  }

  private publish(envelopes: readonly Uint8Array[]): Promise<void> {
    const sent = this.session.publish(...payloadOf(envelopes));
    if (this.events.failed) sent.catch(this.events.failed);
    return sent;
  }
}

function payloadOf(envelopes: readonly Uint8Array[]): [Uint8Array, PublishOptions] {
  const [first, ...others] = envelopes;
  if (first && others.length === 0) return [first, { payloadType: envelopePayloadType }];
  return [encodeBundle(envelopes), { payloadType: bundlePayloadType }];
}
