import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Controller } from '@nestjs/common';
import { MessagePattern, Payload } from '@nestjs/microservices';
import type { Session, SlimError } from '@nestjs-slim/core';
import type { SlimApp } from '@nestjs-slim/platform-node';
import {
  decodeEnvelope,
  encodeEnvelope,
  envelopeKind,
  envelopePayloadType,
  type Envelope,
  type EnvelopeFields,
} from './payload/envelope.js';
import { SlimSignal } from './slim-parameters.js';
import type { ItemStream } from './streams/item-stream.js';
import { Payloads } from './payload/payloads.js';
import { billing, Fabric } from './testing/spec-fabric.js';
import { Log } from './testing/spec-log.js';
import { outcome } from './testing/spec-outcome.js';
import type { SlimClient } from './slim-client.js';
import { decodeValue, encodeValue } from './payload/value.js';

const log = new Log();

@Controller()
class EchoController {
  @MessagePattern('echo')
  echo(data: unknown): unknown {
    return data;
  }

  @MessagePattern('never')
  never(@Payload() _: unknown, @SlimSignal() signal: AbortSignal): Promise<never> {
    signal.addEventListener('abort', () => log.add('aborted'));
    return new Promise(() => undefined);
  }

  @MessagePattern('collect')
  async collect(items: ItemStream): Promise<unknown[]> {
    const collected: unknown[] = [];
    for await (const item of items) collected.push(item);
    return collected;
  }

  @MessagePattern('endless')
  async *endless(): AsyncGenerator<number> {
    try {
      for (let next = 0; ; next += 1) yield next;
    } finally {
      log.add('finally');
    }
  }
}

const payloads = new Payloads({
  codec: undefined,
  serializer: undefined,
  deserializer: undefined,
});

const publish = (session: Session, fields: EnvelopeFields): Promise<void> =>
  session.publish(encodeEnvelope(fields), { payloadType: envelopePayloadType });

async function nextAnswer(session: Session): Promise<unknown> {
  const envelope = decodeEnvelope((await session.next()).payload);
  const isError = envelope.kind === envelopeKind.error;
  const value = isError ? payloads.decodeError(envelope) : decodeValue(envelope);
  return [envelope.kind, envelope.correlationId, value];
}

const echo = (correlationId: number): EnvelopeFields => ({
  kind: envelopeKind.request,
  correlationId,
  operation: 'echo',
  ...encodeValue('still here'),
});

describe('a server', () => {
  let fabric: Fabric;
  let session: Session;
  const dropped: SlimError[] = [];
  beforeEach(async () => {
    dropped.length = 0;
    log.clear();
    fabric = await Fabric.start();
    const service = await fabric.serve({ controllers: [EchoController] });
    service.on('dropped', (reason: SlimError) => dropped.push(reason));
    session = await (await fabric.peer()).openSession(billing);
  });
  afterEach(() => fabric.end());

  it('drops what is no envelope, tells so, and answers the next request', async () => {
    const garbage = new Uint8Array([0x3a, 200, 1]);
    await session.publish(garbage, { payloadType: envelopePayloadType });
    await publish(session, echo(1));
    expect(await nextAnswer(session)).toStrictEqual([envelopeKind.item, 1, 'still here']);
    expect(dropped).toMatchObject([{ code: 'malformed-frame' }]);
  });

  it.each([0, envelopeKind.item, envelopeKind.end, envelopeKind.credit, 99])(
    'ignores an envelope of kind %d',
    async (kind) => {
      await publish(session, { ...echo(1), kind });
      await publish(session, { kind: envelopeKind.cancel, correlationId: 77 });
      await publish(session, echo(2));
      expect(await nextAnswer(session)).toStrictEqual([envelopeKind.item, 2, 'still here']);
    },
  );

  it('answers data it cannot read with an error', async () => {
    await publish(session, { ...echo(1), contentType: 'application/cbor' });
    expect(await nextAnswer(session)).toStrictEqual([
      envelopeKind.error,
      1,
      expect.objectContaining({ code: 'malformed-frame', retryable: false }),
    ]);
  });

  it('drops a request whose correlation id is in use', async () => {
    await publish(session, { ...echo(5), operation: 'never' });
    await publish(session, echo(5));
    await publish(session, echo(6));
    expect(await nextAnswer(session)).toStrictEqual([envelopeKind.item, 6, 'still here']);
    expect(dropped).toMatchObject([{ code: 'malformed-frame' }]);
  });
});

describe('a server that is sent a stream', () => {
  let fabric: Fabric;
  let session: Session;
  beforeEach(async () => {
    log.clear();
    fabric = await Fabric.start();
    await fabric.serve({ controllers: [EchoController] });
    session = await (await fabric.peer()).openSession(billing);
  });
  afterEach(() => fabric.end());

  /** A request whose items may come now. */
  async function open(operation: string): Promise<void> {
    await publish(session, {
      kind: envelopeKind.request,
      correlationId: 1,
      operation,
      streams: true,
    });
    expect(await nextAnswer(session)).toStrictEqual([envelopeKind.credit, 1, undefined]);
  }
  const send = (kind: number, sequence: number, data?: unknown): Promise<void> =>
    publish(session, { kind, correlationId: 1, sequence, ...encodeValue(data) });
  const failed = (code: string): unknown[] => [
    envelopeKind.error,
    1,
    expect.objectContaining({ code }),
  ];

  it('skips what comes twice, after the end or for no request', async () => {
    await open('collect');
    await send(envelopeKind.item, 0, 'a');
    await send(envelopeKind.item, 0, 'a');
    await send(envelopeKind.end, 1);
    await send(envelopeKind.end, 1);
    await send(envelopeKind.item, 1, 'late');
    await send(envelopeKind.item, 7, 'late');
    expect(await nextAnswer(session)).toStrictEqual([envelopeKind.item, 1, ['a']]);
    await send(envelopeKind.item, 8, 'too late');
    await publish(session, { kind: envelopeKind.credit, correlationId: 99, credit: 2 ** 32 - 1 });
    await publish(session, echo(2));
    expect(await nextAnswer(session)).toStrictEqual([envelopeKind.item, 2, 'still here']);
  });

  it.each([
    ['item', 2],
    ['item', 2 ** 31 - 1],
    ['end', 2],
    ['end', 2 ** 32 - 1],
  ] as const)('says that an item was lost when %s %d follows item 0', async (kind, sequence) => {
    await open('collect');
    await send(envelopeKind.item, 0, 'a');
    await send(envelopeKind[kind], sequence);
    expect(await nextAnswer(session)).toStrictEqual(failed('not-delivered'));
  });

  it('refuses what it did not ask for, and stops the handler', async () => {
    await open('never');
    for (let sequence = 0; sequence < 65; sequence += 1) await send(envelopeKind.item, sequence);
    expect(await nextAnswer(session)).toStrictEqual(failed('backpressure'));
    await log.has('aborted');
  });

  it('stops a handler that answers without end when an item makes no sense', async () => {
    await publish(session, {
      kind: envelopeKind.request,
      correlationId: 1,
      operation: 'endless',
      streams: true,
      credit: 1,
    });
    const kinds = [await nextAnswer(session), await nextAnswer(session)];
    expect(kinds).toContainEqual([envelopeKind.item, 1, 0]);
    await send(envelopeKind.item, 5);
    expect(await nextAnswer(session)).toStrictEqual(failed('not-delivered'));
    await log.has('finally');
  });

  it('to an operation without handler refuses it once, and skips its items', async () => {
    await publish(session, {
      kind: envelopeKind.request,
      correlationId: 1,
      operation: 'nowhere',
      streams: true,
    });
    expect(await nextAnswer(session)).toStrictEqual(failed('no-handler'));
    await send(envelopeKind.item, 0, 'a');
    await send(envelopeKind.end, 1);
    await publish(session, echo(2));
    expect(await nextAnswer(session)).toStrictEqual([envelopeKind.item, 2, 'still here']);
  });

  it('sends as many items as its credit says, however large it is', async () => {
    await publish(session, { ...echo(1), operation: 'endless', credit: 2 });
    const next = async (): Promise<unknown> => nextAnswer(session);
    expect([await next(), await next()]).toStrictEqual([
      [envelopeKind.item, 1, 0],
      [envelopeKind.item, 1, 1],
    ]);
    await publish(session, echo(2));
    expect(await next()).toStrictEqual([envelopeKind.item, 2, 'still here']);
    for (let times = 0; times < 3; times += 1) {
      await publish(session, { kind: envelopeKind.credit, correlationId: 1, credit: 2 ** 32 - 1 });
    }
    expect(await next()).toStrictEqual([envelopeKind.item, 1, 2]);
    await publish(session, { kind: envelopeKind.cancel, correlationId: 1 });
    await log.has('finally');
  });
});

describe('a client whose service breaks the rules', () => {
  let fabric: Fabric;
  let client: SlimClient;
  let service: Promise<Session>;
  beforeEach(async () => {
    fabric = await Fabric.start();
    service = accepted(await fabric.peer(billing));
    client = fabric.client();
  });
  afterEach(() => fabric.end());

  const request = async (session: Session): Promise<Envelope> =>
    decodeEnvelope((await session.next()).payload);

  it.each<[string, readonly EnvelopeFields[], object]>([
    [
      'skips an item',
      [
        { kind: 3, sequence: 0 },
        { kind: 3, sequence: 2 },
      ],
      { code: 'not-delivered' },
    ],
    ['skips the first item', [{ kind: 3, sequence: 1 }], { code: 'not-delivered' }],
    ['skips the only item', [{ kind: 3, sequence: 1, last: true }], { code: 'not-delivered' }],
    ['skips all items', [{ kind: 4, sequence: 3 }], { code: 'not-delivered' }],
  ])('fails when it %s', async (_, answers, failure) => {
    const answer = outcome(client.send('a', 1));
    const session = await service;
    const { correlationId } = await request(session);
    for (const fields of answers) await publish(session, { ...fields, correlationId });
    expect((await answer).failed?.with).toMatchObject(failure);
  });

  it('skips what comes twice, what it does not know, and credit it has no use for', async () => {
    const answer = outcome(client.send('a', 1));
    const session = await service;
    const { correlationId } = await request(session);
    const answers: EnvelopeFields[] = [
      { kind: envelopeKind.credit, credit: 2 ** 32 - 1 },
      { kind: 99, last: true },
      { kind: envelopeKind.request, operation: 'a' },
      { kind: envelopeKind.item, sequence: 0, ...encodeValue('one') },
      { kind: envelopeKind.item, sequence: 0, ...encodeValue('one') },
      { kind: envelopeKind.end, sequence: 1 },
      { kind: envelopeKind.item, sequence: 1, ...encodeValue('late') },
    ];
    for (const fields of answers) await publish(session, { ...fields, correlationId });
    expect(await answer).toStrictEqual({ values: ['one'] });
  });

  it('fails when more comes than was asked for, and cancels', async () => {
    const answer = client.stream('a', 1);
    const first = answer.next();
    const session = await service;
    const { correlationId, credit } = await request(session);
    expect(credit).toBe(64);
    for (let sequence = 0; sequence < 66; sequence += 1) {
      await publish(session, { kind: envelopeKind.item, correlationId, sequence });
    }
    expect(await request(session)).toMatchObject({ kind: envelopeKind.cancel, correlationId });
    expect(await first).toStrictEqual({ done: false, value: undefined });
    const rest = async (): Promise<number> => {
      let count = 0;
      for await (const _ of answer) count += _ === undefined ? 1 : 0;
      return count;
    };
    await expect(rest()).rejects.toMatchObject({ code: 'backpressure' });
  });
});

/** The first session that somebody opens to a peer. */
async function accepted(peer: SlimApp): Promise<Session> {
  for await (const session of peer.sessions()) if (session.kind === 'session') return session;
  throw new Error('closed before anybody called');
}

describe('a client', () => {
  it('survives whatever its service publishes', async () => {
    const fabric = await Fabric.start();
    const service = await fabric.peer(billing);
    const opened = accepted(service);
    const client = fabric.client();
    const dropped: unknown[] = [];
    client.on('dropped', (reason) => dropped.push(reason));
    const answers = [outcome(client.send('a', 1)), outcome(client.send('b', 1))];
    const session = await opened;
    const ids = [await session.next(), await session.next()].map(
      ({ payload }) => decodeEnvelope(payload).correlationId,
    );
    const [a = 0, b = 0] = ids;
    await session.publish(new Uint8Array([1]), { payloadType: 'text/plain' });
    await session.publish(new Uint8Array([0xff]), { payloadType: envelopePayloadType });
    await publish(session, { kind: envelopeKind.item, correlationId: 4_000, last: true });
    await publish(session, { kind: 99, correlationId: a });
    const broken = { contentType: 'application/json', data: new Uint8Array([0x7b]) };
    await publish(session, { kind: envelopeKind.item, correlationId: a, ...broken });
    await publish(session, { kind: envelopeKind.end, correlationId: b });
    expect(await Promise.all(answers)).toStrictEqual([
      { values: [], failed: { with: expect.objectContaining({ code: 'malformed-frame' }) } },
      { values: [] },
    ]);
    expect(dropped).toMatchObject([{ code: 'malformed-frame' }]);
    // The request it could not understand is cancelled.
    const { kind, correlationId } = decodeEnvelope((await session.next()).payload);
    expect([kind, correlationId]).toStrictEqual([envelopeKind.cancel, a]);
    await fabric.end();
  });
});
