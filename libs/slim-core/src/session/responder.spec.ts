import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { nodeCrypto } from '../../../slim-platform-node/src/node-crypto.js';
import { sharedSecret } from '../auth/shared-secret.js';
import { systemClock } from '../clock/clock.js';
import { loadNameHash } from '../names/name-hash.js';
import { applicationId } from '../names/name-id.js';
import { SlimName } from '../names/slim-name.js';
import { Fabric } from '../testing/fabric.js';
import { NodeClient } from '../testing/node-client.js';
import { frame } from '../wire/frame.js';
import { fanout, slimHeader, subscription } from '../wire/header.js';
import { messageType, sessionType } from '../wire/session-header.js';
import { WireName } from '../wire/wire-name.js';
import { Composer } from './composer.js';

const secret = 'a secret that only the invited of this file share';
/** Without timers, channel and MLS. */
const invitation = { timers: undefined, channel: undefined, control: undefined, mls: undefined };

let fabric: Fabric;

beforeEach(() => loadNameHash());
beforeEach(() => {
  fabric = new Fabric(nodeCrypto, secret);
});
afterEach(() => fabric.close());

/** Somebody who invites by hand, and hears what comes back. */
async function connectByHand(name: string) {
  const context = { name: SlimName.parse(name), crypto: nodeCrypto, clock: systemClock };
  const { provider } = sharedSecret({ secret })(context);
  const source = WireName.of(context.name.withId(applicationId(provider.tokenId)));
  const composer = new Composer(provider, nodeCrypto);
  const client = await NodeClient.connect(fabric.node, nodeCrypto);
  const header = slimHeader.make({ source, destination: source, ttl: 8 });
  await client.send(frame.make({ subscribe: subscription.make({ header, id: 1n }) }));
  client.received();
  const invite = async (destination: WireName, messageId: number): Promise<void> => {
    const session = {
      sessionType: sessionType.pointToPoint,
      messageType: messageType.joinRequest,
      sessionId: 7,
      messageId,
    };
    const address = { source, destination, session, fanout: fanout.one };
    const { publish } = composer.control(address, { joinRequest: invitation });
    const hops = slimHeader.make({ ...publish?.header, ttl: 8 });
    await client.send(frame.make({ publish: publish && { ...publish, header: hops } }));
  };
  return { client, invite };
}

describe('Responder', () => {
  it('answers each invitation to the session with the number of that one', async () => {
    const invited = await fabric.connect('org/ns/invited');
    const { client, invite } = await connectByHand('org/ns/inviting');
    // A native opener that found the name more than once invites as often (link cut meanwhile).
    for (const messageId of [11, 12, 12]) await invite(WireName.of(invited.name), messageId);
    const answers = client.received().map(({ publish }) => publish?.session);
    expect(answers).toMatchObject([
      { messageType: messageType.joinReply, messageId: 11 },
      { messageType: messageType.joinReply, messageId: 12 },
      { messageType: messageType.joinReply, messageId: 12 },
    ]);
  });
});
