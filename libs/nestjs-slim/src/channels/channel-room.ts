import { Logger } from '@nestjs/common';
import { SlimError, SlimName, type Channel, type ChannelParticipant } from '@nestjs-slim/core';
import { Subject } from 'rxjs';
import { describeError } from '../server/event-run.js';
import type { SlimConnection } from '../slim-connection.js';
import { noTelemetry } from '../telemetry.js';
import type { ChannelHandlers } from './channel-handlers.js';
import { writeChannelMessage } from './channel-payload.js';
import { ChannelRun } from './channel-run.js';
import type { GuestList } from './guest-list.js';
import type { ChannelSide, SlimChannelMessage, SlimPublishOptions } from './slim-channel-ref.js';

interface Waiter {
  resolve(): void;
  reject(reason: SlimError): void;
}

/**
 * This side of all channels of one name. There may be more than one at a time: several instances of a
 * moderator, or one that came back before its predecessor was missed. What is published goes to the one
 * joined last.
 */
export class ChannelRoom implements ChannelSide {
  readonly name: string;
  readonly messages$ = new Subject<SlimChannelMessage>();
  /** Those whom a moderator wants in the channel, while there is one. */
  guests: GuestList | undefined;
  private readonly connection: SlimConnection;
  private readonly bind: () => ChannelHandlers;
  private handlers: ChannelHandlers | undefined;
  private readonly runs: ChannelRun[] = [];
  private readonly logger = new Logger('SlimChannels');
  private readonly closure = new AbortController();
  private waiters: Waiter[] = [];
  private closing: Promise<void> | undefined;

  /** `bind` is called when a channel is entered first: a room may be asked for before the classes are known. */
  constructor(name: string, bind: () => ChannelHandlers, connection: SlimConnection) {
    this.name = name;
    this.bind = bind;
    this.connection = connection;
  }

  /** Aborted when this side does not want to be in the channel any more. */
  get closed(): AbortSignal {
    return this.closure.signal;
  }

  /** This side is in a channel of that name. */
  enter(channel: Channel): void {
    if (this.closed.aborted) return void channel.close();
    const { connection } = this;
    const { settings } = connection;
    const handlers = (this.handlers ??= this.bind());
    const run = new ChannelRun(channel, {
      clock: settings.clock,
      drainMs: settings.drainMs,
      handlers,
      watch: (context) => {
        const isHeard = handlers.message.length > 0 || this.messages$.observed;
        return (isHeard ? settings.telemetry : noTelemetry).handling('event', context);
      },
      received: ({ source, identity }, { data, metadata, isForeign }) =>
        this.messages$.next({ data, source, identity, metadata, isForeign }),
      failed: (reason) => this.report(reason, 'A handler'),
      dropped: (reason) => connection.dropped(reason),
    });
    this.runs.push(run);
    channel.on('presence', () => this.leaveOrphans());
    void run.finished.then(() => this.runs.splice(this.runs.indexOf(run), 1));
    this.leaveOrphans();
    for (const waiter of this.waiters.splice(0)) waiter.resolve();
  }

  /** Tells those who listen, and the log, of what nobody waits for. */
  report(reason: unknown, what: string, isNews = true): void {
    if (isNews) {
      this.logger.error(`${what} of channel "${this.name}" failed: ${describeError(reason)}`);
    }
    this.connection.events.emit('error', reason, this.name);
  }

  async whenOpen(): Promise<void> {
    if (this.closed.aborted) throw this.over();
    if (this.current) return;
    await new Promise<void>((resolve, reject) => this.waiters.push({ resolve, reject }));
  }

  get epoch(): bigint {
    return this.current?.epoch ?? 0n;
  }

  participants(): readonly ChannelParticipant[] {
    return this.current?.participants() ?? [];
  }

  async publish(value: unknown, options: SlimPublishOptions): Promise<void> {
    const { telemetry } = this.connection.settings;
    const target = SlimName.parse(this.name);
    const sending = telemetry.sending({ kind: 'event', target, operation: '' });
    // Nodes can read the metadata of plain messages.
    const added = options.plain ? {} : sending.metadata;
    try {
      await this.tell(value, { ...options, metadata: { ...options.metadata, ...added } });
      sending.ended();
    } catch (reason) {
      sending.ended({ reason });
      throw reason;
    }
  }

  /** Publishes what is watched already. */
  async tell(value: unknown, options: SlimPublishOptions): Promise<void> {
    const channel = this.open();
    const { payload, options: how } = writeChannelMessage(value, options);
    if (options.to === undefined) await channel.publish(payload, how);
    else await channel.publishTo(options.to, payload, how);
  }

  async invite(name: SlimName | string): Promise<void> {
    const channel = this.open();
    this.guests?.readmit(name);
    await channel.invite(name);
  }

  async remove(name: SlimName | string): Promise<void> {
    const channel = this.open();
    // Before it is out, or it would be invited again.
    this.guests?.dismiss(name);
    await channel.remove(name);
  }

  close(): Promise<void> {
    this.closing ??= this.end();
    return this.closing;
  }

  private get current(): Channel | undefined {
    return this.runs.findLast((run) => !run.isOver)?.channel;
  }

  private open(): Channel {
    if (this.closed.aborted) throw this.over();
    if (this.current) return this.current;
    throw new SlimError('not-a-member', `this application is not in channel "${this.name}"`);
  }

  private over(): SlimError {
    return new SlimError('session-closed', `channel "${this.name}" is closed`);
  }

  /** An older channel that nobody moderates any more was replaced: its moderator came back as another. */
  private leaveOrphans(): void {
    for (const run of this.runs.slice(0, -1)) if (run.isOrphaned) void run.close();
  }

  private async end(): Promise<void> {
    this.closure.abort();
    for (const waiter of this.waiters.splice(0)) waiter.reject(this.over());
    await Promise.all(this.runs.map((run) => run.close()));
    this.messages$.complete();
  }
}
