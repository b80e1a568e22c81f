import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Controller } from '@nestjs/common';
import { MessagePattern } from '@nestjs/microservices';
import type { Session, SlimError } from '@nestjs-slim/core';
import {
  decodeEnvelope,
  encodeEnvelope,
  envelopeKind,
  envelopePayloadType,
  type Envelope,
} from './payload/envelope.js';
import { Payloads } from './payload/payloads.js';
import { billing, Fabric } from './testing/spec-fabric.js';
import { outcome } from './testing/spec-outcome.js';
import { decodeValue, encodeValue } from './payload/value.js';

@Controller()
class EchoController {
  @MessagePattern('echo')
  echo(data: unknown): unknown {
    return data;
  }

  @MessagePattern('never')
  never(): Promise<never> {
    return new Promise(() => undefined);
  }
}

const payloads = new Payloads({
  codec: undefined,
  serializer: undefined,
  deserializer: undefined,
});

const publish = (session: Session, fields: Partial<Envelope>): Promise<void> =>
  session.publish(encodeEnvelope(fields), { payloadType: envelopePayloadType });

async function nextAnswer(session: Session): Promise<unknown> {
  const envelope = decodeEnvelope((await session.next()).payload);
  const isError = envelope.kind === envelopeKind.error;
  const value = isError ? payloads.decodeError(envelope) : decodeValue(envelope);
  return [envelope.kind, envelope.correlationId, value];
}

const echo = (correlationId: number): Partial<Envelope> => ({
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

describe('a client', () => {
  it('survives whatever its service publishes', async () => {
    const fabric = await Fabric.start();
    const service = await fabric.peer(billing);
    const accepted = (async () => {
      for await (const session of service.sessions()) {
        if (session.kind === 'session') return session;
      }
      throw new Error('closed before anybody called');
    })();
    const client = fabric.client();
    const dropped: unknown[] = [];
    client.on('dropped', (reason) => dropped.push(reason));
    const answers = [outcome(client.send('a', 1)), outcome(client.send('b', 1))];
    const session = await accepted;
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
