import { beforeAll, describe, expect, it } from '@jest/globals';
import { nodeCrypto } from '../../../slim-platform-node/src/node-crypto.js';
import { SlimError } from '../errors/slim-error.js';
import { maxFrameBytes, type Link, type LinkDialler, type LinkEvents } from '../link/link.js';
import { memoryLinkPair } from '../link/memory-link.js';
import { answerNegotiation, negotiationTimeoutMs, type Negotiated } from '../link/negotiation.js';
import { loadNameHash } from '../names/name-hash.js';
import { publishTo, subscribeTo, unsubscribeFrom, wireNameOf } from '../testing/frames.js';
import { fromHex } from '../testing/hex.js';
import { LinkProbe } from '../testing/link-probe.js';
import { ManualClock } from '../testing/manual-clock.js';
import { turns } from '../testing/turns.js';
import { frame, type Frame } from '../wire/frame.js';
import { initialTtl, slimVersion, subscriptionAck } from '../wire/header.js';
import { connectionType } from '../wire/link-message.js';
import { Uplink, type UplinkOptions } from './uplink.js';

beforeAll(loadNameHash);

const backoff = { firstMs: 100, maxMs: 1_000 };
/** Longer than any pause before a dial. */
const longEnoughMs = 1_000;

/** The node's end of one link that was dialled. */
class Accepted {
  readonly probe: LinkProbe;
  negotiated: Negotiated | undefined;

  constructor(link: Link) {
    this.probe = new LinkProbe(link);
  }

  /** Answers the request that came first. */
  async answer(): Promise<void> {
    await turns();
    const request = this.probe.frames.shift() ?? new Uint8Array();
    const policy = { nodeId: 'node', requireHeaderMac: true };
    const { reply, negotiated } = answerNegotiation(nodeCrypto, request, policy);
    this.negotiated = negotiated;
    await this.send(reply);
  }

  async send(bytes: Uint8Array): Promise<void> {
    this.probe.link.send(bytes);
    await turns();
  }

  /** What came since the last call. */
  received(): Frame[] {
    return this.probe.frames.splice(0).map((bytes) => frame.decode(bytes));
  }
}

function setup(changes: Partial<UplinkOptions> = {}) {
  const clock = new ManualClock();
  const accepted: Accepted[] = [];
  const dialler: LinkDialler = {
    target: 'node-1',
    dial: async () => {
      const [near, far] = memoryLinkPair();
      accepted.push(new Accepted(far));
      return near;
    },
  };
  const log: string[] = [];
  const messages: Frame[] = [];
  const options = {
    crypto: nodeCrypto,
    clock,
    diallers: [dialler],
    local: false,
    linkId: 'the link',
    nodeId: 'the app',
    backoff,
    ...changes,
  };
  const uplink = new Uplink(options, {
    received: (message) => messages.push(message),
    dropped: ({ code }) => log.push(`dropped ${code}`),
    status: (status, reason) => log.push(reason ? `${status} ${reason.code}` : status),
  });
  /** Writes down how a promise ends. */
  const note = (what: string, promise: Promise<void>): void => {
    promise.then(
      () => log.push(`${what} done`),
      (reason: SlimError) => log.push(`${what} ${reason.code}`),
    );
  };
  /** The log since the last call, once everything that is due has happened. */
  const events = async (): Promise<string[]> => {
    await turns();
    return log.splice(0);
  };
  const node = (index = 0): Accepted => {
    const found = accepted.at(index);
    if (!found) throw new Error(`link ${index} was not dialled`);
    return found;
  };
  const connect = async (): Promise<void> => {
    const connected = uplink.connect();
    await turns();
    await node().answer();
    await connected;
    log.splice(0);
  };
  return { clock, uplink, dialler, accepted, node, connect, messages, note, events };
}

/** A dialler that nobody answers. */
const refusing = (target: string): LinkDialler => ({
  target,
  dial: async () => {
    throw new SlimError('link-failed', 'connection refused');
  },
});

function requestOf(accepted: Accepted) {
  const negotiation = accepted.received()[0]?.link?.negotiation;
  if (!negotiation) throw new Error('no negotiation came');
  return negotiation;
}

describe('connecting', () => {
  it('negotiates an edge link and is then connected', async () => {
    const { uplink, clock, node, note, events } = setup();
    note('connect', uplink.connect());
    expect(await events()).toStrictEqual([]);
    expect(uplink.isConnected).toBe(false);
    await node().answer();
    expect(await events()).toStrictEqual(['connected', 'connect done']);
    expect([uplink.isConnected, uplink.isWritable]).toStrictEqual([true, true]);
    expect(node().negotiated).toMatchObject({
      linkId: 'the link',
      peerNodeId: 'the app',
      connectionType: connectionType.edge,
    });
    expect(clock.pending).toBe(0);
  });

  it('gives a node five seconds to answer', async () => {
    const { uplink, clock, node, note, events } = setup();
    note('connect', uplink.connect());
    await turns();
    clock.advance(negotiationTimeoutMs - 1);
    expect(await events()).toStrictEqual([]);
    clock.advance(1);
    expect(await events()).toStrictEqual(['connect negotiation-failed']);
    expect(node().probe.ends).toHaveLength(1);
    expect(clock.pending).toBe(0);
  });

  it.each([
    { what: 'noise', bytes: () => fromHex('ff') },
    { what: 'an acknowledgement', bytes: () => frame.encode(ackOf(1n)) },
    { what: 'the request', bytes: (request: Uint8Array) => request },
  ])('fails when $what comes in place of the answer, and ends the link', async ({ bytes }) => {
    const { uplink, clock, node, note, events } = setup();
    note('connect', uplink.connect());
    await turns();
    await node().send(bytes(node().probe.frames[0] ?? new Uint8Array()));
    expect(await events()).toStrictEqual(['connect negotiation-failed']);
    expect(node().probe.ends).toHaveLength(1);
    expect(clock.pending).toBe(0);
  });

  it('fails when the node ends the link before it answered', async () => {
    const { uplink, clock, node, note, events } = setup();
    note('connect', uplink.connect());
    await turns();
    await node().probe.link.close();
    expect(await events()).toStrictEqual(['connect negotiation-failed']);
    expect(clock.pending).toBe(0);
  });

  it('tries the nodes in turn and takes the first that answers', async () => {
    const { dialler } = setup();
    const asked: string[] = [];
    const busy: LinkDialler = {
      target: 'node-0',
      dial: async (signal) => {
        asked.push('node-0');
        return refusing('node-0').dial(signal);
      },
    };
    const { uplink } = setup({ diallers: [busy, dialler], local: true });
    await uplink.connect();
    expect(asked).toStrictEqual(['node-0']);
    expect(uplink.isConnected).toBe(true);
  });

  it('fails with what the last node said when none answers', async () => {
    const { uplink } = setup({ diallers: [refusing('node-0'), refusing('node-1')] });
    await expect(uplink.connect()).rejects.toMatchObject({
      code: 'link-failed',
      message: 'connection refused',
    });
  });

  it('names the node when a dialler fails with an error of its own', async () => {
    const dial = async (): Promise<Link> => {
      throw new Error('ECONNREFUSED');
    };
    const { uplink } = setup({ diallers: [{ target: 'node-1', dial }] });
    await expect(uplink.connect()).rejects.toMatchObject({
      code: 'link-failed',
      message: 'node-1: ECONNREFUSED',
    });
  });

  it('needs at least one node', async () => {
    const { uplink } = setup({ diallers: [] });
    await expect(uplink.connect()).rejects.toMatchObject({ code: 'invalid-config' });
  });

  it('stops when its signal fires, and ends the link', async () => {
    const { uplink, clock, node, note, events } = setup();
    const abort = new AbortController();
    note('connect', uplink.connect(abort.signal));
    await turns();
    abort.abort(new Error('no more patience'));
    expect(await events()).toStrictEqual(['connect aborted']);
    expect(node().probe.ends).toHaveLength(1);
    expect(clock.pending).toBe(0);
  });

  it('negotiates nothing with a node in the same process', async () => {
    const { uplink, node } = setup({ local: true });
    await uplink.connect();
    expect(uplink.isConnected).toBe(true);
    expect(node().received()).toStrictEqual([]);
  });
});

const ackOf = (id: bigint): Frame =>
  frame.make({ subscriptionAck: subscriptionAck.make({ id, success: true }) });

describe('sending', () => {
  it('completes and signs the header of every message that has one', async () => {
    const { uplink, connect, node } = setup();
    await connect();
    const name = wireNameOf('org/ns/agent');
    const header = { ttl: 99, version: '', headerMac: fromHex('00') };
    uplink.send(publishTo(name, header));
    uplink.send(subscribeTo(name, 1n, header));
    uplink.send(unsubscribeFrom(name, 1n, header));
    await turns();
    const headers = node()
      .received()
      .map(({ publish, subscribe, unsubscribe }) => (publish ?? subscribe ?? unsubscribe)?.header);
    expect(headers).toHaveLength(3);
    for (const sent of headers) {
      expect(sent).toMatchObject({ ttl: initialTtl, version: slimVersion, identity: 'token' });
      expect(sent && node().negotiated?.mac?.verify(sent, sent.headerMac)).toBe(true);
    }
  });

  it('leaves out the tag towards a node in the same process', async () => {
    const { uplink, node } = setup({ local: true });
    await uplink.connect();
    uplink.send(publishTo(wireNameOf('org/ns/agent')));
    await turns();
    expect(node().received()[0]?.publish?.header?.headerMac).toBeUndefined();
  });

  it('loses messages without a word while there is no link', async () => {
    const { uplink, connect, node, events } = setup();
    uplink.send(publishTo(wireNameOf('org/ns/agent')));
    await connect();
    expect(node().received()).toStrictEqual([]);
    expect(await events()).toStrictEqual([]);
  });

  it('refuses a message that is too large for a link, with some room for the nodes', async () => {
    const { uplink, connect, node } = setup();
    const message = publishTo(wireNameOf('org/ns/agent'));
    const sized = (length: number): Frame => {
      const application = { payloadType: 'msg', blob: new Uint8Array(length) };
      const publish = message.publish && {
        ...message.publish,
        content: { application, command: undefined },
      };
      return { ...message, publish };
    };
    const tooLarge = expect.objectContaining({ code: 'message-too-large' });
    expect(() => uplink.send(sized(maxFrameBytes))).toThrow(tooLarge);
    await connect();
    expect(() => uplink.send(sized(maxFrameBytes - 128))).toThrow(tooLarge);
    uplink.send(sized(maxFrameBytes - 1_024));
    await turns();
    expect(node().received()).toHaveLength(1);
  });
});

describe('receiving', () => {
  it('hands on messages with the right tag, and acknowledgements, which have none', async () => {
    const { connect, node, messages, events } = setup();
    await connect();
    const { publish } = publishTo(wireNameOf('org/ns/agent'));
    const header = publish?.header;
    const headerMac = header && node().negotiated?.mac?.tag(header);
    const signed = publish && header && { ...publish, header: { ...header, headerMac } };
    await node().send(frame.encode(frame.make({ publish: signed })));
    await node().send(frame.encode(ackOf(7n)));
    expect(messages).toMatchObject([
      { publish: { header: { identity: 'token' } } },
      { subscriptionAck: { id: 7n } },
    ]);
    expect(await events()).toStrictEqual([]);
  });

  it.each([
    { what: 'a tag that is wrong', headerMac: new Uint8Array(32) },
    { what: 'a tag that is cut', headerMac: new Uint8Array(5) },
    { what: 'no tag', headerMac: undefined },
  ])('drops a message with $what, and only that one', async ({ headerMac }) => {
    const { connect, node, messages, events } = setup();
    await connect();
    const name = wireNameOf('org/ns/agent');
    await node().send(frame.encode(publishTo(name, headerMac ? { headerMac } : {})));
    await node().send(frame.encode(ackOf(7n)));
    expect(await events()).toStrictEqual(['dropped malformed-frame']);
    expect(messages).toHaveLength(1);
  });

  it('drops bytes that are no message, and goes on', async () => {
    const { connect, node, messages, events } = setup();
    await connect();
    await node().send(fromHex('ffff'));
    await node().send(frame.encode(ackOf(7n)));
    expect(await events()).toStrictEqual(['dropped malformed-frame']);
    expect(messages).toHaveLength(1);
  });
});

describe('a link that is lost', () => {
  it('is dialled again under the same id with a new key', async () => {
    const { clock, uplink, node, note, events } = setup();
    note('connect', uplink.connect());
    await turns();
    const first = requestOf(node());
    await node().probe.link.close();
    await events();

    // This first one never was established, so it is not dialled again by itself.
    note('connect', uplink.connect());
    await turns();
    await node(1).answer();
    await node(1).probe.link.close();
    expect(await events()).toStrictEqual(['connected', 'connect done', 'reconnecting']);
    expect(uplink.isConnected).toBe(false);
    clock.advance(longEnoughMs);
    await turns();
    const again = requestOf(node(2));
    expect(again.linkId).toBe(first.linkId);
    expect(again.publicKey).not.toStrictEqual(first.publicKey);
  });

  it('is connected again once the node answers, and signs with the new key', async () => {
    const { clock, uplink, connect, node, events } = setup();
    await connect();
    node().probe.link.destroy(new SlimError('link-failed', 'reset'));
    await turns();
    clock.advance(longEnoughMs);
    await turns();
    await node(1).answer();
    expect(await events()).toStrictEqual(['reconnecting', 'connected']);
    uplink.send(publishTo(wireNameOf('org/ns/agent')));
    await turns();
    const header = node(1).received()[0]?.publish?.header;
    expect(header && node(1).negotiated?.mac?.verify(header, header.headerMac)).toBe(true);
    expect(clock.pending).toBe(0);
  });

  it('waits longer from one attempt to the next, up to a limit', async () => {
    let isDown = false;
    const crypto = { ...nodeCrypto, random: (length: number) => new Uint8Array(length).fill(255) };
    const { dialler, node } = setup();
    const dials: number[] = [];
    const flaky: LinkDialler = {
      target: 'node-1',
      dial: async (signal) => {
        dials.push(clock.now());
        return isDown ? refusing('node-1').dial(signal) : dialler.dial(signal);
      },
    };
    const { clock, uplink, events } = setup({ diallers: [flaky], local: true, crypto });
    await uplink.connect();
    isDown = true;
    const lostAt = clock.now();
    await node().probe.link.close();
    await events();
    for (let step = 0; step < 60; step += 1) {
      clock.advance(50);
      await turns();
    }
    const pauses = dials.slice(1).map((at, index) => at - (dials[index] ?? 0));
    expect(dials[0]).toBe(lostAt);
    expect(pauses).toStrictEqual([100, 200, 400, 800, 1_000]);
    expect(new Set(await events())).toStrictEqual(new Set(['reconnecting link-failed']));
  });

  it('waits longer also when it is lost as soon as it is there, until it lasts', async () => {
    const crypto = { ...nodeCrypto, random: (length: number) => new Uint8Array(length).fill(255) };
    const { clock, uplink, node, note } = setup({ local: true, crypto });
    note('connect', uplink.connect());
    await turns();
    const pauses: number[] = [];
    for (const lastsMs of [0, 0, 0, 1_001]) {
      clock.advance(lastsMs);
      await node(-1).probe.link.close();
      await turns();
      const lostAtMs = clock.now();
      while (!uplink.isConnected) {
        clock.advance(50);
        await turns();
      }
      pauses.push(clock.now() - lostAtMs);
    }
    expect(pauses).toStrictEqual([100, 200, 400, 100]);
  });

  it('is dialled once more when the node did not negotiate in time', async () => {
    const { clock, connect, node, events } = setup();
    await connect();
    await node().probe.link.close();
    await turns();
    clock.advance(longEnoughMs);
    await turns();
    clock.advance(negotiationTimeoutMs);
    await turns();
    clock.advance(longEnoughMs);
    await turns();
    await node(2).answer();
    expect(await events()).toStrictEqual([
      'reconnecting',
      'reconnecting negotiation-failed',
      'connected',
    ]);
  });

  it('changes nothing when it was replaced and still has something to say', async () => {
    const { accepted, dialler } = setup();
    const owners: LinkEvents[] = [];
    const talkative: LinkDialler = {
      target: 'node-1',
      dial: async (signal) => {
        const link = await dialler.dial(signal);
        const open = link.open.bind(link);
        return Object.assign(link, {
          open: (events: LinkEvents) => {
            owners.push(events);
            open(events);
          },
        });
      },
    };
    const { clock, uplink, events } = setup({ diallers: [talkative], local: true });
    await uplink.connect();
    await accepted[0]?.probe.link.close();
    await turns();
    clock.advance(longEnoughMs);
    expect(await events()).toStrictEqual(['connected', 'reconnecting', 'connected']);
    owners[0]?.drained();
    owners[0]?.closed(new SlimError('link-failed', 'late'));
    expect(await events()).toStrictEqual([]);
    expect(uplink.isConnected).toBe(true);
    expect(clock.pending).toBe(0);
  });
});

describe('a link that is full', () => {
  async function full() {
    const parts = setup();
    await parts.connect();
    parts.node().probe.link.pause();
    while (parts.uplink.isWritable) parts.uplink.send(publishTo(wireNameOf('org/ns/agent')));
    return parts;
  }

  it('wakes writers when it drains', async () => {
    const { uplink, node, note, events } = await full();
    note('writer', uplink.whenWritable());
    expect(await events()).toStrictEqual([]);
    node().probe.link.resume();
    expect(await events()).toStrictEqual(['writer done']);
    expect(uplink.isWritable).toBe(true);
  });

  it('lets a writer give up', async () => {
    const { uplink, node, note, events } = await full();
    const abort = new AbortController();
    note('writer', uplink.whenWritable(abort.signal));
    note('late writer', uplink.whenWritable(AbortSignal.abort(new Error('too late'))));
    abort.abort(new Error('too slow'));
    expect((await events()).toSorted()).toStrictEqual(['late writer aborted', 'writer aborted']);
    node().probe.link.resume();
    expect(await events()).toStrictEqual([]);
  });

  it('wakes writers when another link has taken its place', async () => {
    const { clock, uplink, node, note, events } = await full();
    note('writer', uplink.whenWritable());
    node().probe.link.destroy(new SlimError('link-failed', 'reset'));
    await turns();
    clock.advance(longEnoughMs);
    await turns();
    await node(1).answer();
    expect(await events()).toStrictEqual(['reconnecting', 'connected', 'writer done']);
  });

  it('rejects writers when it is closed', async () => {
    const { uplink, note, events } = await full();
    note('writer', uplink.whenWritable());
    await uplink.close();
    expect(await events()).toStrictEqual(['writer link-closed', 'closed']);
    await expect(uplink.whenWritable()).rejects.toMatchObject({ code: 'link-closed' });
  });
});

describe('close', () => {
  it('ends the link in order, and may be called twice', async () => {
    const { clock, uplink, connect, node, events } = setup();
    await connect();
    uplink.send(publishTo(wireNameOf('org/ns/agent')));
    await Promise.all([uplink.close(), uplink.close()]);
    await uplink.close();
    expect(await events()).toStrictEqual(['closed']);
    expect(node().received()).toHaveLength(1);
    expect(node().probe.ends).toStrictEqual([undefined]);
    expect(uplink.isConnected).toBe(false);
    clock.advance(longEnoughMs);
    await turns();
    expect(clock.pending).toBe(0);
  });

  it('gives up connecting', async () => {
    const { clock, uplink, node, note, events } = setup();
    note('connect', uplink.connect());
    await turns();
    await uplink.close();
    expect((await events()).toSorted()).toStrictEqual(['closed', 'connect link-closed']);
    expect(node().probe.ends).toHaveLength(1);
    expect(clock.pending).toBe(0);
  });

  it('gives up waiting for the next attempt', async () => {
    const { clock, uplink, accepted, connect, node, events } = setup();
    await connect();
    await node().probe.link.close();
    await turns();
    await uplink.close();
    expect(await events()).toStrictEqual(['reconnecting', 'closed']);
    clock.advance(longEnoughMs);
    await turns();
    expect(accepted.every(({ probe }) => probe.ends.length === 1)).toBe(true);
    expect(clock.pending).toBe(0);
  });

  it('ends a link that is dialled at that moment, whatever the dialler makes of its signal', async () => {
    const { dialler, accepted } = setup();
    let answer: () => void = () => undefined;
    const slow: LinkDialler = {
      target: 'node-1',
      dial: async (signal) => {
        await new Promise<void>((resolve) => (answer = resolve));
        return dialler.dial(signal);
      },
    };
    const { clock, uplink, note, events } = setup({ diallers: [slow] });
    note('connect', uplink.connect());
    await turns();
    await uplink.close();
    answer();
    expect(await events()).toStrictEqual(['closed', 'connect link-closed']);
    expect(accepted[0]?.probe.ends).toHaveLength(1);
    expect(uplink.isConnected).toBe(false);
    expect(clock.pending).toBe(0);
  });
});
