import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { SlimName } from '@nestjs-slim/core';
import { SlimSource } from '../slim-parameters.js';
import { Fabric } from '../testing/spec-fabric.js';
import { Log } from '../testing/spec-log.js';
import {
  ChannelClosed,
  ChannelMessage,
  InjectChannel,
  ParticipantJoined,
  ParticipantLeft,
  SlimChannel,
} from './channel-decorators.js';
import type { SlimChannelRef } from './slim-channel-ref.js';

const roomName = 'acme/ops/room';
const log = new Log();

@SlimChannel({ name: roomName, moderator: true, invite: ['acme/ops/agent'], inviteRetryMs: 50 })
class Desk {
  constructor(@InjectChannel(roomName) readonly room: SlimChannelRef) {}

  @ParticipantJoined()
  joined(@SlimSource() name: SlimName): void {
    log.add(`joined ${String(name)}`);
  }

  @ParticipantLeft()
  left(@SlimSource() name: SlimName): void {
    log.add(`left ${String(name)}`);
  }
}

@SlimChannel({ name: roomName })
class Agent {
  constructor(@InjectChannel(roomName) readonly room: SlimChannelRef) {}

  @ChannelMessage()
  said(text: string): void {
    log.add(`agent heard ${text}`);
  }

  @ChannelClosed()
  closed(): void {
    log.add('agent is out');
  }
}

describe('the members of a channel', () => {
  let fabric: Fabric;
  beforeEach(async () => {
    log.clear();
    fabric = await Fabric.start();
  });
  afterEach(() => fabric.end());

  const serve = async (name: string, type: typeof Desk | typeof Agent) => {
    // Whoever loses its link does not come back while the spec lasts.
    const backoff = { firstMs: 60_000, maxMs: 60_000 };
    const sessions = {
      heartbeatMs: 150,
      maxSilentIntervals: 3,
      intervalMs: 200,
      maxRetries: 10,
      closeMs: 200,
    };
    const app = await fabric.serve(
      { providers: [type] },
      { name, backoff, sessions, discoveryMs: 100 },
    );
    const own = String(app.unwrap<{ readonly name: SlimName }>().name);
    const vanish = (): void => fabric.network.cut(name);
    return { own, vanish, room: app.get<Desk | Agent>(type).room };
  };

  it('that vanished are replaced by whoever has their name now', async () => {
    const agent = await serve('acme/ops/agent', Agent);
    const desk = await serve('acme/ops/desk', Desk);
    await log.has(`joined ${agent.own}`);
    agent.vanish();
    const again = await serve('acme/ops/agent', Agent);
    await log.has(`left ${agent.own}`, `joined ${again.own}`);
    await desk.room.publish('anybody there?');
    await log.has('agent heard anybody there?');
    const names = desk.room.participants().map(({ name }) => String(name));
    expect(names.toSorted()).toStrictEqual([again.own, desk.own].toSorted());
  });

  it('follow a moderator that vanished and came back as another', async () => {
    const agent = await serve('acme/ops/agent', Agent);
    const desk = await serve('acme/ops/desk', Desk);
    await log.has(`joined ${agent.own}`);
    desk.vanish();
    log.clear();
    const again = await serve('acme/ops/desk', Desk);
    await log.has(`joined ${agent.own}`, 'agent is out');
    await again.room.publish('back');
    await log.has('agent heard back');
    const names = agent.room.participants().map(({ name }) => String(name));
    expect(names.toSorted()).toStrictEqual([again.own, agent.own].toSorted());
  });

  it('are not invited again when the moderator does not want them', async () => {
    const agent = await serve('acme/ops/agent', Agent);
    const desk = await serve('acme/ops/desk', Desk);
    await log.has(`joined ${agent.own}`);
    await desk.room.remove('acme/ops/agent');
    await log.has('agent is out');
    log.clear();
    // That nothing happens can only be waited for: six times the pause of the moderator.
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(log.lines).toStrictEqual([]);
    await desk.room.invite('acme/ops/agent');
    await log.has(`joined ${agent.own}`);
    await agent.room.ready;
    await expect(agent.room.invite('acme/ops/desk')).rejects.toMatchObject({
      code: 'not-moderator',
    });
  });
});
