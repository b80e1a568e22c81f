import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { Controller } from '@nestjs/common';
import { MessagePattern, Payload } from '@nestjs/microservices';
import { Test } from '@nestjs/testing';
import {
  SlimError,
  type Channel,
  type Link,
  type LinkDialler,
  type Session,
} from '@nestjs-slim/core';
import { MemoryStore } from '@nestjs-slim/core/testing';
import type { SlimApp } from '@nestjs-slim/platform-node';
import { firstValueFrom } from 'rxjs';
import { ChannelMessage, InjectChannel, SlimChannel } from './channels/channel-decorators.js';
import type { SlimChannelRef } from './channels/slim-channel-ref.js';
import { SlimConnection } from './slim-connection.js';
import { SlimModule } from './slim.module.js';
import type { SlimOptions } from './slim-options.js';
import { Fabric } from './testing/spec-fabric.js';
import { Log } from './testing/spec-log.js';

const log = new Log();
let fabric: Fabric;
beforeEach(async () => {
  log.clear();
  fabric = await Fabric.start();
});
afterEach(() => fabric.network.close());

@Controller()
class Echo {
  @MessagePattern('echo')
  echo(@Payload() value: unknown): unknown {
    return value;
  }
}

@SlimChannel({ name: 'acme/ops/room', moderator: true, invite: ['acme/ops/guest'] })
class Desk {
  constructor(@InjectChannel('acme/ops/room') readonly room: SlimChannelRef) {}

  @ChannelMessage()
  said(value: unknown): void {
    log.add(`heard ${JSON.stringify(value)}`);
  }
}

/** The options of an application that can be killed: its link ends, and what it kept is left. */
function mortal(name: string, store = new MemoryStore()) {
  const options = fabric.options(name);
  const inner = options.node as LinkDialler;
  let link: Link | undefined;
  let isDead = false;
  const dial = async (signal: AbortSignal): Promise<Link> => {
    if (isDead) throw new SlimError('link-failed', 'killed');
    return (link = await inner.dial(signal));
  };
  return {
    extra: {
      node: { target: 'fabric', dial },
      store: store.source,
      sessions: { closeMs: 100 },
    } satisfies Partial<SlimOptions>,
    kill: (): MemoryStore => {
      const left = store.copy();
      isDead = true;
      link?.destroy(new SlimError('link-failed', 'killed'));
      return left;
    },
  };
}

it('a service that is killed goes on with the sessions of its clients', async () => {
  const first = mortal('acme/billing/invoices');
  await fabric.serve({ controllers: [Echo] }, first.extra);
  const client = fabric.client();
  expect(await firstValueFrom(client.send('echo', 1))).toBe(1);
  const second = mortal('acme/billing/invoices', first.kill());
  await fabric.serve({ controllers: [Echo] }, second.extra);
  let sessions = 0;
  client.on('sessionOpened', () => (sessions += 1));
  expect(await firstValueFrom(client.send('echo', 2))).toBe(2);
  expect(sessions).toBe(0);
});

it('a moderator class that is killed goes on with its channel', async () => {
  const guest = await fabric.network.app('acme/ops/guest');
  const first = mortal('acme/ops/desk');
  await startDesk(first.extra);
  const channel = await firstChannel(guest.sessions());
  await channel.publish(Buffer.from('"before"'), { payloadType: 'application/json' });
  await log.has('heard "before"');

  const second = mortal('acme/ops/desk', first.kill());
  await startDesk(second.extra);
  await channel.publish(Buffer.from('"after"'), { payloadType: 'application/json' });
  await log.has('heard "after"');
  expect(channel.epoch).toBe(1n);
});

/** The application object of a Nest application that nothing else was made for. */
async function bare(name: string, extra: Partial<SlimOptions>): Promise<SlimApp> {
  const connection = new SlimConnection(fabric.options(name, extra));
  fabric.endWith(() => connection.close());
  return connection.connect();
}

it('sessions that the application opened before a crash are closed', async () => {
  const peer = await fabric.peer();
  const first = mortal('acme/tests/client');
  const app = await bare('acme/tests/client', first.extra);
  const [, far] = await Promise.all([
    app.openSession('acme/tests/peer'),
    firstSession(peer.sessions()),
  ]);
  await bare('acme/tests/client', mortal('acme/tests/client', first.kill()).extra);
  expect(await far.ended).toMatchObject({ code: 'session-closed' });
});

it('channels that no class moderates any more are closed, and all but the newest of a name', async () => {
  const guest = await fabric.network.app('acme/ops/guest');
  const first = mortal('acme/ops/desk');
  const app = await bare('acme/ops/desk', first.extra);
  const channels: Channel[] = [];
  for (const name of ['acme/ops/room', 'acme/ops/room', 'acme/ops/former']) {
    const channel = await app.createChannel(name);
    const [joined] = await Promise.all([
      firstChannel(guest.sessions()),
      channel.invite('acme/ops/guest'),
    ]);
    channels.push(joined);
  }
  await startDesk(mortal('acme/ops/desk', first.kill()).extra);
  const [older, stays, former] = channels;
  for (const each of [older, former]) {
    expect(await each?.ended).toMatchObject({ code: 'session-closed' });
  }
  await stays?.publish(Buffer.from('"after"'), { payloadType: 'application/json' });
  await log.has('heard "after"');
});

async function startDesk(extra: Partial<SlimOptions>): Promise<void> {
  const imports = [SlimModule.forRoot(fabric.options('acme/ops/desk', extra))];
  const module = await Test.createTestingModule({ imports, providers: [Desk] }).compile();
  fabric.endWith(() => module.close());
  await module.init();
}

async function firstSession(sessions: AsyncIterable<{ kind: string }>): Promise<Session> {
  for await (const session of sessions) if (session.kind === 'session') return session as Session;
  throw new Error('the application ended');
}

async function firstChannel(sessions: AsyncIterable<{ kind: string }>): Promise<Channel> {
  for await (const session of sessions) if (session.kind === 'channel') return session as Channel;
  throw new Error('the application ended');
}
