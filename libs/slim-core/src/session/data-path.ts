import type { Identity } from '../auth/identity.js';
import { SlimError } from '../errors/slim-error.js';
import type { MlsGroup } from '../mls/mls-group.js';
import { headerIntegrityBytes } from '../wire/header-integrity.js';
import { fanout, slimHeader } from '../wire/header.js';
import type { TextMap } from '../wire/schema.js';
import { messageType, type MessageType, type SessionType } from '../wire/session-header.js';
import type { WireName } from '../wire/wire-name.js';
import type { Address } from './composer.js';
import { toContent, type Content } from './content.js';
import type { Incoming } from './incoming.js';
import { IncomingStream } from './incoming-stream.js';
import { Introductions } from './introductions.js';
import { isAfter, isSequential, nextMessageId } from './message-ids.js';
import { SendWindow } from './send-window.js';
import { randomMessageId, type SessionContext } from './session-context.js';
import type { SessionPolicy } from './session-policy.js';

/** A message that passed every check. */
export interface Received {
  readonly payload: Uint8Array;
  readonly incoming: Incoming;
  readonly identity: Identity;
}

/** Where the messages of a session go and how. */
export interface DataPathOptions {
  readonly sessionType: SessionType;
  readonly sessionId: number;
  readonly source: WireName;
  /** The peer, or the data name of a channel. */
  readonly destination: WireName;
  readonly fanout: number;
  readonly reliable: boolean;
  readonly policy: SessionPolicy;
  /** Number of the last message that was sent before, in an earlier membership. */
  readonly lastId?: number;
  /** The session was restored: its senders are in the middle of their messages. */
  readonly isResumed?: boolean | undefined;
}

/** What a data path asks and tells its session. Receivers are known by the key of their name. */
export interface DataPathEvents {
  /** Seals and opens; absent without MLS. */
  group(): MlsGroup | undefined;
  /** Who acknowledges what is published now. */
  receivers(): readonly string[];
  /** Full name of a receiver, undefined when it left. */
  nameOf(receiver: string): WireName | undefined;
  /** True when the application reads too slowly to take more. */
  isFull(): boolean;
  deliver(message: Received): void;
  lost(messageId: number): void;
  unresponsive(receiver: string): void;
  /** The next message to all has that number. @throws SlimError `store-failed`, and it does not leave */
  numbered?(messageId: number): void;
}

/** Content with the one member it is for, where it is not for all. */
type Outgoing = Content & { readonly to?: WireName };

/** Marks a message to one member of a channel, and its acknowledgement (reference: sessions 1.4). */
const publishTo = 'PUBLISH_TO';
const singleMark: TextMap = new Map([[publishTo, 'TRUE']]);
const isSingle = ({ metadata }: Incoming): boolean => metadata.has(publishTo);
/** Where the ids of such messages begin. */
const firstSingleId = 2 ** 31;

/**
 * Messages, acknowledgements and retransmissions of one session, with one peer or a channel of them
 * (reference: sessions 7).
 */
export class DataPath {
  readonly #context: SessionContext;
  readonly #options: DataPathOptions;
  readonly #events: DataPathEvents;
  readonly #sendWindow: SendWindow<Outgoing>;
  readonly #streams = new Map<string, IncomingStream<Received>>();
  readonly #introductions = new Introductions();
  /** The first message of each receiver that came later; it is not given what went before. */
  readonly #firstIds = new Map<string, number>();
  #lastUnreliableId: number;
  #lastInLine: Promise<void> | undefined;
  #closed: SlimError | undefined;

  constructor(context: SessionContext, options: DataPathOptions, events: DataPathEvents) {
    this.#context = context;
    this.#options = options;
    this.#events = events;
    const window = {
      transmit: (id: number, content: Outgoing) => {
        if (!content.to) events.numbered?.(id);
        this.#transmit(messageType.msg, id, content);
      },
      repeat: (id: number, content: Outgoing, receivers: readonly string[]) =>
        this.#repeat(id, content, receivers),
      unresponsive: (receiver: string) => {
        this.#met(receiver);
        events.unresponsive(receiver);
      },
      mayBegin: () => !this.#introductions.isBusy,
    };
    this.#sendWindow = new SendWindow(context.clock, options.policy, window, options.lastId);
    this.#lastUnreliableId = options.lastId ?? 0;
  }

  /** Number of the last message that went to all. */
  get lastId(): number {
    return this.#sendWindow.lastId;
  }

  /** Settles when nothing that was sent waits for its acknowledgement. */
  idle(): Promise<void> {
    return this.#sendWindow.idle();
  }

  /** See `Session.publish`. */
  async publish(content: Content, signal: AbortSignal | undefined): Promise<void> {
    if (this.#closed) throw this.#closed;
    await this.#room(signal);
    if (this.#options.reliable) {
      return this.#sendWindow.send(content, { receivers: this.#receiversNow });
    }
    if (this.#closed) throw this.#closed;
    const id = nextMessageId(this.#lastUnreliableId);
    this.#events.numbered?.(id);
    this.#lastUnreliableId = id;
    this.#transmit(messageType.msg, id, content);
  }

  /**
   * Publishes to one member of a channel, outside the order of the others (reference: sessions 7.6).
   * @throws SlimError as `publish`
   */
  async publishTo(member: WireName, content: Content, signal?: AbortSignal): Promise<void> {
    if (this.#closed) throw this.#closed;
    await this.#room(signal);
    const id = firstSingleId + (randomMessageId(this.#context.crypto) % (firstSingleId - 1));
    const metadata = new Map(content.metadata).set(publishTo, 'TRUE');
    const single = { ...content, metadata, to: member };
    if (this.#options.reliable) {
      return this.#sendWindow.send(single, { receivers: [member.key], id });
    }
    return this.#transmit(messageType.msg, id, single);
  }

  /**
   * Takes a data message or acknowledgement of a verified sender.
   * @throws SlimError when it is refused, which loses nothing else
   */
  receive(incoming: Incoming, identity: Identity): void {
    const { messageId } = incoming.session;
    const { source } = incoming;
    switch (incoming.session.messageType) {
      case messageType.msg:
        return this.#message(incoming, identity);
      case messageType.msgAck:
        this.#sendWindow.acknowledge(messageId, source.key);
        return isSequential(messageId) ? this.#met(source.key) : undefined;
      case messageType.rtxRequest:
        return this.#requested(messageId, source);
      case messageType.rtxReply:
        return this.#retransmitted(incoming, identity);
      default:
        throw new SlimError('malformed-frame', 'not a data message');
    }
  }

  /** A receiver came, which is sent nothing from before. */
  welcome(receiver: string): void {
    this.#introductions.expect(receiver);
    this.#firstIds.set(receiver, nextMessageId(this.lastId));
  }

  /** Nobody waits for this receiver any more, and a sender of that name starts anew. */
  forget(receiver: string): void {
    this.#firstIds.delete(receiver);
    this.#sendWindow.forget(receiver);
    this.#met(receiver);
    const stream = this.#streams.get(receiver);
    this.#streams.delete(receiver);
    stream?.close();
  }

  /** Fails what is under way, delivers what came behind a gap, and stops every timer. */
  close(reason: SlimError): void {
    this.#closed ??= reason;
    this.#sendWindow.close(reason);
    for (const stream of this.#streams.values()) stream.close();
  }

  /** Waits for room on the link; who came first goes first, also when room comes meanwhile. */
  async #room(signal: AbortSignal | undefined): Promise<void> {
    if (!this.#lastInLine && this.#context.isWritable) return;
    const before = this.#lastInLine ?? Promise.resolve();
    const turn = before.then(() => this.#context.whenWritable(signal));
    const over = turn.catch(() => {
      // Whoever waited hears of it; the next in line has its turn all the same.
    });
    this.#lastInLine = over;
    try {
      await turn;
    } finally {
      if (this.#lastInLine === over) this.#lastInLine = undefined;
    }
  }

  #message(incoming: Incoming, identity: Identity): void {
    // A repetition that only its acknowledgement was lost of. It says nothing new, and costs no opening.
    if (this.#has(incoming)) return this.#acknowledgeAgain(incoming);
    // Not acknowledged, so the sender repeats it: its window fills, and it waits for the reader.
    if (this.#events.isFull()) throw new SlimError('backpressure', 'too many messages are unread');
    const received = this.#open(incoming, identity);
    if (!this.#options.reliable) return this.#events.deliver(received);
    this.#acknowledge(incoming);
    const { messageId } = incoming.session;
    const stream = this.#streamOf(incoming.source);
    if (isSingle(incoming)) stream.acceptSingle(messageId, received);
    else stream.accept(messageId, received);
  }

  #acknowledge(incoming: Incoming): void {
    const { source, session } = incoming;
    const metadata = isSingle(incoming) ? singleMark : undefined;
    this.#sendEmpty(messageType.msgAck, session.messageId, source, metadata);
  }

  /** Not for what the reader was told is lost: the sender would take it for delivered. */
  #acknowledgeAgain(incoming: Incoming): void {
    const { source, session } = incoming;
    const isLost = this.#streams.get(source.key)?.isLost(session.messageId);
    if (!isLost || isSingle(incoming)) this.#acknowledge(incoming);
  }

  /** True for a message that was taken in or given up, which a session without order does not know. */
  #has(incoming: Incoming): boolean {
    const stream = this.#streams.get(incoming.source.key);
    const { messageId } = incoming.session;
    if (!stream) return false;
    return isSingle(incoming) ? stream.hasSingle(messageId) : stream.has(messageId);
  }

  /** Only what was asked for, and so is bounded, comes in also when the reader is full. */
  #retransmitted(incoming: Incoming, identity: Identity): void {
    const { messageId } = incoming.session;
    const { source, header } = incoming;
    const stream = this.#streams.get(source.key);
    if (header.error !== undefined) return stream?.giveUp(messageId);
    if (stream?.wants(messageId)) {
      stream.accept(messageId, this.#open(incoming, identity));
      return this.#acknowledge(incoming);
    }
    if (this.#has(incoming)) return this.#acknowledgeAgain(incoming);
    // It may have been asked for before the restart, and a native sender does not send it again.
    if (this.#isResumed(source)) return this.#message(incoming, identity);
    throw new SlimError('malformed-frame', `message ${messageId} was not asked for`);
  }

  #isResumed({ key }: WireName): boolean {
    return this.#options.isResumed === true && !this.#firstIds.has(key);
  }

  #streamOf(source: WireName): IncomingStream<Received> {
    const known = this.#streams.get(source.key);
    if (known) return known;
    const stream = new IncomingStream<Received>(
      this.#context.clock,
      this.#options.policy,
      {
        ask: (id) => this.#sendEmpty(messageType.rtxRequest, id, source),
        isConnected: () => this.#context.isConnected,
        deliver: (message) => this.#events.deliver(message),
        lost: (id) => this.#events.lost(id),
      },
      { isResumed: this.#isResumed(source) },
    );
    this.#streams.set(source.key, stream);
    return stream;
  }

  /** Decrypts, and compares what the sender authenticated with the headers that arrived (reference: MLS 6). */
  #open(incoming: Incoming, identity: Identity): Received {
    const { application, header, session } = incoming;
    if (!application) throw new SlimError('malformed-frame', 'a data message has no payload');
    const group = this.#events.group();
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

  #requested(messageId: number, source: WireName): void {
    this.#met(source.key);
    // No acknowledgement, as native senders take it for (reference: sessions 7.5): the reply may get lost.
    const content = this.#sendWindow.kept(messageId);
    const firstId = this.#firstIds.get(source.key) ?? messageId;
    if (!content || isAfter(firstId, messageId)) return this.#sendLoss(messageId, source);
    this.#send(this.#address(messageType.rtxReply, messageId, source), content);
    this.#sendWindow.replied(messageId, source.key);
  }

  /** Says that a message is no longer kept. */
  #sendLoss(messageId: number, receiver: WireName): void {
    const none = toContent(new Uint8Array(0), { payloadType: '' });
    const address = this.#address(messageType.rtxReply, messageId, receiver);
    const message = this.#context.composer.data(address, none, this.#events.group());
    const header = slimHeader.make({ ...message.publish?.header, error: true });
    const publish = message.publish && { ...message.publish, header };
    this.#context.send({ ...message, publish });
  }

  #met(receiver: string): void {
    if (this.#introductions.met(receiver)) this.#sendWindow.resume();
  }

  /** Whoever is a receiver when a message goes, which may have to wait before. */
  readonly #receiversNow: Iterable<string> = {
    [Symbol.iterator]: () => {
      const receivers = this.#events.receivers();
      this.#introductions.begin(receivers);
      return receivers[Symbol.iterator]();
    },
  };

  #transmit(type: MessageType, messageId: number, content: Outgoing): void {
    if (content.to) return this.#send(this.#address(type, messageId, content.to), content);
    const { destination, fanout: copies } = this.#options;
    this.#send({ ...this.#address(type, messageId, destination), fanout: copies }, content);
  }

  #repeat(messageId: number, content: Outgoing, receivers: readonly string[]): void {
    // It would be lost at once, with the generation that it was sealed with.
    if (!this.#context.isConnected) return;
    if (receivers.length > 1 && !this.#isFromBeforeAny(messageId)) {
      // To all, which takes one generation; whoever has it acknowledges it once more.
      return this.#transmit(messageType.msg, messageId, content);
    }
    for (const receiver of receivers) {
      const name = this.#events.nameOf(receiver);
      if (name) this.#send(this.#address(messageType.msg, messageId, name), content);
    }
  }

  /** True when a receiver came after that message, which it must not be given. */
  #isFromBeforeAny(messageId: number): boolean {
    for (const firstId of this.#firstIds.values()) if (isAfter(firstId, messageId)) return true;
    return false;
  }

  #send(address: Address, content: Content): void {
    this.#context.send(this.#context.composer.data(address, content, this.#events.group()));
  }

  #sendEmpty(type: MessageType, messageId: number, to: WireName, metadata?: TextMap): void {
    const address = this.#address(type, messageId, to);
    this.#context.send(this.#context.composer.empty(address, metadata));
  }

  #address(type: MessageType, messageId: number, destination: WireName): Address {
    const { source, sessionType, sessionId } = this.#options;
    const session = { sessionType, messageType: type, sessionId, messageId };
    return { source, destination, session, fanout: fanout.one };
  }
}
