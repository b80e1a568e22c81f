import { AsyncResource } from 'node:async_hooks';
import { ClientProxy, type ReadPacket, type WritePacket } from '@nestjs/microservices';
import { SlimError, SlimName } from '@nestjs-slim/core';
import type { SlimApp } from '@nestjs-slim/platform-node';
import { defer, type Observable, type Observer } from 'rxjs';
import { ClientCall } from './client/client-call.js';
import { gather, type Gathered, type SendAllOptions } from './client/gathering.js';
import { Outbound } from './client/outbound.js';
import { readOutgoing, withMetadata, type Outgoing } from './client/outgoing.js';
import { PulledAnswer } from './client/pulled-answer.js';
import { PatternReader } from './patterns/pattern-reader.js';
import { patternText } from './patterns/pattern.js';
import { fillPlaceholders } from './patterns/placeholders.js';
import { SlimConnection } from './slim-connection.js';
import type { SlimEvents, SlimStatus } from './slim-events.js';
import { duration, positive, type SlimOptions } from './slim-options.js';
import { SlimRecord } from './slim-record.js';
import { isAsyncIterable, isItemSource } from './streams/pull.js';
import { noTelemetry, type ExchangeKind, type Sending } from './telemetry.js';

/** What a client with a connection of its own is made from. */
export interface SlimClientOptions extends SlimOptions {
  /** The service whose operations bare patterns such as `create` mean; may have placeholders. */
  readonly target?: SlimName | string;
}

/** How often a request may be asked again when whoever was asked is lost. */
const maxTries = 3;

/**
 * Calls services by SLIM name: `org/namespace/service#operation`, or `operation` alone when it has a
 * target. Calls to one name share sessions. Made from options it connects and closes its own connection;
 * made from a `SlimConnection` it shares that one.
 */
// Nest's `customClass` takes no narrower status than string; the getter below narrows it.
export class SlimClient extends ClientProxy<SlimEvents, string> {
  private readonly connection: SlimConnection;
  private readonly ownsConnection: boolean;
  private readonly patterns: PatternReader;
  private outbound: Outbound;

  /** @throws SlimError `invalid-config`, `invalid-name` */
  constructor(source: SlimClientOptions | SlimConnection, target?: SlimName | string) {
    super();
    this.ownsConnection = !(source instanceof SlimConnection);
    this.connection = source instanceof SlimConnection ? source : new SlimConnection(source);
    const name = target ?? (source instanceof SlimConnection ? undefined : source.target);
    const { resolvePlaceholder } = this.connection.settings;
    const base =
      typeof name === 'string' ? SlimName.parse(fillPlaceholders(name, resolvePlaceholder)) : name;
    this.patterns = new PatternReader(base, resolvePlaceholder);
    this.outbound = new Outbound(this.connection);
  }

  override get status(): Observable<SlimStatus> {
    return this.connection.status;
  }

  /** @throws SlimError `link-failed`, `negotiation-failed`, `invalid-config`, `aborted` */
  connect(): Promise<SlimApp> {
    return this.connection.connect();
  }

  /** Fails what waits for an answer. The next call connects again. */
  async close(): Promise<void> {
    const { outbound } = this;
    this.outbound = new Outbound(this.connection);
    const end = (): Promise<void> => outbound.close();
    await (this.ownsConnection ? this.connection.closeAfter(end) : end());
  }

  /** May be called before `connect`. */
  override on<Name extends keyof SlimEvents>(event: Name, callback: SlimEvents[Name]): void {
    this.connection.on(event, callback);
  }

  /** The `SlimApp`. @throws SlimError `link-closed` when not connected */
  unwrap<T>(): T {
    return this.connection.app as T;
  }

  /**
   * The first value of the answer; undefined when there is none, as from a handler that returns nothing.
   * @throws what `send` fails with
   */
  async request<Response = unknown>(
    pattern: unknown,
    data: unknown,
  ): Promise<Response | undefined> {
    const answer = this.stream<Response>(pattern, data);
    for await (const value of answer) return value;
    return undefined;
  }

  /**
   * Asks when it is first read, and gives the answer item by item: the other side sends on only as they are
   * read. Leaving the loop, or `return` while an item is waited for, cancels the request.
   */
  stream<Response = unknown>(
    pattern: unknown,
    data: unknown,
  ): AsyncIterableIterator<Response, undefined> {
    return new PulledAnswer<Response>((items) =>
      this.begin(this.packet(pattern, data), true, (packet) => {
        if ('err' in packet) return items.fail(this.serializeError(packet.err));
        if ('response' in packet) items.push(this.serializeResponse(packet.response) as Response);
        if (packet.isDisposed) items.complete();
      }),
    );
  }

  /**
   * Asks every instance of a name and gives their answers as they come; the last item says who answered,
   * failed or did not answer. Fails with `timeout` when fewer than the quorum do, with `malformed-frame` for
   * an async iterable, whose items they would share.
   */
  sendAll<Response = unknown>(
    pattern: unknown,
    data: unknown,
    { deadline, quorum, discoveryMs }: SendAllOptions = {},
  ): Observable<Gathered<Response>> {
    const { clock, requestTimeoutMs, discoveryMs: usualMs } = this.connection.settings;
    return defer(() => {
      const { name } = this.patterns.read(pattern);
      const { outbound } = this;
      const deadlineMs = duration('deadline', deadline, requestTimeoutMs);
      const searchMs = duration('discoveryMs', discoveryMs, Math.min(usualMs, deadlineMs / 2));
      const { data: plain, options } = SlimRecord.from(data);
      if (isAsyncIterable(plain)) {
        throw new SlimError('malformed-frame', 'every instance cannot be sent one async iterable');
      }
      return gather<Response>({
        clock,
        deadlineMs,
        quorum: quorum === undefined ? undefined : positive('quorum', quorum),
        instances: (signal) => outbound.instances(name, { discoveryMs: searchMs, signal }),
        ask: (instance) => {
          const wanted = { timeoutMs: deadlineMs, ...options, instance };
          return this.send(pattern, new SlimRecord(plain, wanted));
        },
      });
    });
  }

  /** One request for each subscription; unsubscribing cancels it. */
  protected publish(packet: ReadPacket, callback: (packet: WritePacket) => void): () => void {
    // Nest connected just now. Without a connection it was closed since then, and is not opened again.
    this.unwrap();
    // Answers come by a session that all calls share; what subscribers do belongs to whoever asked. That
    // costs more than the rest of a call, so only for those who watch.
    const isWatched = this.connection.settings.telemetry !== noTelemetry;
    const call = this.begin(packet, false, isWatched ? AsyncResource.bind(callback) : callback);
    return () => call.abandon();
  }

  protected async dispatchEvent<T>(packet: ReadPacket): Promise<T> {
    try {
      // As for requests.
      this.unwrap();
      const outgoing = readOutgoing(packet, SlimRecord.from(packet.data), this.patterns);
      const sending = this.watch('event', outgoing);
      try {
        await this.outbound.tell(withMetadata(outgoing, sending.metadata));
        sending.ended();
      } catch (reason) {
        sending.ended({ reason });
        throw reason;
      }
    } catch (reason) {
      // An event that nobody subscribed to fails in silence otherwise.
      this.connection.events.emit('error', reason, patternText(packet.pattern));
      throw reason;
    }
    // Nest gives subscribers this value; there is none.
    return undefined as T;
  }

  /** Tells errors and values by presence, so that falsy ones survive. */
  protected override createObserver<T>(observer: Observer<T>): (packet: WritePacket) => void {
    return (packet) => {
      if ('err' in packet) return observer.error(this.serializeError(packet.err));
      if ('response' in packet) observer.next(this.serializeResponse(packet.response));
      if (packet.isDisposed) observer.complete();
    };
  }

  /** Made as Nest's own methods do: Nest 12 shows packets to a dispatch hook. */
  private packet(pattern: unknown, data: unknown): ReadPacket {
    // Nest 11 has neither.
    if (typeof this.createPacket !== 'function') return { pattern, data };
    return this.createPacket(pattern, data);
  }

  /** A request on its way; whatever is wrong with it, the observer hears of it. */
  private begin(
    packet: ReadPacket,
    isPulled: boolean,
    observer: (packet: WritePacket) => void,
  ): ClientCall {
    const { settings } = this.connection;
    const record = SlimRecord.from(packet.data);
    const { data, options } = record;
    const usualMs = isItemSource(data) ? Infinity : settings.requestTimeoutMs;
    const call = new ClientCall({
      clock: this.connection.callTimers,
      pattern: packet.pattern,
      timeoutMs: options.timeoutMs ?? usualMs,
      signal: options.signal,
      observer,
      isPulled,
    });
    try {
      this.ask(readOutgoing(packet, record, this.patterns), call);
    } catch (reason) {
      call.fail(reason);
    }
    return call;
  }

  private ask(outgoing: Outgoing, call: ClientCall): void {
    const sending = this.watch('request', outgoing);
    const message = withMetadata(outgoing, sending.metadata);
    const { outbound } = this;
    const { data, options } = outgoing.record;
    call.watchedBy(sending);
    // What a stream gave already, somebody else would not get.
    if (options.isIdempotent && !isItemSource(data)) {
      let triesLeft = maxTries - 1;
      call.repeatedBy(() => {
        if (triesLeft === 0 || outbound.isClosed) return false;
        triesLeft -= 1;
        outbound.request(message, call);
        return true;
      });
    }
    outbound.request(message, call);
  }

  private watch(kind: ExchangeKind, { target, operation }: Outgoing): Sending {
    const { telemetry } = this.connection.settings;
    return telemetry.sending({ kind, target, operation });
  }
}
