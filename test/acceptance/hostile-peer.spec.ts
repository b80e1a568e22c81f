import { expect } from '@jest/globals';
import { Controller } from '@nestjs/common';
import { EventPattern, MessagePattern, Payload } from '@nestjs/microservices';
import type { Session, SlimApp, SlimError } from '@nestjs-slim/core';
import { ManualClock } from '@nestjs-slim/core/testing';
import type { ItemStream, SlimClient } from 'nestjs-slim';
import { firstValueFrom, ReplaySubject } from 'rxjs';
import {
  encodeEnvelope,
  envelopeKind,
  envelopePayloadType,
  type Envelope,
} from '../../libs/nestjs-slim/src/payload/envelope.js';
import { Log } from '../../libs/nestjs-slim/src/testing/spec-log.js';
import { outcome, Signal } from '../../libs/nestjs-slim/src/testing/spec-outcome.js';
import { acceptance } from './acceptance.js';
import { ourNetworks } from './networks.js';
import type { Stage } from './stage.js';
import { SumsController } from './sums.controller.js';
import type { Wire } from './wire.js';

const log = new Log();
const heartbeatMs = 10_000;
let produced = 0;
let counted = 0;

@Controller()
class VictimController {
  @MessagePattern('collect')
  async collect(@Payload() items: ItemStream<number>): Promise<number> {
    let sum = 0;
    try {
      for await (const item of items) {
        log.add(`item ${item}`);
        sum += item;
      }
    } catch (reason) {
      log.add(`broken off: ${(reason as SlimError).code}`);
      throw reason;
    }
    return sum;
  }

  @MessagePattern('endless')
  async *endless(): AsyncGenerator<number> {
    for (produced = 0; ; produced += 1) yield produced;
  }

  @EventPattern<string>('counted')
  counted(): void {
    counted += 1;
  }
}

const victims = { controllers: [VictimController, SumsController] };

interface Sides {
  /** Of the service. */
  readonly name: string;
  readonly clock: ManualClock;
  readonly wire: Wire;
  readonly client: SlimClient;
  /** Settles when the service has lost a session. */
  readonly dropped: Promise<SlimError | undefined>;
  readonly isDropped: () => boolean;
}

/** A service and a client whose heartbeats the test has go on. */
async function beating(stage: Stage): Promise<Sides> {
  log.clear();
  // The MLS library compares lifetimes with the clock of the machine.
  const clock = new ManualClock(Date.now());
  const sessions = { heartbeatMs, maxSilentIntervals: 2 };
  const service = await stage.serve(victims, { clock, sessions });
  const wire = stage.wire();
  const client = stage.client({ clock, sessions, node: wire, requestTimeoutMs: Infinity });
  const over = new Signal<SlimError | undefined>();
  let isDropped = false;
  service.on('sessionClosed', (_: Session, reason: SlimError | undefined) => {
    isDropped = true;
    over.fire(reason);
  });
  return {
    name: stage.service,
    clock,
    wire,
    client,
    dropped: over.fired,
    isDropped: () => isDropped,
  };
}

/** Twice as long as silence is suffered, and both sides are heard in each interval. */
async function sixBeats({ clock, client, name }: Sides): Promise<void> {
  const app = client.unwrap<SlimApp>();
  for (let beat = 0; beat < 6; beat += 1) {
    clock.advance(heartbeatMs);
    // Goes the way of the heartbeats, there and back, behind them.
    await app.discover(name);
  }
}

const publish = (session: Session, fields: Partial<Envelope>): Promise<void> =>
  session.publish(encodeEnvelope(fields), { payloadType: envelopePayloadType });

const sums = async (stage: Stage): Promise<void> => {
  expect(await firstValueFrom(stage.client().send('sum', [1, 2]))).toBe(3);
};

acceptance('Hostile peer', ourNetworks, {
  'peer silent in the middle of a message is dropped': async (stage) => {
    const { clock, wire, client, dropped } = await beating(stage);
    const items = new ReplaySubject<number>();
    const answer = outcome(client.send('collect', items));
    items.next(1);
    await log.has('item 1');
    wire.isMute = true;
    clock.advance(3 * heartbeatMs);
    expect((await dropped)?.code).toBe('peer-lost');
    await log.has('broken off: session-closed');
    expect((await answer).failed?.with).toMatchObject({ code: 'peer-lost' });
  },

  'slow but progressing peer is not dropped': async (stage) => {
    const sides = await beating(stage);
    const items = new ReplaySubject<number>();
    const answer = outcome(sides.client.send('collect', items));
    for (const item of [1, 2, 3]) {
      items.next(item);
      await log.has(`item ${item}`);
      await sixBeats(sides);
    }
    items.complete();
    expect(await answer).toStrictEqual({ values: [6] });
    expect(sides.isDropped()).toBe(false);
  },

  'idle peer is not dropped': async (stage) => {
    const sides = await beating(stage);
    await firstValueFrom(sides.client.send('sum', [1]));
    await sixBeats(sides);
    expect(await firstValueFrom(sides.client.send('sum', [1, 2]))).toBe(3);
    expect(sides.isDropped()).toBe(false);
  },

  'peer that never reads replies is bounded': async (stage) => {
    await stage.serve(victims, { sessions: { maxInFlight: 32 } });
    const peer = await stage.peer('peer', { sessions: { maxUnread: 16 } });
    const session = await peer.openSession(stage.service, { mls: false });
    await publish(session, { kind: envelopeKind.request, correlationId: 1, operation: 'endless' });
    await session.next();
    for (let asked = 0; asked < 20; asked += 1) await sums(stage);
    expect(produced).toBeLessThan(300);
  },

  '12,000 pipelined frames, and the server still answers': async (stage) => {
    counted = 0;
    await stage.serve(victims);
    const session = await (await stage.peer()).openSession(stage.service, { mls: false });
    const event = { kind: envelopeKind.event, operation: 'counted' };
    const sent = Array.from({ length: 12_000 }, () => publish(session, event));
    await Promise.all(sent);
    await publish(session, { kind: envelopeKind.request, correlationId: 1, operation: 'endless' });
    await session.next();
    expect(counted).toBe(12_000);
    await sums(stage);
  },

  'deeply nested pattern does not crash': async (stage) => {
    await stage.serve(victims);
    let pattern: unknown = 'sum';
    for (let depth = 0; depth < 10_000; depth += 1) pattern = { nested: pattern };
    const { failed } = await outcome(stage.client().send(pattern, {}));
    expect(failed?.with).toMatchObject({ code: 'invalid-name' });

    const session = await (await stage.peer()).openSession(stage.service);
    const operation = '{"nested":'.repeat(10_000);
    await publish(session, { kind: envelopeKind.request, correlationId: 1, operation });
    expect((await session.next()).payloadType).toBe(envelopePayloadType);
    await sums(stage);
  },
});
