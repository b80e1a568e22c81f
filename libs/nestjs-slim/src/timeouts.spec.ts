import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Controller } from '@nestjs/common';
import { Ctx, MessagePattern, Payload } from '@nestjs/microservices';
import { ManualClock } from '@nestjs-slim/core/testing';
import { catchError, of, ReplaySubject, tap, type Observable } from 'rxjs';
import { encodeEnvelope, envelopeKind, envelopePayloadType } from './payload/envelope.js';
import type { SlimContext } from './slim-context.js';
import { SlimRecordBuilder } from './slim-record.js';
import { billing, Fabric } from './testing/spec-fabric.js';
import { outcome, Signal } from './testing/spec-outcome.js';

let started = new Signal<SlimContext>();
let items = new ReplaySubject<number>();

@Controller()
class SlowController {
  @MessagePattern('slow')
  slow(@Payload() _: unknown, @Ctx() context: SlimContext): Promise<never> {
    started.fire(context);
    return new Promise(() => undefined);
  }

  @MessagePattern('items')
  items(@Payload() _: unknown, @Ctx() context: SlimContext): Observable<number> {
    started.fire(context);
    return items;
  }
}

describe('a request', () => {
  let clock: ManualClock;
  let fabric: Fabric;
  beforeEach(async () => {
    started = new Signal();
    items = new ReplaySubject();
    // The MLS library compares lifetimes with the clock of the machine.
    clock = new ManualClock(Date.now());
    fabric = await Fabric.start(clock);
    await fabric.serve({ controllers: [SlowController] });
  });
  afterEach(() => fabric.end());

  it.each([
    ['of the client', 700, undefined],
    ['of the call', 9_000, 700],
  ])('that gets no reply fails after the timeout %s', async (_, clientMs, callMs) => {
    const client = fabric.client({ requestTimeoutMs: clientMs });
    const builder = new SlimRecordBuilder({});
    const record = (callMs === undefined ? builder : builder.setTimeoutMs(callMs)).build();
    const answer = outcome(client.send('slow', record));
    const context = await started.fired;
    clock.advance(699);
    expect(context.getDeadline()).toBeLessThanOrEqual(2);
    expect(context.getSignal().aborted).toBe(false);
    clock.advance(1);
    const { failed } = await answer;
    expect(failed?.with).toMatchObject({
      name: 'SlimError',
      code: 'timeout',
      message: 'no reply from "slow" within 700 ms',
    });
    expect(context.getSignal().aborted).toBe(true);
  });

  it('that fails lets the caller go on', async () => {
    const client = fabric.client({ requestTimeoutMs: 500 });
    const answer = outcome(client.send('slow', {}).pipe(catchError(() => of('fallback'))));
    await started.fired;
    clock.advance(500);
    expect(await answer).toStrictEqual({ values: ['fallback'] });
  });

  it('is under no time limit any more after the first reply, on either side', async () => {
    const client = fabric.client({ requestTimeoutMs: 500 });
    const first = new Signal<unknown>();
    const answer = outcome(client.send('items', {}).pipe(tap((value) => first.fire(value))));
    const context = await started.fired;
    items.next(1);
    await first.fired;
    clock.advance(5_000);
    items.next(2);
    items.complete();
    expect(await answer).toStrictEqual({ values: [1, 2] });
    expect(context.getSignal().aborted).toBe(false);
  });

  it('without a limit waits for ever', async () => {
    const client = fabric.client({ requestTimeoutMs: Infinity });
    const answer = outcome(client.send('items', {}));
    const context = await started.fired;
    expect(context.getDeadline()).toBeUndefined();
    clock.advance(29_000);
    items.next(1);
    items.complete();
    expect(await answer).toStrictEqual({ values: [1] });
  });

  it('past its deadline aborts the signal of its handler, whatever the caller does', async () => {
    const peer = await fabric.peer();
    const session = await peer.openSession(billing);
    const request = { kind: envelopeKind.request, correlationId: 1, operation: 'slow' };
    const payload = encodeEnvelope({ ...request, deadlineMs: 400 });
    await session.publish(payload, { payloadType: envelopePayloadType });
    const context = await started.fired;
    expect(context.getDeadline()).toBe(400);
    clock.advance(399);
    expect(context.getSignal().aborted).toBe(false);
    clock.advance(1);
    expect(context.getSignal().aborted).toBe(true);
    expect(context.getDeadline()).toBe(0);
  });
});

describe('a request to a name at which nobody answers', () => {
  it('fails after the time for discovery, and succeeds once somebody does', async () => {
    const fabric = await Fabric.start();
    const client = fabric.client({ discoveryMs: 20 });
    const { failed } = await outcome(client.send('items', {}));
    expect(failed?.with).toMatchObject({
      name: 'SlimError',
      code: 'no-route',
      message: expect.stringContaining(`"${billing}"`),
    });
    items = new ReplaySubject();
    items.complete();
    await fabric.serve({ controllers: [SlowController] });
    expect(await outcome(client.send('items', {}))).toStrictEqual({ values: [] });
    await fabric.end();
  });
});
