import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Controller } from '@nestjs/common';
import { Ctx, MessagePattern, Payload, RpcException } from '@nestjs/microservices';
import { SlimName } from '@nestjs-slim/core';
import { ManualClock } from '@nestjs-slim/core/testing';
import { from, tap, type Observable } from 'rxjs';
import type { Gathered, SendAllOptions } from './client/gathering.js';
import type { SlimContext } from './slim-context.js';
import { SlimRecordBuilder } from './slim-record.js';
import { Fabric } from './testing/spec-fabric.js';
import { serveInstance, type Instance } from './testing/spec-instances.js';
import { outcome, Signal } from './testing/spec-outcome.js';

/** What each instance does, by its name, and the signals of those that are silent. */
const behaviour = new Map<string, 'fail' | 'silent' | 'several'>();
const signals = new Map<string, AbortSignal>();
let silent = new Signal();

@Controller()
class AskedController {
  @MessagePattern('ask')
  ask(@Payload() data: unknown, @Ctx() context: SlimContext): unknown {
    const name = String(context.getName());
    switch (behaviour.get(name)) {
      case 'fail':
        throw new RpcException(`not ${name}`);
      case 'silent':
        signals.set(name, context.getSignal());
        silent.fire();
        return new Promise(() => undefined);
      case 'several':
        return from([1, 2, 3]);
      case undefined:
        return { data, metadata: context.getMetadata() };
    }
  }
}

/** With names as text. */
const plain = (gathered: unknown): unknown =>
  JSON.parse(
    JSON.stringify(gathered, (_, value: unknown) =>
      value instanceof SlimName ? String(value) : value,
    ),
  );

const summary = (answered: readonly string[], rest: object = {}) => ({
  kind: 'summary',
  answered,
  failed: [],
  missing: [],
  ...rest,
});

describe('asking every instance', () => {
  let clock: ManualClock;
  let fabric: Fabric;
  let names: string[];
  beforeEach(async () => {
    behaviour.clear();
    signals.clear();
    silent = new Signal();
    // The MLS library compares lifetimes with the clock of the machine.
    clock = new ManualClock(Date.now());
    fabric = await Fabric.start(clock);
    const instances: Instance[] = [];
    while (instances.length < 3) instances.push(await serveInstance(fabric, [AskedController]));
    names = instances.map(({ name }) => name).toSorted();
  });
  afterEach(() => fabric.end());

  /** The answers as they come; `moved` once there are as many as wanted, to move the clock. */
  const ask = (options: SendAllOptions, count: number, data: unknown = 'x') => {
    const came = new Signal();
    let number = 0;
    const counted = tap<Gathered<unknown>>(() => {
      number += 1;
      if (number === count) came.fire();
    });
    const all: Observable<Gathered<unknown>> = fabric.client().sendAll('ask', data, options);
    const done = outcome(all.pipe(counted)).then(({ values, failed }) => {
      const told = values.map(plain) as { kind: string; from: string }[];
      const last = told.at(-1);
      const sorted = told.slice(0, -1).toSorted((a, b) => (a.from < b.from ? -1 : 1));
      return { told: [...sorted, ...(last ? [last] : [])], failed };
    });
    return { came: came.fired, done };
  };
  const answer = (from: string, value: unknown = { data: 'x', metadata: {} }) => ({
    kind: 'answer',
    from,
    value,
  });

  it('refuses items that can be read once only', async () => {
    async function* items(): AsyncGenerator<number> {
      yield 1;
    }
    for (const data of [items(), new SlimRecordBuilder(items()).build()]) {
      const { failed } = await outcome(fabric.client().sendAll('ask', data));
      expect(failed?.with).toMatchObject({ name: 'SlimError', code: 'malformed-frame' });
    }
  });

  it('gives the answer of each with its name, and in the end who answered', async () => {
    const { came, done } = ask({ deadline: 1_000 }, 3);
    await came;
    clock.advance(500);
    const { told } = await done;
    expect(told.slice(0, 3)).toStrictEqual(names.map((name) => answer(name)));
    expect(told[3]).toMatchObject({ kind: 'summary', failed: [], missing: [] });
    expect((told[3] as unknown as { answered: string[] }).answered.toSorted()).toStrictEqual(names);
  });

  it('tells who failed, and who said nothing by the deadline', async () => {
    const [good = '', bad = '', quiet = ''] = names;
    behaviour.set(bad, 'fail').set(quiet, 'silent');
    const { came, done } = ask({ deadline: 1_000 }, 2);
    await Promise.all([came, silent.fired]);
    clock.advance(999);
    expect(signals.get(quiet)?.aborted).toBe(false);
    clock.advance(1);
    const error = { status: 'error', message: `not ${bad}` };
    expect(await done).toStrictEqual({
      told: [
        answer(good),
        { kind: 'failure', from: bad, error },
        summary([good], { failed: [bad], missing: [quiet] }),
      ].toSorted((a, b) => ('from' in a && 'from' in b ? (a.from < b.from ? -1 : 1) : 0)),
      failed: undefined,
    });
    await aborted(quiet);
  });

  const aborted = (name: string): Promise<void> =>
    new Promise((resolve) => {
      const signal = signals.get(name);
      if (signal?.aborted) return resolve();
      signal?.addEventListener('abort', () => resolve());
    });

  it('is done as soon as a quorum answered, and cancels the others', async () => {
    const [one = '', two = '', quiet = ''] = names;
    behaviour.set(quiet, 'silent');
    const { done } = ask({ deadline: 60_000, quorum: 2 }, 9);
    const { told, failed } = await done;
    expect(failed).toBeUndefined();
    expect(told.slice(0, 2)).toStrictEqual([answer(one), answer(two)]);
    if (signals.has(quiet)) await aborted(quiet);
  });

  it('fails when fewer than the quorum answered by the deadline', async () => {
    const [, bad = '', quiet = ''] = names;
    behaviour.set(bad, 'fail').set(quiet, 'silent');
    const { came, done } = ask({ deadline: 1_000, quorum: 2 }, 2);
    await Promise.all([came, silent.fired]);
    clock.advance(1_000);
    expect((await done).failed?.with).toMatchObject({
      name: 'SlimError',
      code: 'timeout',
      message: '1 of 3 instances answered, 2 were wanted',
    });
    await aborted(quiet);
  });

  it('gives each value of an instance that answers with several', async () => {
    for (const name of names) behaviour.set(name, 'several');
    const { came, done } = ask({ deadline: 1_000 }, 9);
    await came;
    clock.advance(500);
    const { told } = await done;
    for (const name of names) {
      const values = told.filter((item) => item.from === name);
      expect(values).toStrictEqual([1, 2, 3].map((value) => answer(name, value)));
    }
  });

  it('sends what a record wants to each of them', async () => {
    const record = new SlimRecordBuilder({ id: 7 })
      .setMetadata({ tenant: 'a' })
      .setMls(false)
      .build();
    const { came, done } = ask({ deadline: 1_000, quorum: 3 }, 3, record);
    await came;
    const { told } = await done;
    const value = { data: { id: 7 }, metadata: { tenant: 'a' } };
    expect(told.slice(0, 3)).toStrictEqual(names.map((name) => answer(name, value)));
  });

  it('stops at once when nobody listens any more: the search, the requests, every timer', async () => {
    for (const name of names) behaviour.set(name, 'silent');
    const client = fabric.client();
    await client.connect();
    const subscription = client.sendAll('ask', 'x', { deadline: 60_000 }).subscribe();
    await silent.fired;
    subscription.unsubscribe();
    await Promise.all([...signals.keys()].map(aborted));
    await client.close();
    // The end of the spec fails when a timer is left.
    expect([...signals.values()].every((signal) => signal.aborted)).toBe(true);
  });

  it.each([{ deadline: -1 }, { deadline: Number.NaN }, { quorum: 0 }, { quorum: 1.5 }])(
    'with %j fails the subscriber',
    async (options) => {
      const { failed } = await outcome(fabric.client().sendAll('ask', 1, options));
      expect(failed?.with).toMatchObject({ name: 'SlimError', code: 'invalid-config' });
    },
  );

  it('with a bad pattern fails the subscriber', async () => {
    const { failed } = await outcome(fabric.client().sendAll('two words', 1));
    expect(failed?.with).toMatchObject({ name: 'SlimError', code: 'invalid-name' });
  });
});

describe('asking a name at which nobody answers', () => {
  let fabric: Fabric;
  beforeEach(async () => {
    fabric = await Fabric.start();
  });
  afterEach(() => fabric.end());

  it('gives an empty summary, or fails when a quorum is wanted', async () => {
    const client = fabric.client({ discoveryMs: 20 });
    expect((await outcome(client.sendAll('ask', 1))).values.map(plain)).toStrictEqual([
      summary([]),
    ]);
    expect((await outcome(client.sendAll('ask', 1, { quorum: 1 }))).failed?.with).toMatchObject({
      code: 'timeout',
      message: '0 of 0 instances answered, 1 were wanted',
    });
  });

  it('can be done again after the client was closed', async () => {
    const client = fabric.client({ discoveryMs: 20 });
    const all = client.sendAll('ask', 1);
    await client.close();
    expect((await outcome(all)).values.map(plain)).toStrictEqual([summary([])]);
  });
});
