import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { Metadata, Session, SessionMessage, SlimApp } from '@nestjs-slim/core';
import { from } from 'rxjs';
import { SlimRecordBuilder } from './slim-record.js';
import { Fabric } from './testing/spec-fabric.js';
import { Log } from './testing/spec-log.js';
import { outcome, Signal } from './testing/spec-outcome.js';

const name = 'acme/foreign/echo';
const text = (message: SessionMessage): string => new TextDecoder().decode(message.payload);
const bytes = (value: string): Uint8Array => new TextEncoder().encode(value);
const failure: { readonly payloadType: string; readonly metadata: Metadata } = {
  payloadType: 'application/json',
  metadata: { 'slim-error': 'true' },
};

describe('a call to an application that knows nothing of Nest', () => {
  let fabric: Fabric;
  const log = new Log();
  let release = new Signal();
  let sessions: Session[] = [];

  beforeEach(async () => {
    log.clear();
    release = new Signal();
    sessions = [];
    fabric = await Fabric.start();
    void accept(await fabric.peer(name));
  });
  afterEach(() => fabric.end());

  async function accept(app: SlimApp): Promise<void> {
    for await (const session of app.sessions()) {
      if (session.kind !== 'session') continue;
      sessions.push(session);
      // Who asked may be gone by the time of the answer.
      answer(session).catch(() => undefined);
    }
  }

  async function answer(session: Session): Promise<void> {
    for await (const message of session) {
      const said = text(message);
      log.add(said);
      if (said === 'wait') await release.fired;
      if (said === 'fail') await message.reply(bytes('{"message":"no"}'), failure);
      else if (said === 'end') void session.close();
      else if (said === 'twice') {
        await message.reply(bytes('once'));
        await message.reply(bytes('again'));
      } else if (said !== 'silence') {
        const { payload, payloadType, metadata } = message;
        await message.reply(payload, { payloadType, metadata });
      }
    }
  }

  const record = (data: unknown, payloadType = 'text/plain') =>
    new SlimRecordBuilder(data).setPayloadType(payloadType);
  const client = (options: Parameters<Fabric['client']>[0] = {}) => fabric.client(options);
  const ask = (by: ReturnType<typeof client>, data: unknown) =>
    outcome(by.send(name, record(data).build()));
  const decoded = ({ values }: { readonly values: readonly unknown[] }) =>
    values.map((value) => (value instanceof Uint8Array ? new TextDecoder().decode(value) : value));

  it.each([
    ['text/plain', 'hello', 'hello'],
    ['application/json', { id: 7 }, { id: 7 }],
    ['application/cloudevents+json', { id: 7 }, { id: 7 }],
    ['application/octet-stream', new Uint8Array([0, 0xff]), new Uint8Array([0, 0xff])],
    ['application/x-own', 'own', bytes('own')],
  ])('of type %s has the next message as its answer', async (payloadType, data, value) => {
    const { values } = await outcome(client().send(name, record(data, payloadType).build()));
    expect(values.map((item) => (item instanceof Uint8Array ? [...item] : item))).toStrictEqual([
      value instanceof Uint8Array ? [...value] : value,
    ]);
  });

  it.each([
    [true, true],
    [false, true],
    [true, false],
    [false, false],
  ])('goes with MLS %s, reliable %s, as the record says', async (mls, reliable) => {
    const by = client({ mls: !mls, reliable: !reliable });
    const wanted = record('hello').setMls(mls).setReliable(reliable).build();
    expect(decoded(await outcome(by.send(name, wanted)))).toStrictEqual(['hello']);
    expect(sessions.map((session) => [session.mls, session.reliable])).toStrictEqual([
      [mls, reliable],
    ]);
  });

  it('gets its own answer when many are under way, and sessions are used again', async () => {
    const by = client();
    const numbers = Array.from({ length: 5 }, (_, n) => String(n));
    for (let round = 0; round < 3; round += 1) {
      const answers = await Promise.all(numbers.map((n) => ask(by, n)));
      expect(answers.flatMap(decoded)).toStrictEqual(numbers);
    }
    expect(sessions.length).toBeLessThanOrEqual(numbers.length);
  });

  it('that is cancelled, or out of time, leaves its late answer to nobody', async () => {
    const by = client();
    const subscription = by.send(name, record('wait').build()).subscribe();
    await log.has('wait');
    subscription.unsubscribe();
    const late = by.send(name, record('wait').setTimeoutMs(30).build());
    expect((await outcome(late)).failed?.with).toMatchObject({ code: 'timeout' });
    release.fire();
    for (const n of ['1', '2', '3']) expect(decoded(await ask(by, n))).toStrictEqual([n]);
  });

  it('is not answered by what an answer before had to say beside', async () => {
    const by = client();
    expect(decoded(await ask(by, 'twice'))).toStrictEqual(['once']);
    // By then the second message came.
    expect(decoded(await ask(client(), 'other'))).toStrictEqual(['other']);
    expect(decoded(await ask(by, 'next'))).toStrictEqual(['next']);
  });

  it('is not answered by what an event was answered with', async () => {
    const by = client();
    for (const n of ['a', 'b', 'c']) await outcome(by.emit(name, record(n).build()));
    await log.has('a', 'b', 'c');
    expect(decoded(await ask(by, 'question'))).toStrictEqual(['question']);
    expect(log.lines).toStrictEqual(['a', 'b', 'c', 'question']);
    expect(sessions).toHaveLength(2);
  });

  it('fails with what an answer says that is marked as an error', async () => {
    const by = client();
    expect(await ask(by, 'fail')).toStrictEqual({
      values: [],
      failed: { with: { message: 'no' } },
    });
    expect(decoded(await ask(by, 'fine'))).toStrictEqual(['fine']);
  });

  it('fails when the other side ends the session, and the next finds it again', async () => {
    const by = client();
    expect((await ask(by, 'end')).failed?.with).toMatchObject({ code: 'session-closed' });
    expect(decoded(await ask(by, 'fine'))).toStrictEqual(['fine']);
  });

  it('fails when the client is closed, which leaves nothing behind', async () => {
    const by = client();
    const answered = ask(by, 'silence');
    await log.has('silence');
    await by.close();
    expect((await answered).failed?.with).toMatchObject({ name: 'SlimError' });
    expect(decoded(await ask(by, 'anew'))).toStrictEqual(['anew']);
  });

  it.each([
    [name, undefined],
    [name, from([1, 2])],
    [`${name}#operation`, 'hello'],
  ])('to %s that cannot be sent fails, and reaches nobody', async (pattern, data) => {
    const wanted = record(data).build();
    const failed = { with: expect.objectContaining({ name: 'SlimError' }) };
    expect(await outcome(client().send(pattern, wanted))).toStrictEqual({ values: [], failed });
    expect(await outcome(client().emit(pattern, wanted))).toStrictEqual({ values: [], failed });
    expect(log.lines).toStrictEqual([]);
  });

  it('goes to one instance, or to any, as the record says', async () => {
    const other = await fabric.peer(name);
    void accept(other);
    const by = client({ mls: false });
    const seen = new Set<string>();
    const ended = async (wanted: SlimRecordBuilder): Promise<void> => {
      await outcome(by.send(name, wanted.build()));
    };
    for (let n = 0; n < 4; n += 1) await ended(record('any').setAnycast());
    for (const session of sessions) seen.add(String(session.name));
    expect(seen.size).toBe(2);
    sessions.length = 0;
    for (let n = 0; n < 3; n += 1) await ended(record('one').setInstance(other.name).setMls(true));
    expect(sessions.map((session) => String(session.name))).toStrictEqual([String(other.name)]);
  });
});
