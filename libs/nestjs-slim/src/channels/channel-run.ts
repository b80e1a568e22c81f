import {
  SlimError,
  type Channel,
  type ChannelParticipant,
  type Clock,
  type SessionMessage,
  type SlimName,
} from '@nestjs-slim/core';
import type { BaseRpcContext } from '@nestjs/microservices';
import { Abortion } from '../server/abortion.js';
import { runEvent, type EventFailure } from '../server/event-run.js';
import { SlimContext } from '../slim-context.js';
import type { Handling } from '../telemetry.js';
import { settledWithin, timeLimit } from '../time-limit.js';
import type { ChannelHandlerKind } from './channel-marks.js';
import type { ChannelHandlers } from './channel-handlers.js';
import { readChannelMessage, type ChannelValue } from './channel-payload.js';
import { SlimChannelContext } from './slim-channel-context.js';

/** What a channel is given to while it lasts. */
export interface ChannelRunOptions {
  readonly clock: Clock;
  /** How long closing waits for handlers that are at work. */
  readonly drainMs: number;
  readonly handlers: ChannelHandlers;
  watch(context: SlimContext): Handling;
  received(message: SessionMessage, value: ChannelValue): void;
  failed(reason: unknown): void;
  dropped(reason: SlimError): void;
}

/** What handlers are told about, and what ends them. */
interface Handled {
  readonly context: BaseRpcContext;
  readonly abortion: Abortion;
}

/** One channel from the moment this side is in it to its end: hands what happens in it to handlers, all at once. */
export class ChannelRun {
  readonly channel: Channel;
  /** Settles, never fails, when the channel is over and its last handler is done. */
  readonly finished: Promise<void>;
  /** True when the channel is over for this side; handlers may still be at work. */
  isOver = false;
  private readonly options: ChannelRunOptions;
  private readonly abortion = new Abortion();
  private readonly working = new Set<Promise<unknown>>();
  private readonly stopListening: readonly (() => void)[];
  private isOpen = true;

  constructor(channel: Channel, options: ChannelRunOptions) {
    this.channel = channel;
    this.options = options;
    this.stopListening = [
      channel.on('joined', (who) => this.changed('joined', who)),
      channel.on('left', (who) => this.changed('left', who)),
    ];
    this.finished = this.run();
  }

  /** True when whoever moderates the channel has not been heard for some time. */
  get isOrphaned(): boolean {
    const moderator = String(this.channel.moderator);
    const found = this.channel.participants().find(({ name }) => String(name) === moderator);
    return found?.online === false;
  }

  /** Begins no further handler, waits for those at work, leaves the channel. */
  async close(): Promise<void> {
    const { clock, drainMs } = this.options;
    this.isOpen = false;
    await settledWithin(clock, drainMs, this.idle());
    this.abortion.abort(new SlimError('session-closed', 'the application is closing'));
    await this.channel.close();
    await this.finished;
  }

  private async run(): Promise<void> {
    try {
      for await (const message of this.channel) this.receive(message);
    } catch {
      // The reason is the one that `ended` gives below.
    }
    const reason = await this.channel.ended;
    this.isOver = true;
    for (const stop of this.stopListening) stop();
    await this.ended(reason);
    await this.idle();
  }

  private receive(message: SessionMessage): void {
    if (!this.isOpen) return;
    try {
      const value = readChannelMessage(message);
      if (!value) return;
      const context = this.contextOf(message, value);
      const handling = this.options.watch(context);
      handling.run(() => {
        this.options.received(message, value);
        void this.begin('message', value.data, { context, abortion: this.abortion }).then(
          (failure) => handling.ended(failure),
        );
      });
    } catch (reason) {
      this.options.dropped(SlimError.from(reason, 'malformed-frame'));
    }
  }

  private contextOf(message: SessionMessage, value: ChannelValue): SlimContext {
    const { operation, metadata, isForeign } = value;
    return new SlimContext({
      pattern: this.channel.name.service,
      operation,
      params: {},
      session: this.channel,
      message,
      metadata,
      signal: () => this.abortion.signal,
      timeLeftMs: () => undefined,
      isForeign,
    });
  }

  private changed(kind: 'joined' | 'left', who: ChannelParticipant): void {
    if (!this.isOpen) return;
    void this.begin(kind, who, this.changeOf(who.name, this.abortion));
  }

  /** The end is told even when this side is closing, with a time limit of its own. */
  private async ended(reason: SlimError | undefined): Promise<void> {
    const { clock, drainMs } = this.options;
    const limit = new Abortion();
    const late = (): void => limit.abort(new SlimError('timeout', 'the application is closing'));
    const cancel = timeLimit(clock, drainMs, late);
    await this.begin('closed', reason, this.changeOf(this.channel.self, limit));
    cancel();
  }

  private changeOf(source: SlimName, abortion: Abortion): Handled {
    const { signal } = abortion;
    return { abortion, context: new SlimChannelContext({ channel: this.channel, source, signal }) };
  }

  /** Settles, never fails, when the handlers are done; gives what the first that failed did for. */
  private async begin(
    kind: ChannelHandlerKind,
    data: unknown,
    { context, abortion }: Handled,
  ): Promise<EventFailure | undefined> {
    const work = this.options.handlers[kind].map(async (handler) => {
      const failure = await runEvent(() => handler(data, context), abortion);
      if (failure) this.options.failed(failure.reason);
      return failure;
    });
    const all = Promise.all(work);
    this.working.add(all);
    const failures = await all;
    this.working.delete(all);
    return failures.find((failure) => failure !== undefined);
  }

  private async idle(): Promise<void> {
    await Promise.all(this.working);
  }
}
