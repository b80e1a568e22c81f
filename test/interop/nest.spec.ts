import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Controller, type INestMicroservice } from '@nestjs/common';
import { Ctx, MessagePattern, Payload } from '@nestjs/microservices';
import { Test } from '@nestjs/testing';
import { firstValueFrom } from 'rxjs';
import {
  ChannelMessage,
  InjectChannel,
  ParticipantJoined,
  ParticipantLeft,
  SlimChannel,
  SlimChannelRef,
  SlimClient,
  SlimContext,
  SlimModule,
  SlimName,
  SlimNode,
  SlimSource,
  sharedSecret,
  slimMicroservice,
} from 'nestjs-slim';
import { NativePeer, type NativeMessage, type NativeSession } from '../support/native-peer.js';

const secret = 'interop-tests-share-this-secret-of-40-bytes';
const roomName = 'org/ns/room';
const events: string[] = [];
let wake: () => void = () => undefined;

function note(event: string): void {
  events.push(event);
  wake();
}

async function noted(event: string): Promise<void> {
  while (!events.includes(event)) await new Promise<void>((resolve) => (wake = resolve));
}

@Controller()
class Invoices {
  @MessagePattern('org/ns/nest')
  handle(@Payload() data: unknown, @Ctx() context: SlimContext): unknown {
    if (data instanceof Uint8Array) return data.toReversed();
    return { data, from: context.getSource().service, mls: context.getSession().mls };
  }
}

@SlimChannel({
  name: roomName,
  moderator: true,
  invite: ['org/ns/official'],
  inviteRetryMs: 200,
  metadata: { topic: 'invoices' },
})
class Room {
  constructor(@InjectChannel(roomName) readonly room: SlimChannelRef) {}

  @ChannelMessage()
  async said(@Payload() data: unknown, @SlimSource() source: SlimName): Promise<void> {
    const text = data instanceof Uint8Array ? Buffer.from(data).toString() : JSON.stringify(data);
    note(`${source.service} said ${text}`);
    await this.room.publish(`heard ${text}`, { plain: true });
  }

  @ParticipantJoined()
  joined(@SlimSource() source: SlimName): void {
    note(`${source.service} joined`);
  }

  @ParticipantLeft()
  left(@SlimSource() source: SlimName): void {
    note(`${source.service} left`);
  }
}

const brief = ({ text, payloadType, source }: NativeMessage) => ({
  text,
  payloadType,
  from: source.name,
});

describe('an official application and a Nest application', () => {
  let node: SlimNode;
  let official: NativePeer;
  let nest: INestMicroservice;
  let group: NativeSession;
  beforeAll(async () => {
    node = await SlimNode.start({ listen: { host: '127.0.0.1', port: 0 } });
    const url = node.url ?? '';
    official = await NativePeer.start();
    await official.connect(url);
    await official.app({ name: 'org/ns/official', secret });
    const identity = sharedSecret({ secret });
    const module = await Test.createTestingModule({
      imports: [SlimModule.forRoot({ name: 'org/ns/nest', identity, node: url })],
      controllers: [Invoices],
      providers: [Room],
    }).compile();
    nest = module.createNestMicroservice({ ...slimMicroservice(), logger: false });
    await nest.listen();
    // The moderator invites by itself.
    group = await official.accept();
  });
  afterAll(async () => {
    await nest?.close();
    await official?.stop();
    await node?.close();
  });

  it('has a message handler called at its name, and gets what it returns', async () => {
    const session = await official.open('org/ns/nest', { mls: true });
    await official.publish(session, new Uint8Array([1, 2, 0xff]), { wait: true });
    const [bytes] = await official.receive(session, 1);
    expect(bytes).toMatchObject({ hex: 'ff0201', payloadType: 'application/octet-stream' });

    const json = { payloadType: 'application/json', wait: true };
    await official.publish(session, '{"id":7}', json);
    const [answer] = await official.receive(session, 1);
    expect(answer && brief(answer)).toStrictEqual({
      text: '{"data":{"id":7},"from":"org/ns/official","mls":true}',
      payloadType: 'application/json',
      from: 'org/ns/nest',
    });
    await official.close(session);
  });

  it('is in the channel of a class, speaks there and hears it', async () => {
    expect(group).toMatchObject({ type: 'group', mls: true, metadata: { topic: 'invoices' } });
    await noted('org/ns/official joined');
    await official.publish(group, 'hello', { wait: true });
    await official.publish(group, '{"n":1}', { payloadType: 'application/json', wait: true });
    await noted('org/ns/official said {"n":1}');
    const answers = await official.receive(group, 2);
    expect(answers.map(brief)).toStrictEqual([
      { text: 'heard hello', payloadType: 'text/plain', from: 'org/ns/nest' },
      { text: 'heard {"n":1}', payloadType: 'text/plain', from: 'org/ns/nest' },
    ]);

    const { room } = nest.get(Room);
    await firstValueFrom(nest.get(SlimClient).emit(roomName, 'ours alone'), {
      defaultValue: undefined,
    });
    await room.publish({ for: 'all' }, { plain: true, metadata: { k: 'v' } });
    const [envelope, plain] = await official.receive(group, 2);
    expect(envelope?.payloadType).toBe('application/vnd.nestjs-slim.v1');
    expect(plain).toMatchObject({ text: '{"for":"all"}', metadata: { k: 'v' } });
    const members = (await official.participants(group)).map(({ name }) => name);
    expect(members.toSorted()).toStrictEqual(['org/ns/nest', 'org/ns/official']);
  });

  it('is brought back when it left, and is out for good when it was removed', async () => {
    await official.close(group);
    await noted('org/ns/official left');
    group = await official.accept();
    await official.publish(group, 'back', { wait: true });
    await noted('org/ns/official said back');
    await official.receive(group, 1);
    events.length = 0;
    const end = official.receiveSome(group, 1, 5_000);
    await nest.get(Room).room.remove('org/ns/official');
    expect(await end).toMatchObject({ messages: [], ended: 'closed' });
    expect(events).toStrictEqual(['org/ns/official left']);
    expect(nest.get(Room).room.participants()).toHaveLength(1);
  });
});
