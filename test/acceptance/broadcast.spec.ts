import { expect } from '@jest/globals';
import { Controller, type Type } from '@nestjs/common';
import { Ctx, EventPattern, MessagePattern, Payload } from '@nestjs/microservices';
import {
  ChannelMessage,
  ParticipantJoined,
  SlimChannel,
  SlimClient,
  SlimContext,
  SlimName,
  SlimSource,
  type SlimChannelOptions,
} from 'nestjs-slim';
import { firstValueFrom } from 'rxjs';
import { Log } from '../../libs/nestjs-slim/src/testing/spec-log.js';
import { outcome } from '../../libs/nestjs-slim/src/testing/spec-outcome.js';
import { acceptance } from './acceptance.js';
import { everyNetwork } from './networks.js';
import type { Stage } from './stage.js';

const log = new Log();

/** A side of a channel that notes what happens there. */
function room(who: string, options: SlimChannelOptions): Type {
  @SlimChannel({ ...options, inviteRetryMs: 50 })
  class Room {
    @ChannelMessage()
    said(text: string): void {
      log.add(`${who} heard ${text}`);
    }

    @ParticipantJoined()
    joined(@SlimSource() name: SlimName): void {
      log.add(`${who} saw ${name.service} join`);
    }
  }
  return Room;
}

@Controller()
class OrdersController {
  @EventPattern<string>('orders.*.paid')
  paid(@Payload() _: unknown, @Ctx() context: SlimContext): void {
    log.add(`${context.getOperation()} by order ${context.getParams()['0']}`);
  }

  @EventPattern<string>('stock.**')
  stock(@Payload() _: unknown, @Ctx() context: SlimContext): void {
    log.add(`${context.getOperation()} by ${context.getParams()['**']}`);
  }

  @EventPattern<string>('counted')
  counted(): void {
    log.add('counted');
  }

  @MessagePattern('ping')
  ping(): string {
    return 'pong';
  }
}

/** A channel with those consumers in it; gives the client of its moderator. */
async function channelOf(stage: Stage, consumers: readonly string[]): Promise<SlimClient> {
  const name = stage.name('room');
  const invite = consumers.map((consumer) => stage.name(consumer));
  for (const [index, consumer] of consumers.entries()) {
    const own = { name: invite[index] ?? '' };
    await stage.serve({ providers: [room(consumer, { name })] }, own);
  }
  const moderator = room('moderator', { name, moderator: true, invite });
  const app = await stage.serve({ providers: [moderator] }, { name: stage.name('moderator') });
  await log.has(...invite.map((service) => `moderator saw ${service} join`));
  log.clear();
  return app.get(SlimClient);
}

acceptance('Broadcast', everyNetwork, {
  'one emit reaches two connected servers': async (stage) => {
    const client = await channelOf(stage, ['one', 'two']);
    await outcome(client.emit(stage.name('room'), 'hello'));
    await log.has('one heard hello', 'two heard hello');
    expect(log.lines).toHaveLength(2);
  },

  'wildcard subject is retrievable from the context': async (stage) => {
    log.clear();
    await stage.serve({ controllers: [OrdersController] });
    await outcome(stage.client().emit('orders.7.paid', {}));
    await log.has('orders.7.paid by order 7');
  },

  'shared group delivers once': async (stage) => {
    log.clear();
    const servers = [
      await stage.serve({ controllers: [OrdersController] }),
      await stage.serve({ controllers: [OrdersController] }),
    ];
    const client = stage.client();
    await outcome(client.emit('counted', {}));
    // Whatever the event did, it did before these are answered.
    for (const server of servers) {
      const { name } = server.unwrap<{ readonly name: SlimName }>();
      expect(await firstValueFrom(client.send(`${String(name)}#ping`, {}))).toBe('pong');
    }
    await log.has('counted');
    expect(log.lines).toStrictEqual(['counted']);
  },

  'fan-out: every consumer of the channel gets it': async (stage) => {
    const consumers = ['one', 'two', 'three'];
    const client = await channelOf(stage, consumers);
    for (const text of ['a', 'b']) await outcome(client.emit(stage.name('room'), text));
    await log.has(...consumers.flatMap((who) => [`${who} heard a`, `${who} heard b`]));
    expect(log.lines).toHaveLength(6);
  },

  'topic wildcard routes and exposes the concrete name': async (stage) => {
    log.clear();
    await stage.serve({ controllers: [OrdersController] });
    const client = stage.client();
    await outcome(client.emit('stock.berlin.shelf.3', {}));
    await outcome(client.emit('orders.8.paid', {}));
    await log.has('stock.berlin.shelf.3 by berlin.shelf.3', 'orders.8.paid by order 8');
    expect(log.lines).toHaveLength(2);
  },
});
