import { beforeAll, describe, expect, it } from '@jest/globals';
import { nodeCrypto } from '../../../slim-platform-node/src/node-crypto.js';
import type { SlimError } from '../errors/slim-error.js';
import { loadNameHash } from '../names/name-hash.js';
import { nameId } from '../names/name-id.js';
import { RoutingNode } from '../routing/routing-node.js';
import { wireNameOf } from '../testing/frames.js';
import { ManualClock } from '../testing/manual-clock.js';
import { NodeClient } from '../testing/node-client.js';
import { turns } from '../testing/turns.js';
import type { Frame } from '../wire/frame.js';
import { slimHeader, subscription, subscriptionAck } from '../wire/header.js';
import { Subscriptions } from './subscriptions.js';

beforeAll(loadNameHash);

/** An application's names and the node they are subscribed at. */
function setup() {
  const clock = new ManualClock();
  const node = new RoutingNode({ crypto: nodeCrypto, clock, nodeId: 'node' });
  const link = { client: NodeClient.connectLocal(node), isDown: false };
  const sent: Frame[] = [];
  let lastId = 0n;
  const own = wireNameOf('org/ns/agent').withId(nameId(1n));
  const subscriptions = new Subscriptions(
    {
      clock,
      newId: () => (lastId += 1n),
      token: () => `token ${sent.length}`,
      send: (message) => {
        sent.push(message);
        // What is sent without a link is lost; completing the header is the uplink's part.
        if (!link.isDown) void link.client.send(withTtl(message));
      },
    },
    own,
  );
  const log: string[] = [];
  /** Writes down how a promise ends. */
  const note = (what: string, promise: Promise<void>): void => {
    promise.then(
      () => log.push(`${what} done`),
      (reason: SlimError) => log.push(`${what} ${reason.code}`),
    );
  };
  /** Lets the acknowledgements come, and returns the log since the last call. */
  const events = async (): Promise<string[]> => {
    for (let round = 0; round < 3; round += 1) {
      await turns();
      for (const { subscriptionAck: ack } of link.client.received()) {
        if (ack) subscriptions.acknowledged(ack);
      }
    }
    await turns();
    return log.splice(0);
  };
  const reconnect = async (): Promise<void> => {
    await link.client.probe.link.close();
    subscriptions.interrupt();
    link.client = NodeClient.connectLocal(node);
  };
  return { clock, node, link, own, sent, subscriptions, note, events, reconnect };
}

function withTtl({ subscribe, unsubscribe, ...rest }: Frame): Frame {
  const complete = (body: typeof subscribe): typeof subscribe =>
    body && subscription.make({ ...body, header: slimHeader.make({ ...body.header, ttl: 8 }) });
  return { ...rest, subscribe: complete(subscribe), unsubscribe: complete(unsubscribe) };
}

const idsOf = (messages: readonly Frame[]) =>
  messages.map(({ subscribe, unsubscribe }) => (subscribe ?? unsubscribe)?.id);

describe('Subscriptions', () => {
  it('subscribes a name with the own name and token, and waits for the node', async () => {
    const { clock, node, own, sent, subscriptions, note, events } = setup();
    note('add', subscriptions.add(own));
    expect(sent).toMatchObject([
      {
        subscribe: {
          id: 1n,
          header: { source: own, destination: own, identity: 'token 0', fanout: 1 },
        },
      },
    ]);
    expect(await events()).toStrictEqual(['add done']);
    expect(node.counters.subscriptions).toBe(1);
    expect(clock.pending).toBe(0);
  });

  it('leaves the token out for the names of channels', () => {
    const { subscriptions, sent, note } = setup();
    note('add', subscriptions.add(wireNameOf('org/ns/room'), 'channel'));
    expect(sent[0]?.subscribe?.header?.identity).toBe('');
  });

  it('takes a subscription back under its id', async () => {
    const { clock, node, own, sent, subscriptions, note, events } = setup();
    note('add', subscriptions.add(own));
    await events();
    note('remove', subscriptions.remove(own));
    expect(await events()).toStrictEqual(['remove done']);
    expect(idsOf(sent)).toStrictEqual([1n, 1n]);
    expect(node.counters.subscriptions).toBe(0);
    expect(clock.pending).toBe(0);
  });

  it('has nothing to do for a name that is not subscribed', async () => {
    const { own, sent, subscriptions } = setup();
    await subscriptions.remove(own);
    expect(sent).toStrictEqual([]);
  });

  it('is rid of a name that was subscribed twice when it is taken back once', async () => {
    const { node, own, subscriptions, note, events } = setup();
    for (const what of ['add', 'add again']) {
      note(what, subscriptions.add(own));
      await events();
    }
    note('remove', subscriptions.remove(own));
    expect(await events()).toStrictEqual(['remove done']);
    expect(node.counters.subscriptions).toBe(0);
  });

  it('may be asked for the same name several times at once, and for its end too', async () => {
    const { clock, node, own, subscriptions, note, events } = setup();
    note('add', subscriptions.add(own));
    note('add again', subscriptions.add(own));
    note('remove', subscriptions.remove(own));
    expect((await events()).toSorted()).toStrictEqual([
      'add again done',
      'add done',
      'remove done',
    ]);
    expect(node.counters.subscriptions).toBe(0);
    expect(clock.pending).toBe(0);
  });

  it('can be asked again for a name that the node refused before', async () => {
    const { link, node, own, subscriptions, note, events } = setup();
    link.isDown = true;
    note('add', subscriptions.add(own));
    subscriptions.acknowledged(subscriptionAck.make({ id: 1n, error: 'table full' }));
    link.isDown = false;
    note('add again', subscriptions.add(own));
    expect(await events()).toStrictEqual(['add link-failed', 'add again done']);
    expect(node.counters.subscriptions).toBe(1);
  });

  it('knows the names it is found under by their three components', () => {
    const { own, subscriptions, note } = setup();
    note('add', subscriptions.add(own));
    note('add', subscriptions.add(wireNameOf('org/ns/room'), 'channel'));
    expect(subscriptions.owns(own)).toBe(true);
    expect(subscriptions.owns(wireNameOf('org/ns/agent'))).toBe(true);
    expect(subscriptions.owns(wireNameOf('org/ns/other'))).toBe(false);
    expect(subscriptions.owns(wireNameOf('org/ns/room'))).toBe(false);
  });
});

describe('a confirmation', () => {
  it('has ten seconds to come', async () => {
    const { clock, link, own, subscriptions, note, events } = setup();
    link.isDown = true;
    note('add', subscriptions.add(own));
    clock.advance(9_999);
    expect(await events()).toStrictEqual([]);
    clock.advance(1);
    expect(await events()).toStrictEqual(['add timeout']);
    expect(clock.pending).toBe(0);
  });

  it('that says no fails with what the node said', async () => {
    const { clock, link, own, subscriptions } = setup();
    link.isDown = true;
    const added = subscriptions.add(own);
    subscriptions.acknowledged(subscriptionAck.make({ id: 1n, error: 'table full' }));
    await expect(added).rejects.toMatchObject({
      code: 'link-failed',
      message: `subscribe "${own.text}": table full`,
    });
    expect(clock.pending).toBe(0);
  });

  it('that nobody waits for is ignored', async () => {
    const { own, subscriptions, note, events } = setup();
    note('add', subscriptions.add(own));
    subscriptions.acknowledged(subscriptionAck.make({ id: 99n, success: true }));
    subscriptions.acknowledged(subscriptionAck.make({ id: 1n, success: true }));
    subscriptions.acknowledged(subscriptionAck.make({ id: 1n, error: 'too late' }));
    expect(await events()).toStrictEqual(['add done']);
  });
});

describe('a link that is replaced', () => {
  it('ends the wait for what the old one cannot bring any more', async () => {
    const { clock, own, subscriptions, note, events, reconnect } = setup();
    note('add', subscriptions.add(own));
    await reconnect();
    expect(await events()).toStrictEqual(['add link-closed']);
    expect(clock.pending).toBe(0);
  });

  it('gets every name that is subscribed, under ids that were never used', async () => {
    const { clock, node, own, sent, subscriptions, note, events, reconnect } = setup();
    const room = wireNameOf('org/ns/room');
    note('add', subscriptions.add(own));
    note('add', subscriptions.add(room, 'channel'));
    note('add', subscriptions.add(wireNameOf('org/ns/gone')));
    await events();
    note('remove', subscriptions.remove(wireNameOf('org/ns/gone')));
    await events();
    sent.splice(0);

    await reconnect();
    await turns();
    expect(node.counters.subscriptions).toBe(0);
    note('renew', subscriptions.renew());
    expect(await events()).toStrictEqual(['renew done']);
    expect(idsOf(sent)).toStrictEqual([4n, 5n]);
    expect(sent.map(({ subscribe }) => subscribe?.header?.identity)).toStrictEqual(['token 0', '']);
    expect(node.counters.subscriptions).toBe(2);
    expect(clock.pending).toBe(0);
  });

  it('gets a name taken back under the id of its last subscription', async () => {
    const { node, own, subscriptions, note, events, reconnect } = setup();
    note('add', subscriptions.add(own));
    await events();
    await reconnect();
    note('renew', subscriptions.renew());
    await events();
    note('remove', subscriptions.remove(own));
    expect(await events()).toStrictEqual(['remove done']);
    expect(node.counters.subscriptions).toBe(0);
  });
});
