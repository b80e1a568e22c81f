import { Logger, type LoggerService, type OnApplicationBootstrap } from '@nestjs/common';
import {
  Server,
  type BaseRpcContext,
  type CustomTransportStrategy,
  type MessageHandler,
  type ReadPacket,
  type WritePacket,
} from '@nestjs/microservices';
import { SlimError } from '@nestjs-slim/core';
import { defer, finalize, tap, type Observable } from 'rxjs';
import { describeError, runEvent } from './event-run.js';
import { handlerStream } from './handler-stream.js';
import { HandlerTable } from './handler-table.js';
import type { ServerCall } from './server-call.js';
import { Serving, type ServingOptions } from './serving.js';
import { SlimConnection } from './slim-connection.js';
import type { SlimEvents, SlimStatus } from './slim-events.js';
import type { SlimOptions } from './slim-options.js';

/** Names this transport: `@MessagePattern('…', SLIM_TRANSPORT)` is for SLIM servers only. */
export const SLIM_TRANSPORT: symbol = Symbol.for('slim');

/** How a server relates to the application it is part of. */
export interface SlimServerBehaviour {
  /** Let messages wait until Nest called `onApplicationBootstrap`, which only happens to providers. */
  readonly waitForBootstrap?: boolean;
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
  private readonly ready: Promise<void>;
  private bootstrapped: () => void = () => undefined;
  private serving: Serving | undefined;
  private closing: Promise<void> | undefined;

  /** @throws SlimError `invalid-config`, `invalid-name` */
  constructor(source: SlimOptions | SlimConnection, behaviour: SlimServerBehaviour = {}) {
    super();
    this.ownsConnection = !(source instanceof SlimConnection);
    this.connection = source instanceof SlimConnection ? source : new SlimConnection(source);
    this.table = new HandlerTable(this.connection.name);
    this.ready = behaviour.waitForBootstrap
      ? new Promise((resolve) => (this.bootstrapped = resolve))
      : Promise.resolve();
  }

  override get status(): Observable<SlimStatus> {
    return this.connection.status;
  }

  /** Called by Nest, more than once in some hybrid applications. */
  onApplicationBootstrap(): void {
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
    const key = this.table.add(pattern, callback, isEventHandler);
    callback.isEventHandler = isEventHandler;
    callback.extras = extras;
    if (!this.messageHandlers.has(key)) this.messageHandlers.set(key, callback);
  }

  /** Takes a pattern as it is in `SlimContext.getPattern`. */
  override getHandlerByPattern(pattern: string): MessageHandler | null {
    return this.messageHandlers.get(pattern) ?? null;
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

  /** Runs every handler of an event. Each failure is logged and told to `on('error')`. */
  override async handleEvent(
    pattern: string,
    packet: ReadPacket,
    context: BaseRpcContext,
  ): Promise<void> {
    const found = this.table.get(pattern);
    if (found?.kind !== 'event') {
      const why = found ? 'it answers requests only' : 'there is no handler for it';
      return void this.logger.error(`An event to "${pattern}" was ignored: ${why}.`);
    }
    await this.withHooks(context, () =>
      Promise.all(
        found.handlers.map(async (handler) => {
          const failure = await runEvent(this.resultsOf(handler, packet.data, context), context);
          if (failure) this.eventFailed(failure.reason, pattern);
        }),
      ),
    );
  }

  private async start(): Promise<void> {
    if (this.serving) throw new SlimError('invalid-config', 'the server is listening already');
    const { connection, ready } = this;
    const host: ServingOptions['host'] = {
      clock: connection.settings.clock,
      isOpen: () => serving.isOpen,
      find: (key) => this.table.get(key),
      request: (call, { handler }, data) => this.request(call, handler, data),
      event: (call, data) => void this.event(call, data),
      dropped: (reason) => connection.events.emit('dropped', reason),
    };
    const serving = new Serving({ connection, host, aliases: this.table.aliases, ready });
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
    const results = this.resultsOf(handler, data, context);
    const answers = handlerStream(results, call).pipe(tap(() => call.replyQueued()));
    const respond = (packet: WritePacket): Promise<void> => call.respond(packet);
    // Nest 11 has no `handleRequest`; this is what its own servers do instead.
    if (typeof this.handleRequest === 'function') {
      this.handleRequest(context, async () => answers, respond);
      return;
    }
    const end = (): void => this.onProcessingEndHook?.(this.transportId, context);
    this.onProcessingStartHook(this.transportId, context, async () =>
      this.send(answers.pipe(finalize(end)), respond),
    );
  }

  private async event(call: ServerCall, data: unknown): Promise<void> {
    const pattern = call.context.getPattern();
    try {
      await this.handleEvent(pattern, { pattern, data }, call.context);
    } catch (reason) {
      this.eventFailed(reason, pattern);
    } finally {
      call.end();
    }
  }

  private eventFailed(reason: unknown, pattern: string): void {
    this.logger.error(`An event handler of "${pattern}" failed: ${describeError(reason)}`);
    this.connection.events.emit('error', reason, pattern);
  }

  private resultsOf(
    handler: MessageHandler,
    data: unknown,
    context: BaseRpcContext,
  ): Observable<unknown> {
    return defer(() => this.transformToObservable<unknown>(handler(data, context)));
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
