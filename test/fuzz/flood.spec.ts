import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { nameId, nullId } from '../../libs/slim-core/src/names/name-id.js';
import { loadNameHash, type SlimError } from '@nestjs-slim/core';
import { nodeCrypto } from '@nestjs-slim/platform-node';
import { Fabric } from '../../libs/slim-core/src/testing/fabric.js';
import { joined, readTexts } from '../../libs/slim-core/src/testing/joining.js';
import { LinkTap } from '../../libs/slim-core/src/testing/link-tap.js';
import { NodeClient } from '../../libs/slim-core/src/testing/node-client.js';
import { messageType, sessionType } from '../../libs/slim-core/src/wire/session-header.js';
import { Liar, type Lie } from './hostile-member.js';

const secret = 'a secret that only the flooded channels share';
const foreignSecret = 'a secret that none of the flooded channels knows';

let tap: LinkTap;
let fabric: Fabric;
let wire: NodeClient;
let liar: Liar;

beforeEach(async () => {
  await loadNameHash();
  tap = new LinkTap();
  fabric = new Fabric(nodeCrypto, secret, tap.wrap);
  wire = await NodeClient.connect(fabric.node, nodeCrypto);
  liar = Liar.create('org/ns/liar', secret, foreignSecret);
});

afterEach(() => fabric.close());

/** What the others in the last session say, which a liar can say too. */
function lie(part: Partial<Lie> & { readonly type: number }): Lie {
  const { header, session } =
    tap.seen.findLast(({ message }) => message.publish?.session?.sessionId)?.message.publish ?? {};
  return {
    source: liar.name,
    destination: header?.destination ?? liar.name,
    session: {
      sessionType: sessionType.multicast,
      messageType: part.type,
      sessionId: session?.sessionId ?? 0,
      messageId: 77,
    },
    command: undefined,
    blob: new Uint8Array(),
    metadata: new Map(),
    proof: 'own',
    isError: false,
    ...part,
  };
}

describe('a stranger with a good identity', () => {
  it('who speaks first with the name of a member does not become it', async () => {
    const moderator = await fabric.connect('org/ns/moderator');
    const member = await fabric.connect('org/ns/member');
    const channel = await moderator.createChannel('org/ns/room');
    const [theirs] = await Promise.all([joined(member), channel.invite('org/ns/member')]);
    const welcome = tap.seen.find(({ type }) => type === messageType.groupWelcome);
    const { source, destination } = welcome?.message.publish?.header ?? {};
    if (!source || !destination) throw new Error('no welcome');
    const refused: SlimError[] = [];
    member.on('dropped', (reason) => refused.push(reason));
    const command = { heartbeat: { epoch: 1n } };
    const type = messageType.heartbeat;
    await wire.send(liar.tell(lie({ type, source, destination, command })));
    expect(refused).toMatchObject([{ code: 'identity-rejected' }]);
    await channel.publish(new TextEncoder().encode('from the moderator'));
    expect(await readTexts(theirs, 1, 2_000)).toStrictEqual(['from the moderator']);
  });

  it('does not keep a moderator from its work by beating under many names', async () => {
    const moderator = await fabric.connect('org/ns/moderator', { sessions: { intervalMs: 200 } });
    await fabric.connect('org/ns/member');
    const late = await fabric.connect('org/ns/late');
    const channel = await moderator.createChannel('org/ns/room');
    await channel.invite('org/ns/member');
    const type = messageType.heartbeat;
    const command = { heartbeat: { epoch: 1n } };
    const destination = tap.seen.find(({ type: one }) => one === messageType.joinRequest)?.message
      .publish?.header?.source;
    for (let at = 1n; at <= 200n; at += 1n) {
      const source = liar.name.withId(nameId(at % nullId));
      await wire.send(
        liar.tell(lie({ type, source, command, ...(destination && { destination }) })),
      );
    }
    const [theirs] = await Promise.all([joined(late), channel.invite('org/ns/late')]);
    expect(theirs.participants()).toHaveLength(3);
  });
});
