import { setImmediate } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Controller } from '@nestjs/common';
import { Ctx, MessagePattern } from '@nestjs/microservices';
import { ManualClock } from '@nestjs-slim/core/testing';
import type { SlimClient } from './slim-client.js';
import type { SlimContext } from './slim-context.js';
import { SlimRecordBuilder } from './slim-record.js';
import { Fabric } from './testing/spec-fabric.js';
import { impatient, serveInstance, type Instance } from './testing/spec-instances.js';
import { Log } from './testing/spec-log.js';
import { outcome, Signal } from './testing/spec-outcome.js';

const log = new Log();
let finish = new Signal();

@Controller()
class WhoController {
  @MessagePattern('who')
  who(@Ctx() context: SlimContext): string {
    return String(context.getName());
  }

  @MessagePattern('work')
  async work(@Ctx() context: SlimContext): Promise<string> {
    const name = String(context.getName());
    log.add(`work ${name}`);
    await finish.fired;
    return name;
  }
}

const controllers = [WhoController];

async function who(client: SlimClient, data: unknown = {}): Promise<string> {
  const { values, failed } = await outcome(client.send('who', data));
  if (failed) throw failed.with;
  return String(values[0]);
}

/** Asks until there is what is wanted; the time limit of the test bounds it. */
async function until(client: SlimClient, isThere: (seen: ReadonlySet<string>) => boolean) {
  const seen = new Set<string>();
  while (!isThere(seen)) {
    seen.add(await who(client));
    // Links in memory let no timer have its turn, that of the time limit neither.
    await setImmediate();
  }
}

/** Asks until each of them answered. */
function untilAll(client: SlimClient, wanted: readonly Instance[]): Promise<void> {
  return until(client, (seen) => wanted.every(({ name }) => seen.has(name)));
}

async function some(client: SlimClient, count: number, data?: unknown): Promise<Set<string>> {
  const seen = new Set<string>();
  for (let n = 0; n < count; n += 1) seen.add(await who(client, data));
  return seen;
}

const namesOf = (instances: readonly Instance[]): Set<string> =>
  new Set(instances.map(({ name }) => name));

describe('the calls of a client', () => {
  let fabric: Fabric;
  beforeEach(async () => {
    log.clear();
    finish = new Signal();
    fabric = await Fabric.start();
  });
  afterEach(() => fabric.end());

  const serve = async (count: number, extra = {}): Promise<Instance[]> => {
    const made: Instance[] = [];
    while (made.length < count) made.push(await serveInstance(fabric, controllers, extra));
    return made;
  };

  it.each([true, false])('are shared among several instances; MLS: %s', async (mls) => {
    const all = await serve(3);
    const client = fabric.client({ spread: 3, mls });
    await untilAll(client, all);
    expect(await some(client, 3)).toStrictEqual(namesOf(all));
  });

  it('go to no more instances than are wanted', async () => {
    await serve(4);
    const client = fabric.client({ spread: 2, discoveryMs: 50, rediscoverMs: 0 });
    const seen = await some(client, 40);
    expect(seen.size).toBe(2);
  });

  it('go to the one that is least busy', async () => {
    const all = await serve(2);
    const client = fabric.client({ spread: 2 });
    await untilAll(client, all);
    const first = outcome(client.send('work', {}));
    const second = outcome(client.send('work', {}));
    await log.has(...all.map(({ name }) => `work ${name}`));
    const third = outcome(client.send('work', {}));
    await until(client, () => log.lines.length >= 3);
    const busy = log.lines.at(-1)?.replace('work ', '');
    const free = all.find(({ name }) => name !== busy)?.name;
    expect(await some(client, 5)).toStrictEqual(new Set([free]));
    finish.fire();
    const names = (await Promise.all([first, second, third])).flatMap(({ values }) => values);
    expect(new Set(names)).toStrictEqual(namesOf(all));
  });

  it('stay with one of them when they say so', async () => {
    const all = await serve(3);
    const client = fabric.client({ spread: 3 });
    await untilAll(client, all);
    const sticky = new SlimRecordBuilder({}).setSticky().build();
    expect((await some(client, 6, sticky)).size).toBe(1);
  });

  it('do not go to an instance that was closed, but to one that took its place', async () => {
    const [gone, left] = await serve(2);
    const client = fabric.client({ spread: 2, discoveryMs: 50, rediscoverMs: 0 });
    await untilAll(
      client,
      [gone, left].flatMap((instance) => instance ?? []),
    );
    await gone?.app.close();
    expect(await some(client, 6)).toStrictEqual(new Set([left?.name]));
    const [fresh] = await serve(1);
    await untilAll(
      client,
      [left, fresh].flatMap((instance) => instance ?? []),
    );
  });

  it('find an instance that took the place of one that vanished, without waiting', async () => {
    const [gone, left] = await serve(2, impatient);
    const client = fabric.client({ ...impatient, spread: 2, rediscoverMs: 600_000 });
    await untilAll(
      client,
      [gone, left].flatMap((instance) => instance ?? []),
    );
    const lost = new Signal<string>();
    client.on('sessionClosed', ({ peer }) => lost.fire(String(peer)));
    gone?.vanish();
    const [fresh] = await serve(1, impatient);
    expect(await lost.fired).toBe(gone?.name);
    const begunMs = Date.now();
    expect(await some(client, 2)).not.toContain(gone?.name);
    await untilAll(
      client,
      [left, fresh].flatMap((instance) => instance ?? []),
    );
    expect(Date.now() - begunMs).toBeLessThan(2_000);
  });

  it('fail when nobody is there, and succeed once somebody is', async () => {
    const client = fabric.client({ spread: 3, discoveryMs: 20 });
    await expect(who(client)).rejects.toMatchObject({ name: 'SlimError', code: 'no-route' });
    const [one] = await serve(1);
    expect(await who(client)).toBe(one?.name);
  });

  it('that are closed while they look for instances report nothing', async () => {
    await serve(1);
    const client = fabric.client({ spread: 2, discoveryMs: 60_000 });
    const dropped: unknown[] = [];
    client.on('dropped', (reason) => dropped.push(reason));
    await who(client);
    await client.close();
    expect(dropped).toStrictEqual([]);
  });
});

describe('a client on a clock of its own', () => {
  it('notices a new instance when it is time to look, and not before', async () => {
    const clock = new ManualClock(Date.now());
    const fabric = await Fabric.start(clock);
    const old = await serveInstance(fabric, controllers);
    const client = fabric.client({ spread: 2, discoveryMs: 100, rediscoverMs: 5_000 });
    expect(await who(client)).toBe(old.name);
    clock.advance(100);
    const fresh = await serveInstance(fabric, controllers);
    clock.advance(4_899);
    expect(await some(client, 6)).toStrictEqual(new Set([old.name]));
    clock.advance(1);
    await untilAll(client, [old, fresh]);
    expect(await some(client, 2)).toStrictEqual(namesOf([old, fresh]));
    await fabric.end();
  });
});
