import { ClientProxy, type ReadPacket, type WritePacket } from '@nestjs/microservices';
import { SlimName } from '@nestjs-slim/core';
import type { SlimApp } from '@nestjs-slim/platform-node';
import type { Observable, Observer } from 'rxjs';
import { ClientCall } from './client-call.js';
import type { ClientMessage } from './client-session.js';
import { ClientSessions } from './client-sessions.js';
import { parsePattern } from './pattern.js';
import { SlimConnection } from './slim-connection.js';
import type { SlimEvents, SlimStatus } from './slim-events.js';
import type { SlimOptions } from './slim-options.js';
import { SlimRecord } from './slim-record.js';

/** What a client with a connection of its own is made from. */
export interface SlimClientOptions extends SlimOptions {
  /** The service whose operations bare patterns such as `create` mean. */
  readonly target?: SlimName | string;
}

/**
 * Calls services by SLIM name: `org/namespace/service#operation`, or `operation` alone when it has a
 * target. All calls to one name share a session. Made from options it connects and closes its own
 * connection; made from a `SlimConnection` it shares that one.
 */
// Nest's `customClass` takes no narrower status than string; the getter below narrows it.
export class SlimClient extends ClientProxy<SlimEvents, string> {
  private readonly connection: SlimConnection;
  private readonly ownsConnection: boolean;
  private readonly target: SlimName | undefined;
  private sessions: ClientSessions;

  /** @throws SlimError `invalid-config`, `invalid-name` */
  constructor(source: SlimClientOptions | SlimConnection, target?: SlimName | string) {
    super();
    this.ownsConnection = !(source instanceof SlimConnection);
    this.connection = source instanceof SlimConnection ? source : new SlimConnection(source);
    const name = target ?? (source instanceof SlimConnection ? undefined : source.target);
    this.target = name === undefined ? undefined : SlimName.from(name);
    this.sessions = new ClientSessions(this.connection);
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
    const { sessions } = this;
    this.sessions = new ClientSessions(this.connection);
    await sessions.close();
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

  /** One request for each subscription; unsubscribing cancels it. */
  protected publish(packet: ReadPacket, callback: (packet: WritePacket) => void): () => void {
    const { clock, requestTimeoutMs } = this.connection.settings;
    const record = SlimRecord.from(packet.data);
    const call = new ClientCall({
      clock,
      pattern: String(packet.pattern),
      timeoutMs: record.timeoutMs ?? requestTimeoutMs,
      observer: callback,
    });
    void this.ask(packet, record, call);
    return () => call.abandon();
  }

  protected async dispatchEvent<T>(packet: ReadPacket): Promise<T> {
    try {
      const { name, operation } = parsePattern(packet.pattern, this.target);
      await this.tell(name, toMessage(operation, packet, SlimRecord.from(packet.data)));
    } catch (reason) {
      // An event that nobody subscribed to fails in silence otherwise.
      this.connection.events.emit('error', reason, String(packet.pattern));
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

  /** An event to a channel of this application is for everybody in it. */
  private async tell(name: SlimName, message: ClientMessage): Promise<void> {
    const isPlainName = message.operation === '' && !name.isInstance;
    const channel = isPlainName ? this.connection.channels?.find(name.service) : undefined;
    if (channel) return channel.publish(message.data, { metadata: message.metadata });
    const session = await this.sessions.to(name);
    return session.emit(message);
  }

  private async ask(packet: ReadPacket, record: SlimRecord, call: ClientCall): Promise<void> {
    try {
      const { name, operation } = parsePattern(packet.pattern, this.target);
      const session = await this.sessions.to(name);
      if (call.isOver) return;
      await session.request(toMessage(operation, packet, record), call);
    } catch (reason) {
      call.fail(reason);
    }
  }
}

function toMessage(operation: string, packet: Hooked, record: SlimRecord): ClientMessage {
  const metadata = { ...record.metadata, ...packet.metadata };
  return { operation, data: record.data, metadata };
}

/** What Nest 12 lets a dispatch hook add to a packet. */
interface Hooked {
  readonly metadata?: Readonly<Record<string, string>>;
}
