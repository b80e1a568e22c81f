import { expect } from '@jest/globals';
import { Controller } from '@nestjs/common';
import { Ctx, EventPattern, MessagePattern, Payload } from '@nestjs/microservices';
import { SlimContext, type SlimClient } from 'nestjs-slim';
import { firstValueFrom } from 'rxjs';
import { Log } from '../../libs/nestjs-slim/src/testing/spec-log.js';
import { outcome } from '../../libs/nestjs-slim/src/testing/spec-outcome.js';
import { acceptance } from './acceptance.js';
import { everyNetwork } from './networks.js';
import type { Stage } from './stage.js';

const log = new Log();

@Controller()
class MetadataController {
  @MessagePattern('asked')
  asked(@Payload() data: unknown, @Ctx() context: SlimContext): unknown {
    return { data, metadata: context.getMetadata() };
  }

  @EventPattern<string>('told')
  told(@Payload() data: unknown, @Ctx() context: SlimContext): void {
    log.add(JSON.stringify({ data, metadata: context.getMetadata() }));
  }
}

async function setup(stage: Stage): Promise<SlimClient> {
  log.clear();
  await stage.serve({ controllers: [MetadataController] });
  return stage.client();
}

acceptance('Packet metadata', everyNetwork, {
  'value of a dispatch hook arrives beside the payload of a request': async (stage) => {
    const client = await setup(stage);
    client.setOnDispatchHook((packet) => (packet.metadata = { trace: 't1' }));
    expect(await firstValueFrom(client.send('asked', { id: 7 }))).toStrictEqual({
      data: { id: 7 },
      metadata: { trace: 't1' },
    });
  },

  'value of a dispatch hook arrives beside the payload of an event': async (stage) => {
    const client = await setup(stage);
    client.setOnDispatchHook((packet) => (packet.metadata = { trace: 't2' }));
    await outcome(client.emit('told', { id: 7 }));
    await log.has('{"data":{"id":7},"metadata":{"trace":"t2"}}');
  },

  'absent without a hook': async (stage) => {
    const client = await setup(stage);
    expect(await firstValueFrom(client.send('asked', 7))).toStrictEqual({ data: 7, metadata: {} });
  },

  'hook is called once for each packet, with pattern and data': async (stage) => {
    const client = await setup(stage);
    const packets: unknown[] = [];
    client.setOnDispatchHook(({ pattern, data }) => packets.push([pattern, data]));
    await firstValueFrom(client.send('asked', 1));
    await outcome(client.emit('told', 2));
    expect(packets).toStrictEqual([
      ['asked', 1],
      ['told', 2],
    ]);
  },
});
