import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Controller, Inject, Injectable, type Type } from '@nestjs/common';
import { Ctx, MessagePattern, Payload, type ClientProxy } from '@nestjs/microservices';
import { Test } from '@nestjs/testing';
import {
  SlimError,
  type Channel,
  type ChannelParticipant,
  type Identity,
  type SlimName,
} from '@nestjs-slim/core';
import type { SlimApp } from '@nestjs-slim/platform-node';
import { firstValueFrom, take, toArray } from 'rxjs';
import { SlimClient } from '../slim-client.js';
import type { SlimContext } from '../slim-context.js';
import { SlimIdentity, SlimMetadata, SlimSession, SlimSource } from '../slim-parameters.js';
import { SlimModule } from '../slim.module.js';
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
import type { SlimChannelContext } from './slim-channel-context.js';
import type { SlimChannelRef } from './slim-channel-ref.js';

const roomName = 'acme/ops/room';
const log = new Log();

@SlimChannel({
  name: roomName,
  moderator: true,
  invite: ['acme/ops/agent-a', 'acme/ops/agent-b'],
  inviteRetryMs: 50,
  metadata: { topic: 'incident 7' },
})
class Desk {
  constructor(
    @InjectChannel(roomName) readonly room: SlimChannelRef,
    readonly client: SlimClient,
  ) {}

  @ChannelMessage()
  said(text: unknown): string {
    log.add(`desk heard ${JSON.stringify(text)}`);
    return 'never published';
  }

  @ParticipantJoined()
  joined(@Payload() who: ChannelParticipant, @SlimSource() source: SlimName): void {
    log.add(`desk saw ${source.service} join${String(source) === String(who.name) ? '' : '?'}`);
  }

  @ParticipantLeft()
  left(@Payload('name') name: SlimName, @Ctx() context: SlimChannelContext): void {
    log.add(`desk saw ${name.service} leave ${context.getPattern()}`);
  }
}

class Agent {
  constructor(@InjectChannel(roomName) readonly room: SlimChannelRef) {}

  @ChannelMessage()
  said(
    @Payload() text: unknown,
    @Ctx() context: SlimContext,
    @SlimSource() source: SlimName,
    @SlimMetadata('mood') mood: string | undefined,
  ): void {
    const name = context.getName().components[2];
    const { service } = context.getDestination();
    log.add(`${name} heard ${JSON.stringify(text)} from ${source.service} in ${service} ${mood}`);
  }

  @ChannelClosed()
  closed(@Payload() reason: SlimError | undefined, @Ctx() context: SlimChannelContext): void {
    log.add(`${context.getName().components[2]} is out: ${reason?.code}`);
  }
}

@SlimChannel({ name: roomName })
class AgentProvider extends Agent {}

@SlimChannel({ name: roomName, mls: true })
@Controller()
class AgentController extends Agent {}

@Controller()
class PlainController {
  @MessagePattern('who')
  who(
    @SlimSource() source: SlimName,
    @SlimIdentity() identity: Identity,
    @SlimSession() session: { readonly kind: string },
    @SlimMetadata() metadata: object,
    @SlimMetadata('k') value: string,
  ): unknown {
    return [source.service, typeof identity.subject, session.kind, metadata, value];
  }
}

describe('channels of an application', () => {
  let fabric: Fabric;
  beforeEach(async () => {
    log.clear();
    fabric = await Fabric.start();
  });
  afterEach(() => fabric.end());

  const serve = async (name: string, type: Type, extra: object = {}) => {
    const isController = type === AgentController || type === PlainController;
    const app = await fabric.serve(
      { [isController ? 'controllers' : 'providers']: [type] },
      { name, discoveryMs: 100, ...extra },
    );
    return app;
  };

  const meeting = async () => {
    const [a, b] = [
      await serve('acme/ops/agent-a', AgentProvider),
      await serve('acme/ops/agent-b', AgentController),
    ];
    const desk = await serve('acme/ops/desk', Desk);
    await log.has('desk saw acme/ops/agent-a join', 'desk saw acme/ops/agent-b join');
    const refs = [a.get(AgentProvider).room, b.get(AgentController).room] as const;
    await Promise.all([desk.get(Desk).room.ready, ...refs.map(({ ready }) => ready)]);
    return { desk, a, b, room: desk.get(Desk).room, refs };
  };

  it('are created, joined and spoken in by providers and controllers', async () => {
    const { room, refs } = await meeting();
    await room.publish({ hello: 'all' }, { metadata: { mood: 'calm' } });
    const said = '"hello":"all"';
    await log.has(
      `agent-a heard {${said}} from acme/ops/desk in ${roomName} calm`,
      `agent-b heard {${said}} from acme/ops/desk in ${roomName} calm`,
    );
    await refs[0].publish('here');
    await log.has(
      'desk heard "here"',
      `agent-b heard "here" from acme/ops/agent-a in ${roomName} undefined`,
    );
    // What a handler returns stays with it.
    expect(log.lines.filter((line) => line.includes('never published'))).toStrictEqual([]);
    const names = room.participants().map(({ name }) => name.service);
    expect(names.toSorted()).toStrictEqual([
      'acme/ops/agent-a',
      'acme/ops/agent-b',
      'acme/ops/desk',
    ]);
    expect(refs[1].participants()).toHaveLength(3);
  });

  it('tell who was removed and who left, and the one concerned that it is out', async () => {
    const { room, a } = await meeting();
    await room.remove('acme/ops/agent-b');
    await log.has(`desk saw acme/ops/agent-b leave ${roomName}`, 'agent-b is out: session-closed');
    await a.close();
    await log.has(`desk saw acme/ops/agent-a leave ${roomName}`, 'agent-a is out: undefined');
    expect(room.participants()).toHaveLength(1);
  });

  it('have an epoch that each change of membership raises, the same for every member', async () => {
    const { room, refs } = await meeting();
    const before = room.epoch;
    expect(before).toBeGreaterThan(0n);
    expect(refs.map(({ epoch }) => epoch)).toStrictEqual([before, before]);
    await room.remove('acme/ops/agent-b');
    expect(room.epoch).toBe(before + 1n);
    expect(refs[1].epoch).toBe(0n);
    await room.publish('new keys');
    await log.has(`agent-a heard "new keys" from acme/ops/desk in ${roomName} undefined`);
    expect(refs[0].epoch).toBe(before + 1n);
  });

  it('end for all when the moderator closes them, and stay closed', async () => {
    const { room, refs } = await meeting();
    const everything = firstValueFrom(room.messages$.pipe(toArray()));
    await room.close();
    await log.has('agent-a is out: session-closed', 'agent-b is out: session-closed');
    expect(await everything).toStrictEqual([]);
    await expect(room.ready).rejects.toMatchObject({ code: 'session-closed' });
    await expect(room.publish('x')).rejects.toMatchObject({ code: 'session-closed' });
    await expect(refs[0].publish('x')).rejects.toMatchObject({ code: 'not-a-member' });
    expect(refs[0].participants()).toStrictEqual([]);
  });

  it('give messages as a stream of values', async () => {
    const { room, refs } = await meeting();
    const three = firstValueFrom(refs[0].messages$.pipe(take(4), toArray()));
    const values = ['text', new Uint8Array([1, 2]), undefined, { n: 1 }];
    for (const value of values) await room.publish(value);
    const messages = await three;
    expect(messages.map(({ data }) => data)).toStrictEqual(values);
    expect(messages[0]).toMatchObject({ isForeign: false, metadata: {} });
    expect(messages[0]?.source.service).toBe('acme/ops/desk');
    expect(messages[0]?.identity.subject).toContain('acme/ops/desk');
  });

  it('get what a client emits at their name', async () => {
    const { desk } = await meeting();
    const { client } = desk.get(Desk);
    await firstValueFrom(client.emit(roomName, { n: 1 }), { defaultValue: undefined });
    await log.has(
      `agent-a heard {"n":1} from acme/ops/desk in ${roomName} undefined`,
      `agent-b heard {"n":1} from acme/ops/desk in ${roomName} undefined`,
    );
    const elsewhere = fabric.client({ discoveryMs: 50 }).emit(roomName, 'x');
    await expect(firstValueFrom(elsewhere)).rejects.toMatchObject({ code: 'no-route' });
  });

  it('can be told to one member only', async () => {
    const { room } = await meeting();
    await room.publish('psst', { to: 'acme/ops/agent-b' });
    await log.has(`agent-b heard "psst" from acme/ops/desk in ${roomName} undefined`);
    expect(log.lines.filter((line) => line.startsWith('agent-a heard'))).toStrictEqual([]);
    await expect(room.publish('x', { to: 'acme/ops/nobody' })).rejects.toMatchObject({
      code: 'not-a-member',
    });
  });

  it('have a member in that comes late, and one that comes back', async () => {
    const a = await serve('acme/ops/agent-a', AgentProvider);
    const desk = await serve('acme/ops/desk', Desk);
    desk.on('error', ({ code }: SlimError, pattern: string) => log.add(`${code} at ${pattern}`));
    await log.has('desk saw acme/ops/agent-a join', `no-route at ${roomName}`);
    await serve('acme/ops/agent-b', AgentController);
    await log.has('desk saw acme/ops/agent-b join');
    await a.close();
    await log.has(`desk saw acme/ops/agent-a leave ${roomName}`);
    log.clear();
    await serve('acme/ops/agent-a', AgentProvider);
    await log.has('desk saw acme/ops/agent-a join');
    expect(desk.get(Desk).room.participants()).toHaveLength(3);
  });

  it('are created anew when the moderator starts again', async () => {
    const { desk, refs } = await meeting();
    await desk.close();
    await log.has('agent-a is out: session-closed', 'agent-b is out: session-closed');
    log.clear();
    const again = await serve('acme/ops/desk', Desk);
    await log.has('desk saw acme/ops/agent-a join', 'desk saw acme/ops/agent-b join');
    await refs[0].ready;
    await again.get(Desk).room.publish('back');
    await log.has(`agent-a heard "back" from acme/ops/desk in ${roomName} undefined`);
    expect(refs[0].participants()).toHaveLength(3);
  });

  it('work on after the link was lost', async () => {
    const { room } = await meeting();
    fabric.network.cut();
    await room.publish('still here');
    await log.has(`agent-a heard "still here" from acme/ops/desk in ${roomName} undefined`);
    expect(fabric.network.counters.connections).toBe(3);
  });

  it('speak plainly with members that know nothing of Nest', async () => {
    const peer = await fabric.peer('acme/ops/agent-a');
    const joined = firstChannel(peer);
    const { room } = (await serve('acme/ops/desk', Desk)).get(Desk);
    const channel = await joined;
    await log.has('desk saw acme/ops/agent-a join');
    expect(channel.metadata).toMatchObject({ topic: 'incident 7' });
    for (const value of ['text', { n: 1 }, new Uint8Array([7])]) {
      await room.publish(value, { plain: true, metadata: { k: 'v' } });
    }
    await expect(room.publish(undefined, { plain: true })).rejects.toMatchObject({
      code: 'malformed-frame',
    });
    const read = async () => {
      const { payload, payloadType, metadata } = await channel.next({ timeoutMs: 2_000 });
      return [Buffer.from(payload).toString(), payloadType, metadata];
    };
    expect([await read(), await read(), await read()]).toStrictEqual([
      ['text', 'text/plain', { k: 'v' }],
      ['{"n":1}', 'application/json', { k: 'v' }],
      ['\u0007', 'application/octet-stream', { k: 'v' }],
    ]);
    const heard = firstValueFrom(room.messages$);
    await channel.publish(Buffer.from('{"from":"peer"}'));
    await log.has('desk heard {"from":"peer"}');
    expect(await heard).toMatchObject({ data: { from: 'peer' }, isForeign: true });
  });

  it('can be referred to where no class is a side of them', async () => {
    const peer = await fabric.peer('acme/ops/host');
    const channel = await peer.createChannel('acme/ops/side-room', { discoveryMs: 100 });
    await expect(invite(channel, 'acme/ops/guest')).resolves.toBe('no-route');
    const guest = await serve('acme/ops/guest', Guest, { acceptChannels: true });
    await expect(invite(channel, 'acme/ops/guest')).resolves.toBe('in');
    const { room } = guest.get(Guest);
    await room.ready;
    await room.publish('hi', { plain: true });
    expect(Buffer.from((await channel.next({ timeoutMs: 2_000 })).payload).toString()).toBe('hi');
    await room.close();
    await expect(invite(channel, 'acme/ops/guest')).resolves.toBe('refused');
  });

  it.each([
    ['to a channel without a class', 'acme/ops/other', {}, 'refused'],
    ['to any when the module says so', 'acme/ops/other', { acceptChannels: true }, 'in'],
    ['to none when a function says so', roomName, { acceptChannels: () => false }, 'refused'],
    ['to the channel of the class', roomName, {}, 'in'],
  ])('answer an invitation %s', async (_, name, extra, answer) => {
    await serve('acme/ops/agent-a', AgentProvider, extra);
    const channel = await (await fabric.peer('acme/ops/host')).createChannel(name);
    expect(await invite(channel, 'acme/ops/agent-a')).toBe(answer);
  });

  it('are not joined without encryption by a class that demands it', async () => {
    await serve('acme/ops/agent-b', AgentController);
    const peer = await fabric.peer('acme/ops/host');
    const open = await peer.createChannel(roomName, { mls: false });
    expect(await invite(open, 'acme/ops/agent-b')).toBe('refused');
  });

  it('need no microservice', async () => {
    const module = await Test.createTestingModule({
      imports: [SlimModule.forRoot(fabric.options('acme/ops/agent-a'))],
      providers: [AgentProvider],
    }).compile();
    await module.init();
    fabric.endWith(() => module.close());
    const desk = await serve('acme/ops/desk', Desk);
    await log.has('desk saw acme/ops/agent-a join');
    await desk.get(Desk).room.publish('hi');
    await log.has(`agent-a heard "hi" from acme/ops/desk in ${roomName} undefined`);
    expect(module.get(AgentProvider).room.participants()).toHaveLength(2);
  });

  it('have no part in ordinary handlers, whose parameters are decorated the same way', async () => {
    await serve('acme/billing/invoices', PlainController);
    const peer = fabric.client({ name: 'acme/tests/asker' });
    const { SlimRecordBuilder } = await import('../slim-record.js');
    const record = new SlimRecordBuilder('x').setMetadata({ k: 'v' }).build();
    expect(await firstValueFrom(peer.send('who', record))).toStrictEqual([
      'acme/tests/asker',
      'string',
      'session',
      { k: 'v' },
      'v',
    ]);
  });
});

@Injectable()
class Guest {
  constructor(
    @InjectChannel('acme/ops/side-room') readonly room: SlimChannelRef,
    @Inject(SlimClient) readonly client: ClientProxy,
  ) {}
}

async function firstChannel(app: SlimApp): Promise<Channel> {
  for await (const channel of app.sessions()) if (channel.kind === 'channel') return channel;
  throw new Error('the application ended before anybody invited it');
}

async function invite(channel: Channel, name: string): Promise<string> {
  const [result] = await channel.inviteAll([name]);
  return result?.error?.code ?? 'in';
}
