import type { Channel, SlimName } from '@nestjs-slim/core';
import { BaseRpcContext } from '@nestjs/microservices';

/** What a context tells of a change in a channel. */
export interface SlimChannelContextDetails {
  readonly channel: Channel;
  /** Who came or left; this side when the channel is over. */
  readonly source: SlimName;
  readonly signal: AbortSignal;
}

/** What `@ParticipantJoined`, `@ParticipantLeft` and `@ChannelClosed` handlers get by `@Ctx()`. */
export class SlimChannelContext extends BaseRpcContext<[SlimChannelContextDetails]> {
  constructor(details: SlimChannelContextDetails) {
    super([details]);
  }

  /** `org/namespace/service` of the channel. */
  getPattern(): string {
    return this.getSession().name.service;
  }

  /** The name this side has in the channel, with its instance id. */
  getName(): SlimName {
    return this.getSession().self;
  }

  /** Full name of who came or left; of this side when the channel is over. */
  getSource(): SlimName {
    return this.args[0].source;
  }

  /** The channel as slim-core has it. */
  getSession(): Channel {
    return this.args[0].channel;
  }

  /** Aborted when the application is closed and does not wait any longer. */
  getSignal(): AbortSignal {
    return this.args[0].signal;
  }
}
