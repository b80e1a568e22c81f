import { afterEach, describe, expect, it } from '@jest/globals';
import { sharedSecret, type SlimApp as App } from '@nestjs-slim/core';
import { SlimApp, SlimNode, http2Dialler } from '@nestjs-slim/platform-node';
import { freePort } from '../support/free-port.js';
import { NativePeer } from '../support/native-peer.js';
import { OfficialParty } from '../support/party.js';
import { firstChannel, firstSession, texts } from '../support/sessions.js';

const secret = 'interop-tests-share-this-secret-of-40-bytes';
const host = '127.0.0.1';
const limitMs = 30_000;
/** What a test opened, in the order it has to be closed. */
const opened: { stop(): Promise<void> }[] = [];

afterEach(async () => {
  for (const one of opened.splice(0).toReversed()) await one.stop();
});

const stopping = <Owner extends { close(): Promise<void> }>(owner: Owner): Owner => {
  opened.push({ stop: () => owner.close() });
  return owner;
};

const ourNode = async (port = 0): Promise<SlimNode> =>
  stopping(await SlimNode.start({ listen: { host, port } }));

const tls = { insecure: true };

/** An official node that dials these URLs as a replica, and passes on what replicas say. */
function officialNode(urls: readonly string[], port?: number): Promise<Official> {
  const clients = urls.map((endpoint) => ({ endpoint, connection_type: 'peer', tls }));
  return configuredNode({}, clients, port);
}

/** `service` is what the configuration says beside where to listen and whom to dial. */
async function configuredNode(
  service: object,
  clients: readonly object[],
  port?: number,
): Promise<Official> {
  const peer = await NativePeer.start();
  opened.push(peer);
  const at = port ?? (await freePort());
  const servers = [{ endpoint: `${host}:${at}`, tls }];
  await peer.startConfiguredNode({
    services: { 'slim/0': { ...service, dataplane: { servers, clients } } },
  });
  return { peer, port: at, url: `http://${host}:${at}` };
}

interface Official {
  readonly peer: NativePeer;
  readonly port: number;
  readonly url: string;
}

async function ourApp(name: string, { url = '' }: SlimNode): Promise<App> {
  return stopping(await SlimApp.connect({ name, identity: sharedSecret({ secret }), node: url }));
}

/** Settles once the node has so many links to other nodes. */
function peers(node: SlimNode, count: number): Promise<void> {
  const isThere = (): boolean =>
    node.snapshot().links.filter(({ kind }) => kind === 'peer').length === count;
  if (isThere()) return Promise.resolve();
  return new Promise((resolve) => {
    const stop = node.on('link', () => {
      // A link that was lost is listed until those who watch know.
      setImmediate(() => {
        if (!isThere()) return;
        stop();
        resolve();
      });
    });
  });
}

/** A message there and one back, in a session that each of the two opens in turn. */
async function talk(ours: App, official: NativePeer): Promise<void> {
  const accepted = official.accept();
  const session = await ours.openSession('org/ns/official');
  const native = await accepted;
  const received = official.receive(native, 1);
  await session.publish(Buffer.from('to official'));
  expect((await received).map(({ text }) => text)).toStrictEqual(['to official']);
  const back = texts(session, 1);
  await official.publish(native, 'to ours', { wait: true });
  expect((await back).map(({ text }) => text)).toStrictEqual(['to ours']);
  await session.close();

  const [invited, inviting] = await Promise.all([firstSession(ours), official.open('org/ns/ours')]);
  const heard = texts(invited, 1);
  await official.publish(inviting, 'again', { wait: true });
  expect((await heard).map(({ text }) => text)).toStrictEqual(['again']);
  await official.close(inviting);
}

const official = { name: 'org/ns/official', secret };
const nothingWrong = { ttl: 0, malformed: 0, 'header-mac': 0 };

const diallers = {
  'our node that dials the official one': async (ours: SlimNode) => {
    const node = await officialNode([]);
    await ours.connect(http2Dialler(node.url), { kind: 'peer' }).whenEstablished();
    return node;
  },
  'the official node that dials ours': async (ours: SlimNode) => {
    const linked = peers(ours, 1);
    const node = await officialNode([ours.url ?? '']);
    await linked;
    return node;
  },
};

describe.each(Object.keys(diallers) as (keyof typeof diallers)[])('%s, as a replica', (who) => {
  it.each(['before', 'after'])(
    'connects applications that were there %s the link, whoever begins',
    async (when) => {
      const node = await ourNode();
      const early = when === 'before' ? await ourApp('org/ns/ours', node) : undefined;
      const { url } = await diallers[who](node);
      const party = await OfficialParty.start({ url, ...official });
      opened.push(party);
      await talk(early ?? (await ourApp('org/ns/ours', node)), party.peer);
      expect(node.counters.dropped).toMatchObject(nothingWrong);
    },
    limitMs,
  );
});

describe('replicas of one deployment', () => {
  it.each([
    { dials: 'the official one', ours: 'zz', theirs: 'aa' },
    { dials: 'ours', ours: 'aa', theirs: 'zz' },
  ])(
    'are linked by $dials, which has the smaller node id',
    async ({ ours, theirs }) => {
      const [ourPort, theirPort] = [await freePort(), await freePort()];
      const node = stopping(
        await SlimNode.start({
          nodeId: ours,
          listen: { host, port: ourPort },
          peers: {
            deploymentName: 'shop',
            nodes: [{ nodeId: theirs, dialler: http2Dialler(`http://${host}:${theirPort}`) }],
          },
        }),
      );
      const linked = peers(node, 1);
      const entry = { node_id: ours, endpoint: `http://${host}:${ourPort}`, tls };
      const discovery = { type: 'static', peers: [entry] };
      const section = { deployment_name: 'shop', topology: 'full_mesh', discovery };
      const { peer } = await configuredNode({ node_id: theirs, peers: section }, [], theirPort);
      await linked;
      const smaller = ours < theirs ? ours : theirs;
      const larger = ours < theirs ? theirs : ours;
      const [link] = node.snapshot().links.filter(({ kind }) => kind === 'peer');
      expect(link).toMatchObject({ linkId: `${smaller}:${larger}`, peerNodeId: theirs });
      await peer.app(official);
      await talk(await ourApp('org/ns/ours', node), peer);
    },
    limitMs,
  );

  it(
    'refuse those of another one for good, in both directions',
    async () => {
      const node = stopping(
        await SlimNode.start({ listen: { host, port: 0 }, peers: { deploymentName: 'shop' } }),
      );
      const refused = new Promise<string>((resolve) => {
        node.on('refused', ({ reason }) => resolve(reason.message));
      });
      const itself = { node_id: 'other', endpoint: `http://${host}:1`, tls };
      const discovery = { type: 'static', peers: [itself] };
      const section = { deployment_name: 'bank', topology: 'full_mesh', discovery };
      const other = await configuredNode({ node_id: 'other', peers: section }, []);
      const link = node.connect(http2Dialler(other.url), { kind: 'peer' });
      await expect(link.whenEstablished()).rejects.toMatchObject({ code: 'refused' });
      expect(await refused).toMatch(/deployment_name mismatch/);

      const turnedAway = new Promise<string>((resolve) => {
        node.on('refused', ({ reason }) => resolve(reason.message));
      });
      await officialNode([node.url ?? '']);
      expect(await turnedAway).toBe('deployment_name mismatch');
    },
    limitMs,
  );
});

describe('three nodes in a row', () => {
  it(
    'with the official one in the middle connect applications at the ends',
    async () => {
      const [left, right] = [await ourNode(), await ourNode()];
      const linked = Promise.all([peers(left, 1), peers(right, 1)]);
      await officialNode([left.url ?? '', right.url ?? '']);
      await linked;
      const [near, far] = [await ourApp('org/ns/near', left), await ourApp('org/ns/far', right)];
      const [accepted, session] = await Promise.all([
        firstSession(far),
        near.openSession('org/ns/far'),
      ]);
      const received = texts(accepted, 1);
      await session.publish(Buffer.from('over three'));
      expect((await received).map(({ text }) => text)).toStrictEqual(['over three']);
    },
    limitMs,
  );

  it(
    'with ours in the middle connect official applications at the ends',
    async () => {
      const middle = await ourNode();
      const linked = peers(middle, 2);
      const left = await officialNode([middle.url ?? '']);
      const right = await officialNode([middle.url ?? '']);
      await linked;
      // On links, because official nodes confirm those only once their replicas did, and these theirs.
      const near = await OfficialParty.start({ url: left.url, name: 'org/ns/left', secret });
      opened.push(near);
      const far = await OfficialParty.start({ url: right.url, name: 'org/ns/right', secret });
      opened.push(far);
      const [accepted, session] = await Promise.all([
        far.peer.accept(),
        near.peer.open('org/ns/right'),
      ]);
      const received = far.peer.receive(accepted, 1);
      await near.peer.publish(session, 'over three', { wait: true });
      expect((await received).map(({ text }) => text)).toStrictEqual(['over three']);
      expect(middle.counters.dropped).toMatchObject(nothingWrong);
    },
    limitMs,
  );
});

describe('three nodes in a ring, one of them official', () => {
  it(
    'bring every message of a channel to every member, and nothing goes round',
    async () => {
      const [one, two] = [await ourNode(), await ourNode()];
      const linked = Promise.all([peers(one, 2), peers(two, 2)]);
      one.connect(http2Dialler(two.url ?? ''), { kind: 'peer' });
      const three = await officialNode([one.url ?? '', two.url ?? '']);
      await linked;
      await three.peer.app(official);
      const member = await ourApp('org/ns/member', two);
      const moderator = await ourApp('org/ns/moderator', one);
      const channel = await moderator.createChannel('org/ns/ring');
      const joined = firstChannel(member);
      await channel.invite('org/ns/member');
      const accepted = three.peer.accept();
      await channel.invite('org/ns/official');
      const [ours, native] = [await joined, await accepted];

      const received = [three.peer.receive(native, 20), texts(ours, 20)];
      for (let index = 0; index < 20; index += 1) await channel.publish(Buffer.from(`${index}`));
      const expected = Array.from({ length: 20 }, (_, index) => `${index}`);
      for (const messages of await Promise.all(received)) {
        expect(messages.map(({ text }) => text)).toStrictEqual(expected);
      }
      for (const node of [one, two]) expect(node.counters.dropped).toMatchObject(nothingWrong);
      await channel.close();
    },
    limitMs,
  );
});

describe('a replica that goes away and comes back', () => {
  it(
    'is linked again when it is the official one, and its applications are found again',
    async () => {
      const node = await ourNode();
      const ours = await ourApp('org/ns/ours', node);
      const before = await officialNode([]);
      const link = node.connect(http2Dialler(before.url), { kind: 'peer' });
      await link.whenEstablished();
      await before.peer.app(official);
      await talk(ours, before.peer);

      const gone = peers(node, 0);
      await before.peer.kill();
      await gone;
      expect(node.routes(100).map(({ name }) => name)).not.toContain('org/ns/official');
      const after = await officialNode([], before.port);
      await link.whenEstablished();
      await after.peer.app(official);
      await talk(ours, after.peer);
    },
    limitMs,
  );

  it(
    'is dialled again by the official one when it is ours, and its applications are found again',
    async () => {
      const before = await SlimNode.start({ listen: { host, port: 0 } });
      const { url = '' } = before;
      const ours = await ourApp('org/ns/ours', before);
      const linked = peers(before, 1);
      const { peer } = await officialNode([url]);
      await linked;
      await peer.app(official);
      await talk(ours, peer);

      await before.close();
      const after = await ourNode(Number(new URL(url).port));
      await peers(after, 1);
      await talk(ours, peer);
      expect(after.counters.dropped).toMatchObject(nothingWrong);
    },
    limitMs,
  );
});
