import { Logger, type LoggerService, type OnApplicationBootstrap } from '@nestjs/common';
import type { ModulesContainer } from '@nestjs/core';
import {
  Server,
  type BaseRpcContext,
  type CustomTransportStrategy,
  type MessageHandler,
  type ReadPacket,
  type WritePacket,
} from '@nestjs/microservices';
import { SlimError } from '@nestjs-slim/core';
import { finalize, type Observable, type Subscription } from 'rxjs';
import { PatternReader } from './patterns/pattern-reader.js';
import { splitKey } from './patterns/pattern.js';
import { respondInTurn } from './server/answer-queue.js';
import { EventRuns } from './server/event-runs.js';
import { HandlerMethods } from './server/handler-methods.js';
import { handlerStream } from './server/handler-stream.js';
import { HandlerTable } from './server/handler-table.js';
import type { ServerCall } from './server/server-call.js';
import { Serving, type ServingOptions } from './server/serving.js';
import { SlimConnection } from './slim-connection.js';
import type { SlimEvents, SlimStatus } from './slim-events.js';
import type { SlimOptions } from './slim-options.js';

/** Names this transport: `@MessagePattern('…', SLIM_TRANSPORT)` is for SLIM servers only. */
export const SLIM_TRANSPORT: symbol = Symbol.for('slim');

/** How a server relates to the application it is part of. */
export interface SlimServerBehaviour {
  /**
   * Until Nest called `onApplicationBootstrap`, which only happens to providers, refuse requests with
   * `service-starting` and let events wait.
   */
  readonly waitForBootstrap?: boolean;
  /** Where the methods of the handlers are, for messages about them. */
  readonly modules?: ModulesContainer;
}

/**
 * Serves Nest's message and event handlers at SLIM names. Made from options it connects and closes its
 * own connection; made from a `SlimConnection` it shares that one.
 */
export class SlimServer
  extends Server<SlimEvents, SlimStatus>
  implements CustomTransportStrategy, OnApplicationBootstrap
{
  override transportId: symbol = SLIM_TRANSPORT;
  /** Nest need not report failing event handlers: this class does. */
  override readonly propagatesEventHandlerErrors: boolean = true;
  protected override readonly logger: LoggerService = new Logger('SlimServer');
  private readonly connection: SlimConnection;
  private readonly ownsConnection: boolean;
  private readonly table: HandlerTable;
  private readonly methods: HandlerMethods | undefined;
  private readonly events: EventRuns;
  private readonly ready: Promise<void>;
  private isReady = true;
  private bootstrapped: () => void = () => undefined;
  private serving: Serving | undefined;
  private closing: Promise<void> | undefined;

  /** @throws SlimError `invalid-config`, `invalid-name` */
  constructor(source: SlimOptions | SlimConnection, behaviour: SlimServerBehaviour = {}) {
    super();
    this.ownsConnection = !(source instanceof SlimConnection);
    this.connection = source instanceof SlimConnection ? source : new SlimConnection(source);
    const { name, settings } = this.connection;
    const patterns = new PatternReader(name, settings.resolvePlaceholder);
    this.table = new HandlerTable(name, patterns);
    this.methods = behaviour.modules && new HandlerMethods(behaviour.modules, patterns);
    this.events = new EventRuns({
      table: this.table,
      telemetry: settings.telemetry,
      logger: this.logger,
      withHooks: (context, work) => this.withHooks(context, work),
      failed: (reason, pattern) => this.connection.events.emit('error', reason, pattern),
    });
    this.ready = new Promise((resolve) => (this.bootstrapped = resolve));
    this.isReady = !behaviour.waitForBootstrap;
  }

  override get status(): Observable<SlimStatus> {
    return this.connection.status;
  }

  /** Called by Nest, more than once in some hybrid applications. */
  onApplicationBootstrap(): void {
    this.isReady = true;
    this.bootstrapped();
  }

  /**
   * Called by Nest for every handler, before `listen`.
   * @throws SlimError `invalid-name` for a bad pattern, `invalid-config` for one that is taken
   */
  override addHandler(
    pattern: unknown,
    callback: MessageHandler,
    isEventHandler = false,
    extras: Record<string, unknown> = {},
  ): void {
    const key = this.add(pattern, callback, isEventHandler);
    callback.isEventHandler = isEventHandler;
    callback.extras = extras;
    if (!this.messageHandlers.has(key)) this.messageHandlers.set(key, callback);
  }

  /** Takes a pattern as it is in `SlimContext.getPattern`. */
  override getHandlerByPattern(pattern: string): MessageHandler | null {
    const [service, operation] = splitKey(pattern);
    const match =
      this.table.message(service, operation) ?? this.table.events(service, operation)[0];
    return match?.handler ?? null;
  }

  /** Connects and accepts sessions; `callback` is called once, with what went wrong if something did. */
  async listen(callback: (...optionalParams: unknown[]) => unknown): Promise<void> {
    try {
      await this.start();
    } catch (reason) {
      callback(reason);
      return;
    }
    callback();
  }

  /** Begins nothing new, lets handlers finish and delivers their last replies. May be called twice. */
  close(): Promise<void> {
    this.closing ??= this.stop().finally(() => (this.closing = undefined));
    return this.closing;
  }

  /** May be called before `listen`. */
  on<Name extends keyof SlimEvents>(event: Name, callback: SlimEvents[Name]): void {
    this.connection.on(event, callback);
  }

  /** The `SlimApp`. @throws SlimError `link-closed` when not connected */
  unwrap<T>(): T {
    return this.connection.app as T;
  }

  /** As Nest's own, in less time: `handleRequest` calls it. */
  override send(
    answers: Observable<unknown>,
    respond: (packet: WritePacket) => unknown,
  ): Subscription {
    return respondInTurn(answers, respond);
  }

  /** Runs every handler of an event. Each failure is logged and told to `on('error')`. */
  override async handleEvent(
    pattern: string,
    packet: ReadPacket,
    context: BaseRpcContext,
  ): Promise<void> {
    await this.events.ofPattern(pattern, packet.data, context);
  }

  /** Says in which method it is that something is wrong. */
  private add(pattern: unknown, callback: MessageHandler, isEventHandler: boolean): string {
    try {
      return this.table.add(pattern, callback, isEventHandler);
    } catch (reason) {
      const { code, message } = SlimError.from(reason, 'invalid-config');
      const where = this.methods?.of(pattern, this.transportId).join(' and ');
      throw new SlimError(code, where ? `${where}: ${message}` : message, { cause: reason });
    }
  }

  private async start(): Promise<void> {
    if (this.serving) throw new SlimError('invalid-config', 'the server is listening already');
    const { connection, table, ready } = this;
    const { payloads } = connection.settings;
    const host: ServingOptions['host'] = {
      clock: connection.callTimers,
      payloads,
      table,
      ready,
      isReady: () => this.isReady,
      isOpen: () => serving.isOpen,
      request: (call, handler, data) => this.request(call, handler, data),
      event: (call, matches, data) => void this.events.ofCall(call, matches, data),
      dropped: (reason) => connection.dropped(reason),
    };
    const serving = new Serving({ connection, host, aliases: table.aliases });
    this.serving = serving;
    try {
      await serving.start();
    } catch (reason) {
      await this.close();
      throw reason;
    }
  }

  private async stop(): Promise<void> {
    await this.serving?.stop();
    this.serving = undefined;
    if (this.ownsConnection) await this.connection.close();
  }

  private request(call: ServerCall, handler: MessageHandler, data: unknown): void {
    const { context } = call;
    const handling = this.connection.settings.telemetry.handling('request', context);
    call.whenFinished(() => handling.ended(call.failure));
    const answers = handlerStream(() => handler(data, context), call);
    const respond = (packet: WritePacket): Promise<void> | void => call.respond(packet);
    handling.run(() => {
      // Nest 11 has no `handleRequest`; this is what its own servers do instead.
      if (typeof this.handleRequest === 'function') {
        this.handleRequest(context, async () => answers, respond);
        return;
      }
      const end = (): void => this.onProcessingEndHook?.(this.transportId, context);
      this.onProcessingStartHook(this.transportId, context, async () =>
        this.send(answers.pipe(finalize(end)), respond),
      );
    });
  }

  /** Runs `work` between the hooks that observability tools set. */
  private withHooks(context: BaseRpcContext, work: () => Promise<unknown>): Promise<void> {
    return new Promise((resolve) => {
      this.onProcessingStartHook(this.transportId, context, async () => {
        await work();
        this.onProcessingEndHook?.(this.transportId, context);
        resolve();
      });
    });
  }
}
