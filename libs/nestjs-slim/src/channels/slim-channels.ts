import type { BeforeApplicationShutdown, OnApplicationBootstrap } from '@nestjs/common';
import type { ExternalContextCreator, ModulesContainer } from '@nestjs/core';
import type { Channel, Invitation } from '@nestjs-slim/core';
import { resolveName } from '../patterns/placeholders.js';
import type { ChannelHost, SlimConnection } from '../slim-connection.js';
import { exploreChannels, type ChannelClass } from './channel-explorer.js';
import { bindHandlers, noHandlers, type ChannelHandlers } from './channel-handlers.js';
import { ChannelRoom } from './channel-room.js';
import { connectUntilUp } from './connect-until-up.js';
import { moderate } from './moderation.js';
import { SlimChannelRef } from './slim-channel-ref.js';

/** Nest's parts that find classes and run their methods. */
export interface NestInternals {
  readonly modules: ModulesContainer;
  readonly contexts: ExternalContextCreator;
}

/** The channels of an application, from its bootstrap to its shutdown. */
export class SlimChannels
  implements OnApplicationBootstrap, BeforeApplicationShutdown, ChannelHost
{
  private readonly connection: SlimConnection;
  private readonly nest: NestInternals;
  private readonly rooms = new Map<string, ChannelRoom>();
  private readonly closure = new AbortController();
  private classes: ReadonlyMap<string, ChannelClass> | undefined;

  constructor(connection: SlimConnection, nest: NestInternals) {
    this.connection = connection;
    this.nest = nest;
    connection.channels = this;
  }

  /**
   * Called by Nest, more than once in some hybrid applications. Does not wait for the connection.
   * @throws SlimError `invalid-config`, `invalid-name` for a class that cannot be a side of a channel
   */
  onApplicationBootstrap(): void {
    if (this.classes || this.closure.signal.aborted) return;
    const { settings, name: own } = this.connection;
    const { resolvePlaceholder: resolve } = settings;
    const classes = exploreChannels(this.nest.modules, { own, resolve });
    this.classes = classes;
    if (classes.size > 0 || settings.acceptChannels !== false) {
      void connectUntilUp(this.connection, this.closure.signal);
    }
    this.resume();
    for (const found of classes.values()) {
      const room = this.room(found.name.service);
      if (found.options.moderator) void moderate(room, found, this.connection);
    }
  }

  /** Called by Nest, before the connection is closed. Leaves every channel. */
  async beforeApplicationShutdown(): Promise<void> {
    this.closure.abort();
    await Promise.all([...this.rooms.values()].map((room) => room.close()));
  }

  /** The channel that a text with placeholders names. It need not be resolvable before it is used. */
  ref(written: string): SlimChannelRef {
    const { resolvePlaceholder } = this.connection.settings;
    return new SlimChannelRef(() => this.room(resolveName(written, resolvePlaceholder).service));
  }

  /** Channels of participant classes, and others as the options say. Nothing before the bootstrap. */
  accepts(invitation: Invitation): boolean | Promise<boolean> {
    const service = invitation.channel?.service ?? '';
    const found = this.classes?.get(service);
    const isClosed = this.closure.signal.aborted || this.rooms.get(service)?.closed.aborted;
    if (!this.classes || isClosed || found?.options.moderator) return false;
    if (found?.options.mls && !invitation.mls) return false;
    const { acceptChannels } = this.connection.settings;
    if (typeof acceptChannels === 'function') return acceptChannels(invitation);
    return found !== undefined || acceptChannels;
  }

  joined(channel: Channel): void {
    this.room(channel.name.service).enter(channel);
  }

  /** Goes on in the channels that this application was in before a crash; closes those no class moderates now. */
  resume(): void {
    const { classes } = this;
    if (!classes || this.closure.signal.aborted) return;
    const { connection } = this;
    for (const channel of connection.resumed(({ isModerator }) => !isModerator)) {
      this.joined(channel);
    }
    const isLeft = ({ isModerator, name }: Channel): boolean =>
      isModerator && !classes.get(name.service)?.options.moderator;
    for (const channel of connection.resumed(isLeft)) void channel.close();
  }

  find(service: string): ChannelRoom | undefined {
    return this.rooms.get(service);
  }

  private room(service: string): ChannelRoom {
    const known = this.rooms.get(service);
    if (known) return known;
    const bind = (): ChannelHandlers => {
      const found = this.classes?.get(service);
      return found ? bindHandlers(this.nest.contexts, found) : noHandlers;
    };
    const room = new ChannelRoom(service, bind, this.connection);
    this.rooms.set(service, room);
    return room;
  }
}
