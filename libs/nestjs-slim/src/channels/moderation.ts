import type { Channel } from '@nestjs-slim/core';
import { pause } from '../pause.js';
import type { SlimConnection } from '../slim-connection.js';
import type { ChannelClass } from './channel-explorer.js';
import type { ChannelRoom } from './channel-room.js';
import { GuestList } from './guest-list.js';

/**
 * Creates the channel of a moderator class, or goes on with the one of before a crash, as often as it takes,
 * and invites its list. Settles, never fails, when the room is closed or somebody closed the channel.
 */
export async function moderate(
  room: ChannelRoom,
  { options, name, invite, inviteRetryMs }: ChannelClass,
  connection: SlimConnection,
): Promise<void> {
  const { clock, mls, reliable } = connection.settings;
  const { closed } = room;
  const create = async (): Promise<Channel> => {
    const app = await connection.connect();
    const isOwn = (channel: Channel): boolean =>
      channel.isModerator && channel.name.service === name.service;
    const [resumed, ...surplus] = connection.resumed(isOwn);
    // Older ones, which could not be forgotten when they ended.
    for (const channel of surplus) void channel.close();
    if (resumed) return resumed;
    const { metadata = {} } = options;
    return app.createChannel(name, {
      mls: options.mls ?? mls,
      reliable: options.reliable ?? reliable,
      discoveryMs: connection.settings.discoveryMs,
      metadata,
    });
  };
  while (!closed.aborted) {
    try {
      const channel = await create();
      room.enter(channel);
      if (!closed.aborted) room.guests = guestsOf(channel);
      const reason = await channel.ended;
      if (!reason) return;
      room.report(reason, 'The moderator');
    } catch (reason) {
      // Closing interrupts what is under way, and that is no failure.
      if (!closed.aborted) room.report(reason, 'The moderator');
    }
    await pause(clock, inviteRetryMs, closed);
  }

  function guestsOf(channel: Channel): GuestList {
    const over = new AbortController();
    const stop = (): void => over.abort();
    void channel.ended.then(stop);
    closed.addEventListener('abort', stop, { once: true });
    return new GuestList({
      channel,
      names: invite,
      clock,
      retryMs: inviteRetryMs,
      signal: over.signal,
      failed: (guest, reason, isNews) =>
        room.report(reason, `Inviting "${guest.service}", a guest`, isNews),
    });
  }
}
