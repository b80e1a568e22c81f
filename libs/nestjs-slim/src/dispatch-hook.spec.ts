import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Controller } from '@nestjs/common';
import { Ctx, EventPattern, MessagePattern, type ReadPacket } from '@nestjs/microservices';
import { firstValueFrom, lastValueFrom } from 'rxjs';
import type { SlimClient } from './slim-client.js';
import type { SlimContext } from './slim-context.js';
import { SlimRecordBuilder } from './slim-record.js';
import { Fabric } from './testing/spec-fabric.js';
import { Log } from './testing/spec-log.js';

const log = new Log();

@Controller()
class MetadataController {
  @MessagePattern('ask')
  ask(@Ctx() context: SlimContext): object {
    return context.getMetadata();
  }

  @MessagePattern('items')
  async *items(@Ctx() context: SlimContext): AsyncGenerator<object> {
    yield context.getMetadata();
    yield context.getMetadata();
  }

  @EventPattern<string>('tell')
  tell(@Ctx() context: SlimContext): void {
    log.add(JSON.stringify(context.getMetadata()));
  }
}

describe('a dispatch hook', () => {
  let fabric: Fabric;
  let client: SlimClient;
  let seen: unknown[];
  beforeEach(async () => {
    log.clear();
    fabric = await Fabric.start();
    await fabric.serve({ controllers: [MetadataController] });
    client = fabric.client();
    seen = [];
    client.setOnDispatchHook?.((packet: ReadPacket) => {
      seen.push(packet.pattern);
      packet.metadata = { hop: String(seen.length) };
    });
  });
  afterEach(() => fabric.end());

  // Nest 11 has no such hook.
  const metadata = (hop: string): object => ('setOnDispatchHook' in client ? { hop } : {});
  const patterns = (...given: string[]): string[] => ('setOnDispatchHook' in client ? given : []);

  it('sees every subscription to a request once, and what it adds gets to the handler', async () => {
    const asking = client.send('ask', {});
    expect(await firstValueFrom(asking)).toStrictEqual(metadata('1'));
    expect(await firstValueFrom(asking)).toStrictEqual(metadata('2'));
    expect(seen).toStrictEqual(patterns('ask', 'ask'));
  });

  it('sees a request that is awaited', async () => {
    expect(await client.request('ask', {})).toStrictEqual(metadata('1'));
    expect(seen).toStrictEqual(patterns('ask'));
  });

  it('sees a stream once, when it is first read', async () => {
    const stream = client.stream('items', {});
    expect(seen).toStrictEqual([]);
    const items: unknown[] = [];
    for await (const item of stream) items.push(item);
    expect(items).toStrictEqual([metadata('1'), metadata('1')]);
    expect(seen).toStrictEqual(patterns('items'));
  });

  it('sees an event', async () => {
    await lastValueFrom(client.emit('tell', {}));
    await log.has(JSON.stringify(metadata('1')));
    expect(seen).toStrictEqual(patterns('tell'));
  });

  it('sees what is sent once to each instance', async () => {
    const summary = await lastValueFrom(client.sendAll('ask', {}, { quorum: 1 }));
    expect(summary).toMatchObject({ kind: 'summary', failed: [] });
    expect(seen).toStrictEqual(patterns('ask'));
  });

  it('adds to what the record has', async () => {
    const record = new SlimRecordBuilder({}).setMetadata({ tenant: 'a', hop: 'old' }).build();
    const expected = { tenant: 'a', hop: 'old', ...metadata('1') };
    expect(await client.request('ask', record)).toStrictEqual(expected);
  });
});
