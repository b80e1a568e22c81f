import type { Identity } from '../auth/identity.js';
import { SlimError } from '../errors/slim-error.js';
import type { MlsGroup } from '../mls/mls-group.js';
import { headerIntegrityBytes } from '../wire/header-integrity.js';
import { slimHeader } from '../wire/header.js';
import { messageType, type MessageType, type SessionType } from '../wire/session-header.js';
import type { WireName } from '../wire/wire-name.js';
import type { Address, Content } from './composer.js';
import type { Incoming } from './incoming.js';
import { nextMessageId } from './message-ids.js';
import { ReceiveWindow, type Delivery } from './receive-window.js';
import { RetransmissionRequests } from './retransmission-requests.js';
import { SendWindow } from './send-window.js';
import type { SessionContext } from './session-context.js';
import type { SessionPolicy } from './session-policy.js';

/** A message that passed every check. */
export interface Received {
  readonly payload: Uint8Array;
  readonly incoming: Incoming;
  readonly identity: Identity;
}

/** The two ends of a data path and what protects it. */
export interface DataPathOptions {
  readonly sessionType: SessionType;
  readonly sessionId: number;
  readonly source: WireName;
  readonly peer: WireName;
  readonly peerSubject: string;
  readonly group: MlsGroup | undefined;
  readonly reliable: boolean;
  readonly policy: SessionPolicy;
}

/** What a data path tells its session. */
export interface DataPathEvents {
  /** True when the application reads too slowly to take more. */
  isFull(): boolean;
  deliver(message: Received): void;
  lost(messageId: number): void;
}

/** Messages, acknowledgements and retransmissions between two applications (reference: sessions 7). */
export class DataPath {
  readonly #context: SessionContext;
  readonly #options: DataPathOptions;
  readonly #events: DataPathEvents;
  readonly #sendWindow: SendWindow<Content>;
  readonly #receiveWindow = new ReceiveWindow<Received>();
  readonly #requests: RetransmissionRequests;
  #lastUnreliableId = 0;
  #closed: SlimError | undefined;

  constructor(context: SessionContext, options: DataPathOptions, events: DataPathEvents) {
    const { policy } = options;
    this.#context = context;
    this.#options = options;
    this.#events = events;
    this.#sendWindow = new SendWindow(context.clock, policy, {
      transmit: (id, content) => this.#transmit(messageType.msg, id, content),
    });
    this.#requests = new RetransmissionRequests(context.clock, policy, {
      ask: (id) => this.#sendEmpty(messageType.rtxRequest, id),
      giveUp: (id) => this.#giveUp(id),
    });
  }

  /** Settles when nothing that was sent waits for its acknowledgement. */
  idle(): Promise<void> {
    return this.#sendWindow.idle();
  }

  /** See `Session.publish`. */
  async publish(content: Content, signal: AbortSignal | undefined): Promise<void> {
    if (this.#closed) throw this.#closed;
    if (!this.#context.isWritable) await this.#context.whenWritable(signal);
    if (this.#options.reliable) return this.#sendWindow.send(content);
    if (this.#closed) throw this.#closed;
    this.#lastUnreliableId = nextMessageId(this.#lastUnreliableId);
    this.#transmit(messageType.msg, this.#lastUnreliableId, content);
  }

  /** Takes a data message or acknowledgement. @throws SlimError when it is refused, which loses nothing else. */
  receive(incoming: Incoming): void {
    const identity = this.#context.verifier.verify(incoming.header.identity);
    if (identity.subject !== this.#options.peerSubject) {
      throw new SlimError('identity-rejected', 'a data message is from another identity');
    }
    const { messageId } = incoming.session;
    switch (incoming.session.messageType) {
      case messageType.msg:
        return this.#message(incoming, identity);
      case messageType.msgAck:
        return this.#sendWindow.acknowledge(messageId);
      case messageType.rtxRequest:
        return this.#requested(messageId);
      case messageType.rtxReply:
        return this.#retransmitted(incoming, identity);
      default:
        throw new SlimError('malformed-frame', 'not a data message');
    }
  }

  /** Fails what is under way and stops every timer. */
  close(reason: SlimError): void {
    this.#closed ??= reason;
    this.#sendWindow.close(reason);
    this.#requests.close();
  }

  #message(incoming: Incoming, identity: Identity): void {
    // Not acknowledged, so the sender repeats it: its window fills, and it waits for the reader.
    if (this.#events.isFull()) throw new SlimError('backpressure', 'too many messages are unread');
    const received = this.#open(incoming, identity);
    if (!this.#options.reliable) return this.#events.deliver(received);
    const { messageId } = incoming.session;
    this.#sendEmpty(messageType.msgAck, messageId);
    this.#accept(messageId, received);
  }

  #retransmitted(incoming: Incoming, identity: Identity): void {
    const { messageId } = incoming.session;
    if (incoming.header.error !== undefined) return this.#giveUp(messageId);
    this.#accept(messageId, this.#open(incoming, identity));
  }

  #accept(messageId: number, received: Received): void {
    this.#requests.stop(messageId);
    const { deliver, missing } = this.#receiveWindow.accept(messageId, received);
    this.#deliver(deliver);
    for (const id of missing) this.#requests.start(id);
  }

  #giveUp(messageId: number): void {
    this.#requests.stop(messageId);
    this.#deliver(this.#receiveWindow.giveUp(messageId));
  }

  #deliver(deliveries: readonly Delivery<Received>[]): void {
    for (const { id, message } of deliveries) {
      if (message) this.#events.deliver(message);
      else this.#events.lost(id);
    }
  }

  /** Decrypts, and compares what the sender authenticated with the headers that arrived (reference: MLS 6). */
  #open(incoming: Incoming, identity: Identity): Received {
    const { application, header, session } = incoming;
    if (!application) throw new SlimError('malformed-frame', 'a data message has no payload');
    const { group } = this.#options;
    if (!group) return { payload: application.blob, incoming, identity };
    const opened = group.open(application.blob);
    const expected = headerIntegrityBytes(header, session, application.payloadType);
    if (
      opened.senderSubject !== identity.subject ||
      !this.#context.crypto.equal(expected, opened.authenticatedData)
    ) {
      throw new SlimError(
        'mls-failure',
        'the headers of a message are not those its sender sealed',
      );
    }
    return { payload: opened.plaintext, incoming, identity };
  }

  #requested(messageId: number): void {
    const content = this.#sendWindow.requested(messageId);
    if (content) return this.#transmit(messageType.rtxReply, messageId, content);
    this.#sendLoss(messageId);
  }

  /** Says that a message is no longer kept. */
  #sendLoss(messageId: number): void {
    const none = {
      payloadType: '',
      payload: new Uint8Array(0),
      metadata: new Map<string, string>(),
    };
    const address = this.#address(messageType.rtxReply, messageId);
    const message = this.#context.composer.data(address, none, this.#options.group);
    const header = slimHeader.make({ ...message.publish?.header, error: true });
    this.#context.send({
      ...message,
      publish: message.publish && { ...message.publish, header },
    });
  }

  #transmit(type: MessageType, messageId: number, content: Content): void {
    const address = this.#address(type, messageId);
    this.#context.send(this.#context.composer.data(address, content, this.#options.group));
  }

  #sendEmpty(type: MessageType, messageId: number): void {
    this.#context.send(this.#context.composer.empty(this.#address(type, messageId)));
  }

  #address(type: MessageType, messageId: number): Address {
    const { source, peer, sessionType, sessionId } = this.#options;
    return {
      source,
      destination: peer,
      session: { sessionType, messageType: type, sessionId, messageId },
    };
  }
}
