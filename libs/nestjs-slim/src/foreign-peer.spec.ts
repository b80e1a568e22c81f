import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Controller } from '@nestjs/common';
import { Ctx, EventPattern, MessagePattern, Payload, RpcException } from '@nestjs/microservices';
import type { Session, SessionMessage } from '@nestjs-slim/core';
import { from } from 'rxjs';
import type { SlimContext } from './slim-context.js';
import { billing, Fabric } from './testing/spec-fabric.js';
import { Signal } from './testing/spec-outcome.js';

const written = new Signal<unknown>();

@Controller()
class ForeignController {
  @MessagePattern(billing)
  answer(@Payload() data: unknown, @Ctx() context: SlimContext): unknown {
    if (data instanceof Uint8Array) {
      const text = new TextDecoder().decode(data);
      if (text === 'fail') throw new RpcException('no such invoice');
      if (text === 'nothing') return undefined;
      if (text === 'several') return from(['one', undefined, { two: 2 }, new Uint8Array([3])]);
      return data;
    }
    return { data, foreign: context.isForeign(), metadata: context.getMetadata() };
  }

  @MessagePattern('create')
  create(): string {
    return 'never asked by a foreign peer';
  }

  @EventPattern<string>('acme/audit/log')
  log(@Payload() data: unknown): void {
    written.fire(data);
  }
}

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const read = ({ payload, payloadType, metadata }: SessionMessage) => ({
  text: new TextDecoder().decode(payload),
  payloadType,
  metadata,
});

describe('an application that knows nothing of Nest', () => {
  let fabric: Fabric;
  let session: Session;
  beforeEach(async () => {
    fabric = await Fabric.start();
    await fabric.serve({ controllers: [ForeignController] });
    session = await (await fabric.peer()).openSession(billing);
  });
  afterEach(() => fabric.end());

  it('gets bytes back untouched', async () => {
    const payload = new Uint8Array([0, 0xff, 0xfe, 0x80]);
    const { payload: answer, payloadType } = await session.request(payload);
    expect([...answer]).toStrictEqual([...payload]);
    expect(payloadType).toBe('application/octet-stream');
  });

  it.each(['application/json', 'msg'])('has its JSON of type "%s" parsed', async (payloadType) => {
    const options = { payloadType, metadata: { k: 'v' } };
    const answer = await session.request(bytes('{"id":7}'), options);
    expect(read(answer)).toStrictEqual({
      text: '{"data":{"id":7},"foreign":true,"metadata":{"k":"v"}}',
      payloadType: 'application/json',
      metadata: {},
    });
  });

  it('gets each value of a stream as a message, and none for undefined', async () => {
    await session.publish(bytes('nothing'));
    await session.publish(bytes('several'));
    const answers = [await session.next(), await session.next(), await session.next()];
    expect(answers.map((answer) => read(answer).text)).toStrictEqual([
      'one',
      '{"two":2}',
      '\u0003',
    ]);
    expect(answers.map(({ payloadType }) => payloadType)).toStrictEqual([
      'text/plain',
      'application/json',
      'application/octet-stream',
    ]);
  });

  it('gets errors marked as such', async () => {
    expect(read(await session.request(bytes('fail')))).toStrictEqual({
      text: '{"status":"error","message":"no such invoice"}',
      payloadType: 'application/json',
      metadata: { 'slim-error': 'true' },
    });
    const notJson = await session.request(bytes('{'), { payloadType: 'application/json' });
    expect(JSON.parse(read(notJson).text)).toMatchObject({ code: 'malformed-frame' });
  });

  it('can tell an event handler, which answers nothing', async () => {
    const audit = await (await fabric.peer()).openSession('acme/audit/log');
    await audit.publish(bytes('{"who":"peer"}'));
    expect(await written.fired).toStrictEqual({ who: 'peer' });
  });

  it('is told when nobody handles what it sends', async () => {
    await fabric.serve({ controllers: [] }, { name: 'acme/empty/service' });
    const empty = await (await fabric.peer()).openSession('acme/empty/service');
    const answer = read(await empty.request(bytes('hello')));
    expect(answer.metadata).toStrictEqual({ 'slim-error': 'true' });
    expect(JSON.parse(answer.text)).toStrictEqual({
      status: 'error',
      message: 'no handler for "acme/empty/service"',
      code: 'no-handler',
      retryable: false,
    });
  });

  it.each([{ mls: false }, { reliable: false }])('is answered with %p', async (options) => {
    const other = await (await fabric.peer()).openSession(billing, options);
    expect(read(await other.request(bytes('hello'))).text).toBe('hello');
  });
});
