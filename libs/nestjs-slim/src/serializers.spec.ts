import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Controller } from '@nestjs/common';
import { EventPattern, MessagePattern } from '@nestjs/microservices';
import { NEVER, concat, from, of, type Observable } from 'rxjs';
import { msgpack } from './codecs/msgpack.js';
import type { PacketDeserializer, PacketSerializer } from './payload/payloads.js';
import type { SlimOptions } from './slim-options.js';
import { Fabric } from './testing/spec-fabric.js';
import { Log } from './testing/spec-log.js';
import { outcome, Signal } from './testing/spec-outcome.js';

const log = new Log();
const seen: unknown[] = [];

@Controller()
class EchoController {
  @MessagePattern('echo')
  echo(data: unknown): unknown {
    seen.push(data);
    return data;
  }

  @MessagePattern('items')
  items(data: unknown[]): Observable<unknown> {
    return from(data);
  }

  @MessagePattern('endless')
  endless(data: unknown): Observable<unknown> {
    return concat(of(data), NEVER);
  }

  @MessagePattern('type')
  type(data: unknown): string {
    return data instanceof Date ? 'date' : typeof data;
  }

  @EventPattern<string>('told')
  told(data: unknown): void {
    log.add(JSON.stringify(data));
  }
}

type Both = Pick<SlimOptions, 'serializer' | 'deserializer' | 'codec'>;
type Packet = Readonly<Record<string, unknown>>;

const key = randomBytes(32);

function seal(value: unknown): string {
  const iv = randomBytes(12);
  const cipher = createCipheriv('aes-256-gcm', key, iv);
  const sealed = cipher.update(JSON.stringify({ value }), 'utf8');
  return Buffer.concat([iv, sealed, cipher.final(), cipher.getAuthTag()]).toString('base64');
}

function open(text: unknown): unknown {
  const all = Buffer.from(String(text), 'base64');
  const decipher = createDecipheriv('aes-256-gcm', key, all.subarray(0, 12));
  decipher.setAuthTag(all.subarray(-16));
  const plain = Buffer.concat([decipher.update(all.subarray(12, -16)), decipher.final()]);
  return (JSON.parse(plain.toString()) as { value: unknown }).value;
}

const mapped = (packet: object, map: (value: unknown) => unknown): Packet =>
  Object.fromEntries(
    Object.entries(packet).map(([name, value]) => [name, name === 'pattern' ? value : map(value)]),
  );

const sealed: Both = {
  serializer: { serialize: (packet) => mapped(packet, seal) },
  deserializer: { deserialize: (packet) => mapped(packet, open) },
};

/** Takes its time, at random: what comes later may be ready sooner. */
const slowly: Both = {
  serializer: { serialize: (packet) => setTimeout(Math.random() * 8, packet) },
  deserializer: { deserialize: (packet) => setTimeout(Math.random() * 8, packet) },
};

const refusing = (reason: unknown): { deserialize(): never; serialize(): never } => {
  const refuse = (): never => {
    throw reason;
  };
  return { deserialize: refuse, serialize: refuse };
};

describe('what is sent', () => {
  let fabric: Fabric;
  beforeEach(async () => {
    log.clear();
    seen.length = 0;
    fabric = await Fabric.start();
  });
  afterEach(() => fabric.end());

  const pair = async (server: Both, client: Both = server) => {
    await fabric.serve({ controllers: [EchoController] }, server);
    return fabric.client(client);
  };
  const numbers = Array.from({ length: 20 }, (_, n) => n);

  const pairs: readonly [string, Both][] = [
    ['that encrypts', sealed],
    ['that takes its time', slowly],
    [
      'that gives values instead of packets',
      {
        serializer: {
          serialize: (packet) => {
            const { data, response } = packet as Packet;
            return [data ?? response];
          },
        },
        deserializer: {
          deserialize: (packet) => {
            const { data, response } = packet as Packet;
            return (Array.isArray(data) ? data : (response as unknown[]))[0];
          },
        },
      },
    ],
  ];

  it.each(pairs)('arrives by a pair %s', async (_, both) => {
    const client = await pair(both);
    expect(await outcome(client.send('echo', { id: 7 }))).toStrictEqual({ values: [{ id: 7 }] });
    expect(seen).toStrictEqual([{ id: 7 }]);
    expect(await outcome(client.send('items', numbers))).toStrictEqual({ values: numbers });
  });

  it('is unreadable for whoever lacks the key', async () => {
    const client = await pair({}, sealed);
    await outcome(client.send('echo', { secret: 'x' }));
    expect(JSON.stringify(seen)).not.toContain('secret');
    expect(open(seen[0])).toStrictEqual({ secret: 'x' });
  });

  it.each([
    ['both sides take', slowly, slowly],
    ['the receiver takes', { deserializer: slowly.deserializer }, {}],
    ['the sender takes', {}, { serializer: slowly.serializer }],
  ] as const)('keeps its order, however long %s', async (_, server, client) => {
    const sender = await pair(server as Both, client as Both);
    const told = numbers.map((n) => outcome(sender.emit('told', n)));
    await log.has(...numbers.map(String));
    await Promise.all(told);
    expect(log.lines).toStrictEqual(numbers.map(String));
    expect(await outcome(sender.send('items', numbers))).toStrictEqual({ values: numbers });
    const requests = numbers.map((n) => outcome(sender.send('echo', n)));
    expect((await Promise.all(requests)).flatMap(({ values }) => values)).toStrictEqual(numbers);
  });

  it('keeps its order when one in the middle cannot be read', async () => {
    let count = 0;
    const deserialize = async (packet: object): Promise<object> => {
      count += 1;
      if (count === 2) throw new Error('unreadable');
      return setTimeout(count === 1 ? 30 : 0, packet);
    };
    const service = await fabric.serve(
      { controllers: [EchoController] },
      { deserializer: { deserialize } },
    );
    service.on('dropped', ({ code }: { readonly code: string }) => log.add(code));
    const client = fabric.client();
    for (const n of [1, 2, 3]) await outcome(client.emit('told', n));
    await log.has('1', 'malformed-frame', '3');
    // The first is begun before the second is reported.
    expect(log.lines.indexOf('1')).toBeLessThan(log.lines.indexOf('3'));
  });

  it.each([
    ['at once', refusing(new TypeError('not this'))],
    [
      'later',
      {
        serialize: () => Promise.reject(new TypeError('not this')),
        deserialize: () => Promise.reject(new TypeError('not this')),
      },
    ],
    [
      'when it begins',
      {
        ...refusing(undefined),
        init: () => {
          throw new TypeError('not this');
        },
      },
    ],
    [
      'when it begins, later',
      { ...refusing(0), init: () => Promise.reject(new TypeError('not this')) },
    ],
  ])('fails with malformed-frame when it is refused %s', async (_, refuse) => {
    await fabric.serve({ controllers: [EchoController] }, { name: 'acme/fine/service' });
    const wanted = expect.objectContaining({
      code: 'malformed-frame',
      message: expect.stringContaining('not this'),
    });
    const fine = 'acme/fine/service#echo';
    const writing = fabric.client({ serializer: refuse });
    expect((await outcome(writing.send(fine, 1))).failed).toStrictEqual({ with: wanted });
    expect((await outcome(writing.emit(fine, 1))).failed).toStrictEqual({ with: wanted });
    const reading = fabric.client({ deserializer: refuse });
    expect((await outcome(reading.send(fine, 1))).failed).toStrictEqual({ with: wanted });
    for (const server of [{ serializer: refuse }, { deserializer: refuse }]) {
      const name = `acme/bad/${Object.keys(server).join()}`;
      await fabric.serve({ controllers: [EchoController] }, { ...server, name });
      const { failed } = await outcome(fabric.client().send(`${name}#echo`, 1));
      expect(failed).toStrictEqual({ with: wanted });
    }
  });

  it('waits for a serializer to begin, once, and again when that failed', async () => {
    const inits: number[] = [];
    const slow: PacketSerializer & PacketDeserializer = {
      init: async () => {
        inits.push(inits.length);
        await setTimeout(5);
        if (inits.length === 1) throw new Error('not yet');
      },
      serialize: (packet) => packet,
      deserialize: (packet) => packet,
    };
    const client = await pair({}, { serializer: slow });
    expect((await outcome(client.send('echo', 1))).failed?.with).toMatchObject({
      code: 'malformed-frame',
    });
    const answers = await Promise.all([2, 3, 4].map((n) => outcome(client.send('echo', n))));
    expect(answers.flatMap(({ values }) => values)).toStrictEqual([2, 3, 4]);
    expect(inits).toStrictEqual([0, 1]);
  });

  it('does not keep a closing server when nobody waits for what cannot be read', async () => {
    const begun = new Signal();
    const read = new Signal();
    const deserialize = async (): Promise<never> => {
      begun.fire();
      await read.fired;
      throw new Error('unreadable');
    };
    const deserializer = { deserialize };
    const service = await fabric.serve(
      { controllers: [EchoController] },
      { deserializer, drainMs: 60_000 },
    );
    const client = fabric.client();
    const request = client.send('echo', 1).subscribe();
    await begun.fired;
    request.unsubscribe();
    // Answered without being read, and after the cancellation came.
    await outcome(client.send('nothing', 1));
    read.fire();
    await expect(service.close()).resolves.toBeUndefined();
  });

  it('is given when it came before the end of the session, however long it takes', async () => {
    const begun = new Signal();
    const read = new Signal();
    const deserialize = async (packet: object): Promise<object> => {
      begun.fire();
      await read.fired;
      return packet;
    };
    const service = await fabric.serve({ controllers: [EchoController] }, { drainMs: 0 });
    const client = fabric.client({ deserializer: { deserialize } });
    const closed = new Promise<void>((resolve) => client.on('sessionClosed', () => resolve()));
    const answer = outcome(client.send('endless', 'first'));
    await begun.fired;
    await service.close();
    await closed;
    read.fire();
    expect(await answer).toMatchObject({
      values: ['first'],
      failed: { with: { code: 'session-closed' } },
    });
  });

  it('may be MessagePack', async () => {
    const client = await pair({ codec: msgpack() });
    const value = { at: new Date(7), bytes: new Uint8Array([1, 2]), big: 2n ** 60n };
    expect(await outcome(client.send('echo', value))).toStrictEqual({ values: [value] });
    expect(await outcome(client.send('type', new Date()))).toStrictEqual({ values: ['date'] });
    expect(await outcome(client.send('items', [1, 'two', null]))).toStrictEqual({
      values: [1, 'two', null],
    });
  });

  it('may be JSON where the service has a codec', async () => {
    const client = await pair({ codec: msgpack() }, {});
    expect(await outcome(client.send('echo', { id: 7 }))).toStrictEqual({ values: [{ id: 7 }] });
    expect(await outcome(client.send('items', [1, 2]))).toStrictEqual({ values: [1, 2] });
    await outcome(client.emit('told', 'json'));
    await log.has('"json"');
  });

  it('by a codec that the service lacks is refused, and says what is understood', async () => {
    const client = await pair({}, { codec: msgpack() });
    expect((await outcome(client.send('echo', { id: 7 }))).failed?.with).toMatchObject({
      code: 'malformed-frame',
      message: expect.stringContaining('application/json'),
    });
    expect(await outcome(client.send('echo', new Uint8Array([7])))).toMatchObject({
      values: [new Uint8Array([7])],
    });
  });

  it('by a codec goes through a serializer as well', async () => {
    const client = await pair({ ...sealed, codec: msgpack() });
    expect(await outcome(client.send('echo', 'text'))).toStrictEqual({
      values: ['text'],
    });
    expect(await outcome(client.send('items', [1, 2]))).toStrictEqual({ values: [1, 2] });
  });
});
