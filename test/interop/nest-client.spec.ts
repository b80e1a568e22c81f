import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Controller, type INestMicroservice } from '@nestjs/common';
import { Ctx, MessagePattern, Payload } from '@nestjs/microservices';
import { Test } from '@nestjs/testing';
import { firstValueFrom, lastValueFrom, toArray } from 'rxjs';
import {
  SlimClient,
  SlimContext,
  SlimModule,
  SlimRecordBuilder,
  sharedSecret,
  slimMicroservice,
} from 'nestjs-slim';
import { NativePeer, type NativeSession } from '../support/native-peer.js';
import { startNode } from '../support/party.js';

const secret = 'interop-tests-share-this-secret-of-40-bytes';
const identity = sharedSecret({ secret });
const echo = 'org/ns/echo';
const service = 'org/ns/service';

@Controller()
class WhoController {
  @MessagePattern('who')
  who(@Payload() data: unknown, @Ctx() context: SlimContext): unknown {
    return { data, who: String(context.getName()) };
  }
}

const record = (data: unknown, mls: boolean) =>
  new SlimRecordBuilder(data).setPayloadType('text/plain').setMls(mls);
const textOf = (value: unknown): unknown =>
  value instanceof Uint8Array ? Buffer.from(value).toString() : value;

describe.each(Object.entries(startNode))('a Nest client at %s', (_, start) => {
  let node: Awaited<ReturnType<typeof start>>;
  let official: NativePeer;
  let client: SlimClient;
  const services: INestMicroservice[] = [];
  beforeAll(async () => {
    node = await start();
    official = await NativePeer.start();
    await official.connect(node.url);
    await official.app({ name: echo, secret });
    client = new SlimClient({ name: 'org/ns/client', identity, node: node.url, target: service });
  }, 30_000);
  afterAll(async () => {
    await client?.close();
    for (const app of services) await app.close();
    await official?.stop();
    await node?.stop();
  });

  /** The answers to some calls at once, each of which has a session of its own. */
  const ask = async (texts: readonly string[], mls: boolean): Promise<readonly unknown[]> => {
    const answers = texts.map((text) =>
      firstValueFrom(client.send(echo, record(text, mls).build())),
    );
    return (await Promise.all(answers)).map(textOf);
  };
  const accept = async (count: number): Promise<readonly NativeSession[]> => {
    const accepted: NativeSession[] = [];
    while (accepted.length < count) accepted.push(await official.accept());
    return accepted;
  };

  it.each([true, false])('asks an official application; MLS: %s', async (mls) => {
    const echoing = accept(3).then((sessions) => {
      for (const session of sessions) void official.echo(session);
      return sessions;
    });
    expect(await ask(['a', 'b', 'c'], mls)).toStrictEqual(['a', 'b', 'c']);
    expect((await echoing).map((session) => session.mls)).toStrictEqual([mls, mls, mls]);
    // By the sessions that there are.
    expect(await ask(['d', 'e', 'f'], mls)).toStrictEqual(['d', 'e', 'f']);
  });

  it.each([true, false])('leaves a late answer to nobody; MLS: %s', async (mls) => {
    const other = new SlimClient({ name: 'org/ns/other', identity, node: node.url });
    const cancelled = other.send(echo, record('late', mls).build()).subscribe();
    const [session] = await accept(1);
    if (!session) throw new Error('nobody asked');
    await official.receive(session, 1);
    cancelled.unsubscribe();
    // The session may be over by now, which is as good.
    await official.publish(session, 'too late').catch(() => undefined);
    const answer = firstValueFrom(other.send(echo, record('next', mls).build()));
    const [next] = await accept(1);
    if (next) void official.echo(next, 1);
    expect(textOf(await answer)).toBe('next');
    await other.close();
  });

  it('fails with what an official application marks as an error', async () => {
    const other = new SlimClient({ name: 'org/ns/failing', identity, node: node.url });
    const answer = firstValueFrom(other.send(echo, record('fail', true).build()));
    const [session] = await accept(1);
    if (!session) throw new Error('nobody asked');
    await official.receive(session, 1);
    const payloadType = 'application/json';
    const metadata = { 'slim-error': 'true' };
    await Promise.all([
      official.publish(session, '{"message":"no"}', { payloadType, metadata, wait: true }),
      expect(answer).rejects.toStrictEqual({ message: 'no' }),
    ]);
    await other.close();
  });

  it('asks every instance of a Nest service', async () => {
    while (services.length < 2) {
      const module = await Test.createTestingModule({
        imports: [SlimModule.forRoot({ name: service, identity, node: node.url })],
        controllers: [WhoController],
      }).compile();
      const app = module.createNestMicroservice({ ...slimMicroservice(), logger: false });
      services.push(app);
      await app.listen();
    }
    const all = client.sendAll('who', { id: 7 }, { deadline: 4_000, quorum: 2 });
    const gathered = await lastValueFrom(all.pipe(toArray()));
    const answers = gathered.flatMap((item) => (item.kind === 'answer' ? [item] : []));
    expect(answers).toHaveLength(2);
    for (const { from, value } of answers) {
      expect(value).toStrictEqual({ data: { id: 7 }, who: String(from) });
    }
    expect(new Set(answers.map(({ from }) => String(from))).size).toBe(2);
    expect(gathered.at(-1)).toMatchObject({ kind: 'summary', failed: [], missing: [] });
  });
});
