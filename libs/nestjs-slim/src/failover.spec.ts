import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Controller } from '@nestjs/common';
import { Ctx, MessagePattern } from '@nestjs/microservices';
import { NEVER, concat, from, of, type Observable } from 'rxjs';
import { SlimClient } from './slim-client.js';
import { SlimConnection } from './slim-connection.js';
import type { SlimContext } from './slim-context.js';
import { SlimException } from './slim-exception.js';
import { SlimRecordBuilder } from './slim-record.js';
import { billing, Fabric } from './testing/spec-fabric.js';
import { impatient, serveInstance, type Instance } from './testing/spec-instances.js';
import { Log } from './testing/spec-log.js';
import { outcome, Signal } from './testing/spec-outcome.js';

const log = new Log();
let begun = new Signal<string>();
let finish = new Signal();
let instances: Instance[] = [];

@Controller()
class WorkController {
  @MessagePattern('work')
  async work(@Ctx() context: SlimContext): Promise<string> {
    const name = String(context.getName());
    log.add(`work at ${name}`);
    begun.fire(name);
    await finish.fired;
    return name;
  }

  @MessagePattern('items')
  items(@Ctx() context: SlimContext): Observable<string> {
    log.add(`items at ${String(context.getName())}`);
    return concat(of('first'), NEVER);
  }

  /** Says of itself what its own callee said. */
  @MessagePattern('closing')
  closing(): never {
    throw new SlimException({ code: 'session-closed', message: 'the service is closing' });
  }

  /** Whoever is asked dies of it. */
  @MessagePattern('deadly')
  deadly(@Ctx() context: SlimContext): Promise<never> {
    const name = String(context.getName());
    log.add(`deadly ${name}`);
    instances.find((instance) => instance.name === name)?.vanish();
    return new Promise(() => undefined);
  }
}

describe('a request to an instance that is lost', () => {
  let fabric: Fabric;
  beforeEach(async () => {
    log.clear();
    begun = new Signal();
    finish = new Signal();
    instances = [];
    fabric = await Fabric.start();
  });
  afterEach(() => fabric.end());

  const serve = async (count: number): Promise<void> => {
    const extra = { ...impatient, drainMs: 0 };
    while (instances.length < count) {
      instances.push(await serveInstance(fabric, [WorkController], extra));
    }
  };
  /** Who works on the request first. */
  const worked = async (): Promise<Instance | undefined> => {
    const first = await begun.fired;
    return instances.find(({ name }) => name === first);
  };
  const idempotent = (data: unknown = {}) => new SlimRecordBuilder(data).setIdempotent().build();
  const ends: readonly [string, (instance: Instance | undefined) => unknown][] = [
    ['vanished', (instance) => instance?.vanish()],
    ['closed', (instance) => instance?.app.close()],
  ];

  for (const [how, end] of ends) {
    it.each([{}, { mls: false }, { spread: 2 }, { reliable: false }])(
      `moves to another when it ${how}, if it is idempotent; client with %j`,
      async (options) => {
        await serve(2);
        const client = fabric.client({ ...impatient, ...options });
        const answer = outcome(client.send('work', idempotent()));
        const lost = await worked();
        const other = instances.find((instance) => instance !== lost);
        await end(lost);
        await log.has(`work at ${other?.name}`);
        finish.fire();
        expect(await answer).toStrictEqual({ values: [other?.name] });
      },
    );

    it(`fails when it ${how}, if it is not idempotent`, async () => {
      await serve(2);
      const answer = outcome(fabric.client(impatient).send('work', {}));
      await end(await worked());
      const { failed } = await answer;
      expect(failed?.with).toMatchObject({
        name: 'SlimError',
        code: expect.stringMatching(/^(peer-lost|session-closed|not-delivered)$/),
      });
      expect(log.lines).toHaveLength(1);
    });
  }

  it('moves to another when it refuses the request because it is closing', async () => {
    for (const drainMs of [10_000, 10_000]) {
      instances.push(await serveInstance(fabric, [WorkController], { ...impatient, drainMs }));
    }
    const client = fabric.client(impatient);
    const before = outcome(client.send('work', {}));
    const closing = await worked();
    const other = instances.find((instance) => instance !== closing);
    const closed = closing?.app.close();
    const moved = outcome(client.send('work', idempotent()));
    await log.has(`work at ${other?.name}`);
    finish.fire();
    expect(await moved).toStrictEqual({ values: [other?.name] });
    expect(await before).toStrictEqual({ values: [closing?.name] });
    await closed;
  });

  it('is not repeated when it gave an item, idempotent or not', async () => {
    await serve(2);
    const first = new Signal();
    const values: unknown[] = [];
    const failed = new Promise((resolve) => {
      fabric
        .client(impatient)
        .send('items', idempotent())
        .subscribe({ next: (value) => first.fire(void values.push(value)), error: resolve });
    });
    await first.fired;
    instances.find(({ name }) => log.lines.includes(`items at ${name}`))?.vanish();
    expect(await failed).toMatchObject({ name: 'SlimError', code: 'peer-lost' });
    expect(values).toStrictEqual(['first']);
    expect(log.lines).toHaveLength(1);
  });

  it('is not repeated when it is a stream, of which the other has a part', async () => {
    await serve(2);
    const client = fabric.client(impatient);
    const answer = outcome(client.send('work', idempotent(from([1, 2, 3]))));
    (await worked())?.vanish();
    expect((await answer).failed?.with).toMatchObject({ name: 'SlimError', code: 'peer-lost' });
    expect(log.lines).toHaveLength(1);
  });

  it('is tried three times and not more', async () => {
    await serve(4);
    const answer = outcome(fabric.client(impatient).send('deadly', idempotent()));
    expect((await answer).failed?.with).toMatchObject({ name: 'SlimError' });
    expect(new Set(log.lines).size).toBe(3);
    expect(log.lines).toHaveLength(3);
  });

  it('fails with its timeout when that is sooner than the loss is noticed', async () => {
    await serve(2);
    const record = new SlimRecordBuilder({}).setIdempotent().setTimeoutMs(150).build();
    const answer = outcome(fabric.client(impatient).send('work', record));
    (await worked())?.vanish();
    expect((await answer).failed?.with).toMatchObject({ name: 'SlimError', code: 'timeout' });
    expect(log.lines).toHaveLength(1);
  });

  it('leaves the session of whoever says that it is closing, and ends it', async () => {
    await serve(1);
    const client = fabric.client(impatient);
    const sessions: string[] = [];
    const closed = new Signal();
    client.on('sessionOpened', () => void sessions.push('opened'));
    client.on('sessionClosed', () => closed.fire(void sessions.push('closed')));
    expect((await outcome(client.send('closing', {}))).failed?.with).toMatchObject({
      code: 'session-closed',
    });
    await closed.fired;
    expect(sessions).toStrictEqual(['opened', 'closed']);
  });

  it('fails when its own client is closed, and does not connect again', async () => {
    await serve(1);
    const client = fabric.client(impatient);
    const answer = outcome(client.send('work', idempotent()));
    await begun.fired;
    await client.close();
    expect((await answer).failed?.with).toMatchObject({
      name: 'SlimError',
      message: 'the client is closed',
    });
    expect(() => client.unwrap()).toThrow('not connected');
    expect(log.lines).toHaveLength(1);
  });

  it('fails when its client is closed while others use the connection', async () => {
    await serve(1);
    const connection = new SlimConnection(fabric.options('acme/tests/client', impatient));
    fabric.endWith(() => connection.close());
    const client = new SlimClient(connection, billing);
    const answer = outcome(client.send('work', idempotent()));
    await begun.fired;
    await client.close();
    expect((await answer).failed?.with).toMatchObject({ message: 'the client is closed' });
    expect(log.lines).toHaveLength(1);
  });

  it('fails when there is nobody else', async () => {
    await serve(1);
    const answer = outcome(fabric.client(impatient).send('work', idempotent()));
    (await worked())?.vanish();
    expect((await answer).failed?.with).toMatchObject({ name: 'SlimError', code: 'no-route' });
  });
});
