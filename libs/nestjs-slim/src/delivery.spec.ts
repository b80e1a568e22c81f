import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Controller } from '@nestjs/common';
import { EventPattern, MessagePattern } from '@nestjs/microservices';
import type { Session } from '@nestjs-slim/core';
import { SlimRecordBuilder } from './slim-record.js';
import { SlimSession } from './slim-parameters.js';
import { billing, Fabric } from './testing/spec-fabric.js';
import { serveInstance, type Instance } from './testing/spec-instances.js';
import { Log } from './testing/spec-log.js';
import { outcome } from './testing/spec-outcome.js';

const log = new Log();

interface Seen {
  readonly instance: string;
  readonly session: number;
  readonly mls: boolean;
  readonly reliable: boolean;
}

@Controller()
class SessionController {
  @MessagePattern('session')
  session(@SlimSession() { id, name, mls, reliable }: Session): Seen {
    return { instance: String(name), session: id, mls, reliable };
  }

  @EventPattern<string>('told')
  told(@SlimSession() { name, mls, reliable }: Session): void {
    log.add(`${String(name)} ${mls} ${reliable}`);
  }
}

type Build = (builder: SlimRecordBuilder) => SlimRecordBuilder;

describe('a call', () => {
  let fabric: Fabric;
  let instances: readonly Instance[];
  beforeEach(async () => {
    log.clear();
    fabric = await Fabric.start();
  });
  afterEach(() => fabric.end());

  const serve = async (count: number) => {
    const made: Instance[] = [];
    while (made.length < count) made.push(await serveInstance(fabric, [SessionController]));
    instances = made;
  };
  const record = (build: Build) => build(new SlimRecordBuilder<unknown>({})).build();
  const ask = async (client: ReturnType<Fabric['client']>, build: Build): Promise<Seen> => {
    const { values, failed } = await outcome(client.send('session', record(build)));
    if (failed) throw failed.with;
    return values[0] as Seen;
  };

  it.each([
    [{}, (all: SlimRecordBuilder) => all, true, true],
    [{}, (all: SlimRecordBuilder) => all.setMls(false), false, true],
    [{}, (all: SlimRecordBuilder) => all.setReliable(false), true, false],
    [{}, (all: SlimRecordBuilder) => all.setMls(false).setReliable(false), false, false],
    [{ mls: false, reliable: false }, (all: SlimRecordBuilder) => all, false, false],
    [{ mls: false }, (all: SlimRecordBuilder) => all.setMls(true), true, true],
    [{ reliable: false }, (all: SlimRecordBuilder) => all.setReliable(true), true, true],
    [{ reliable: false }, (all: SlimRecordBuilder) => all.setMls(false), false, false],
  ])('of a client with %j goes as the record says (%#)', async (usual, build, mls, reliable) => {
    await serve(1);
    const client = fabric.client(usual);
    expect(await ask(client, build)).toMatchObject({ mls, reliable });
    await outcome(client.emit('told', record(build)));
    await log.has(`${instances[0]?.name} ${mls} ${reliable}`);
  });

  it('shares its session with calls that want the same', async () => {
    await serve(1);
    const client = fabric.client();
    const plain = await ask(client, (all) => all.setMls(false));
    expect((await ask(client, (all) => all)).session).not.toBe(plain.session);
    expect((await ask(client, (all) => all.setMls(false))).session).toBe(plain.session);
    expect((await ask(client, (all) => all.setMls(false).setSticky())).session).toBe(plain.session);
  });

  it('by anycast visits several instances, and each by one session', async () => {
    await serve(3);
    const client = fabric.client();
    const seen: Seen[] = [];
    while (seen.length < 9) seen.push(await ask(client, (all) => all.setMls(false).setAnycast()));
    expect(new Set(seen.map(({ instance }) => instance)).size).toBe(3);
    expect(new Set(seen.map(({ session }) => session)).size).toBe(3);
  });

  it.each([
    ['sticky', (all: SlimRecordBuilder) => all.setMls(false).setSticky()],
    ['by anycast with MLS', (all: SlimRecordBuilder) => all.setAnycast()],
    ['as usual', (all: SlimRecordBuilder) => all],
  ])('%s stays with one instance', async (_, build) => {
    await serve(3);
    const client = fabric.client();
    const seen: Seen[] = [];
    while (seen.length < 6) seen.push(await ask(client, build));
    expect(new Set(seen.map(({ session }) => session)).size).toBe(1);
  });

  it('by anycast follows an instance that closes with another', async () => {
    await serve(2);
    const client = fabric.client();
    const build: Build = (all) => all.setMls(false).setAnycast();
    await ask(client, build);
    await ask(client, build);
    await instances[0]?.app.close();
    for (let n = 0; n < 4; n += 1) {
      expect(await ask(client, build)).toMatchObject({ instance: instances[1]?.name });
    }
  });

  it('to an instance reaches that one alone, whatever else is said', async () => {
    await serve(3);
    const client = fabric.client({ spread: 3 });
    for (const { name } of instances) {
      for (const build of [
        (all: SlimRecordBuilder) => all.setInstance(name),
        (all: SlimRecordBuilder) => all.setInstance(name).setMls(false).setAnycast(),
      ]) {
        for (let n = 0; n < 3; n += 1) {
          expect((await ask(client, build)).instance).toBe(name);
        }
      }
    }
  });

  it('to an instance that is gone fails, though others are there', async () => {
    await serve(2);
    const [gone] = instances;
    await gone?.app.close();
    const client = fabric.client({ discoveryMs: 20 });
    await expect(ask(client, (all) => all.setInstance(gone?.name ?? ''))).rejects.toMatchObject({
      code: 'no-route',
    });
  });

  it.each([billing, 'invoices', '', 'acme/billing/invoices/7'])(
    'to "%s" as an instance is refused',
    (name) => {
      expect(() => new SlimRecordBuilder({}).setInstance(name)).toThrow(
        expect.objectContaining({
          code: 'invalid-name',
          message: expect.stringContaining(name.split('/').at(-1) ?? ''),
        }),
      );
    },
  );
});
