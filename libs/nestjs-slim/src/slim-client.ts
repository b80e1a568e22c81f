import { ClientProxy, type ReadPacket, type WritePacket } from '@nestjs/microservices';
import { SlimName, type Metadata } from '@nestjs-slim/core';
import type { SlimApp } from '@nestjs-slim/platform-node';
import { Observable, type Observer } from 'rxjs';
import { ClientCall, type ClientCallOptions } from './client/client-call.js';
import { ClientSessions } from './client/client-sessions.js';
import { delivery } from './client/delivery.js';
import { gather, type Gathered, type SendAllOptions } from './client/gathering.js';
import { PlainCalls } from './client/plain-calls.js';
import { PatternReader } from './patterns/pattern-reader.js';
import { patternText, type SlimPattern } from './patterns/pattern.js';
import { SlimConnection } from './slim-connection.js';
import type { SlimEvents, SlimStatus } from './slim-events.js';
import type { SlimOptions } from './slim-options.js';
import { SlimRecord } from './slim-record.js';
import { ItemQueue } from './streams/item-queue.js';
import { isItemSource } from './streams/pull.js';
import type { ExchangeKind, Sending } from './telemetry.js';

/** What a client with a connection of its own is made from. */
export interface SlimClientOptions extends SlimOptions {
  /** The service whose operations bare patterns such as `create` mean. */
  readonly target?: SlimName | string;
}

/** One message on its way out. */
interface Outgoing {
  readonly record: SlimRecord;
  readonly pattern: SlimPattern;
  /** Where it goes: to the name of the pattern or, when the record says so, to one instance. */
  readonly target: SlimName;
  readonly metadata: Metadata;
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
  private sessions: ClientSessions;
  private plain: PlainCalls;

  /** @throws SlimError `invalid-config`, `invalid-name` */
  constructor(source: SlimClientOptions | SlimConnection, target?: SlimName | string) {
    super();
    this.ownsConnection = !(source instanceof SlimConnection);
    this.connection = source instanceof SlimConnection ? source : new SlimConnection(source);
    const name = target ?? (source instanceof SlimConnection ? undefined : source.target);
    const { resolvePlaceholder } = this.connection.settings;
    this.patterns = new PatternReader(
      name === undefined ? undefined : SlimName.from(name),
      resolvePlaceholder,
    );
    this.sessions = new ClientSessions(this.connection);
    this.plain = new PlainCalls(this.connection);
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
    const { sessions, plain } = this;
    this.sessions = new ClientSessions(this.connection);
    this.plain = new PlainCalls(this.connection);
    await Promise.all([sessions.close(), plain.close()]);
    if (this.ownsConnection) await this.connection.close();
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
   * Asks, and gives the answer item by item: the other side sends on only as they are read. Leaving the
   * loop cancels the request.
   */
  async *stream<Response = unknown>(pattern: unknown, data: unknown): AsyncGenerator<Response> {
    await this.connect();
    const items = new ItemQueue<Response>(() => call.consumed());
    const call = this.begin({ pattern, data }, true, (packet) => {
      if ('err' in packet) return items.fail(this.serializeError(packet.err));
      if ('response' in packet) items.push(this.serializeResponse(packet.response) as Response);
      if (packet.isDisposed) items.complete();
    });
    try {
      yield* items;
    } finally {
      call.abandon();
    }
  }

  /**
   * Asks every instance of a name and gives their answers as they come; the last item says who answered,
   * failed or did not answer. Fails with `timeout` when fewer than the quorum do.
   */
  sendAll<Response = unknown>(
    pattern: unknown,
    data: unknown,
    { deadline, quorum, discoveryMs }: SendAllOptions = {},
  ): Observable<Gathered<Response>> {
    const { clock, requestTimeoutMs, discoveryMs: usualMs } = this.connection.settings;
    const deadlineMs = deadline ?? requestTimeoutMs;
    const { name } = this.patterns.read(pattern);
    const { sessions } = this;
    return gather<Response>({
      clock,
      deadlineMs,
      quorum,
      instances: () => sessions.instances(name, discoveryMs ?? Math.min(usualMs, deadlineMs / 2)),
      ask: (instance) => {
        const { data: plain, options } = SlimRecord.from(data);
        return this.send(
          pattern,
          new SlimRecord(plain, { timeoutMs: deadlineMs, ...options, instance }),
        );
      },
    });
  }

  /** One request for each subscription; unsubscribing cancels it. */
  protected publish(packet: ReadPacket, callback: (packet: WritePacket) => void): () => void {
    const call = this.begin(packet, false, callback);
    return () => call.abandon();
  }

  protected async dispatchEvent<T>(packet: ReadPacket): Promise<T> {
    try {
      const outgoing = this.outgoing(packet);
      const sending = this.watch('event', outgoing);
      try {
        await this.tell({ ...outgoing, metadata: { ...outgoing.metadata, ...sending.metadata } });
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

  /** A request on its way; whatever is wrong with it, the observer hears of it. */
  private begin(
    packet: ReadPacket,
    isPulled: boolean,
    observer: (packet: WritePacket) => void,
  ): ClientCall {
    const { settings } = this.connection;
    const { data, options } = SlimRecord.from(packet.data);
    const usualMs = isItemSource(data) ? Infinity : settings.requestTimeoutMs;
    const call = {
      clock: settings.clock,
      pattern: patternText(packet.pattern),
      timeoutMs: options.timeoutMs ?? usualMs,
      observer,
      isPulled,
    };
    try {
      return this.ask(this.outgoing(packet), call);
    } catch (reason) {
      const failed = new ClientCall(call);
      failed.fail(reason);
      return failed;
    }
  }

  private ask(outgoing: Outgoing, options: ClientCallOptions): ClientCall {
    const sending = this.watch('request', outgoing);
    const message = { ...outgoing, metadata: { ...outgoing.metadata, ...sending.metadata } };
    let triesLeft = outgoing.record.options.isIdempotent ? maxTries - 1 : 0;
    const call = new ClientCall({
      ...options,
      ended: (failure) => sending.ended(failure),
      askAgain: () => {
        if (triesLeft === 0) return false;
        triesLeft -= 1;
        void this.route(message, call);
        return true;
      },
    });
    void this.route(message, call);
    return call;
  }

  /** Never fails: the call hears of it. */
  private async route(outgoing: Outgoing, call: ClientCall): Promise<void> {
    const { record, pattern, target, metadata } = outgoing;
    const { payloadType } = record.options;
    try {
      if (payloadType !== undefined) {
        return await this.plain.request(target, { data: record.data, payloadType, metadata }, call);
      }
      const session = await this.sessions.to(target, this.deliveryOf(record));
      if (call.isOver) return;
      const { operation } = pattern;
      await session.request({ operation, data: record.data, metadata }, call);
    } catch (reason) {
      call.fail(reason);
    }
  }

  /** An event to a channel of this application is for everybody in it. */
  private async tell({ record, pattern, target, metadata }: Outgoing): Promise<void> {
    const { data } = record;
    const { operation } = pattern;
    const isPlainName = operation === '' && !target.isInstance;
    const channel = isPlainName ? this.connection.channels?.find(target.service) : undefined;
    if (channel) return channel.publish(data, { metadata });
    const { payloadType } = record.options;
    if (payloadType !== undefined) return this.plain.emit(target, { data, payloadType, metadata });
    const session = await this.sessions.to(target, this.deliveryOf(record));
    return session.emit({ operation, data, metadata });
  }

  /** @throws SlimError `invalid-name`, `invalid-config` */
  private outgoing(packet: ReadPacket & Hooked): Outgoing {
    const record = SlimRecord.from(packet.data);
    const pattern = this.patterns.read(packet.pattern);
    const target = record.options.instance ?? pattern.name;
    return {
      record,
      pattern,
      target,
      metadata: { ...record.options.metadata, ...packet.metadata },
    };
  }

  private watch(kind: ExchangeKind, { target, pattern }: Outgoing): Sending {
    const { telemetry } = this.connection.settings;
    return telemetry.sending({ kind, target, operation: pattern.operation });
  }

  private deliveryOf({ options }: SlimRecord): ReturnType<typeof delivery> {
    return delivery(this.connection.settings, options);
  }
}

/** What Nest 12 lets a dispatch hook add to a packet. */
interface Hooked {
  readonly metadata?: Readonly<Record<string, string>>;
}
