import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { Controller } from '@nestjs/common';
import { MessagePattern, Payload } from '@nestjs/microservices';
import { Test } from '@nestjs/testing';
import { SlimError, type Channel, type Link, type LinkDialler } from '@nestjs-slim/core';
import { MemoryStore } from '@nestjs-slim/core/testing';
import { firstValueFrom } from 'rxjs';
import { ChannelMessage, InjectChannel, SlimChannel } from './channels/channel-decorators.js';
import type { SlimChannelRef } from './channels/slim-channel-ref.js';
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
  const start = async (extra: Partial<SlimOptions>): Promise<void> => {
    const options = fabric.options('acme/ops/desk', extra);
    const imports = [SlimModule.forRoot(options)];
    const module = await Test.createTestingModule({ imports, providers: [Desk] }).compile();
    fabric.endWith(() => module.close());
    await module.init();
  };
  const first = mortal('acme/ops/desk');
  await start(first.extra);
  const channel = await firstChannel(guest.sessions());
  await channel.publish(Buffer.from('"before"'), { payloadType: 'application/json' });
  await log.has('heard "before"');

  const second = mortal('acme/ops/desk', first.kill());
  await start(second.extra);
  await channel.publish(Buffer.from('"after"'), { payloadType: 'application/json' });
  await log.has('heard "after"');
  expect(channel.epoch).toBe(1n);
});

async function firstChannel(sessions: AsyncIterable<{ kind: string }>): Promise<Channel> {
  for await (const session of sessions) if (session.kind === 'channel') return session as Channel;
  throw new Error('the application ended');
}
