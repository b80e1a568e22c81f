import { beforeAll, describe, expect, it } from '@jest/globals';
import { nodeCrypto } from '../../../slim-platform-node/src/node-crypto.js';
import { loadNameHash } from '../names/name-hash.js';
import { publishTo, wireNameOf } from '../testing/frames.js';
import { fromHex } from '../testing/hex.js';
import { frame } from '../wire/frame.js';
import { slimVersion, subscriptionAck } from '../wire/header.js';
import { connectionType, linkNegotiation, type LinkNegotiation } from '../wire/link-message.js';
import type { MacFields } from './header-mac.js';
import { NegotiationRequest, answerNegotiation } from './negotiation.js';

beforeAll(loadNameHash);

const failed = expect.objectContaining({ code: 'negotiation-failed' });
const ack = frame.encode(frame.make({ subscriptionAck: subscriptionAck.make({ id: 1n }) }));

const encode = (fields: Partial<LinkNegotiation>): Uint8Array =>
  frame.encode(frame.make({ link: { negotiation: linkNegotiation.make(fields) } }));

function decode(bytes: Uint8Array): LinkNegotiation {
  const negotiation = frame.decode(bytes).link?.negotiation;
  if (!negotiation) throw new Error('not a negotiation');
  return negotiation;
}

const fields: MacFields = {
  source: undefined,
  destination: undefined,
  identity: 'token',
  fanout: 1,
  error: undefined,
  ttl: 8,
};

describe('answerNegotiation', () => {
  /** A good request, but for the given fields. */
  function answer(changes: Partial<LinkNegotiation>, requireHeaderMac: boolean) {
    const request = encode({
      linkId: 'link',
      slimVersion: '2.3.0',
      publicKey: nodeCrypto.agreementKey().publicKey,
      connectionType: connectionType.edge,
      nodeId: 'app',
      ...changes,
    });
    const { reply, negotiated } = answerNegotiation(nodeCrypto, request, {
      nodeId: 'node',
      requireHeaderMac,
    });
    return { reply: decode(reply), negotiated };
  }

  it('echoes link id and type, and adds its own version, node id and key', () => {
    const { reply, negotiated } = answer({}, true);
    expect(reply).toStrictEqual({
      linkId: 'link',
      slimVersion,
      isReply: true,
      publicKey: expect.any(Uint8Array),
      connectionType: connectionType.edge,
      nodeId: 'node',
      deploymentName: '',
      kemPayload: undefined,
    });
    expect(reply.publicKey).toHaveLength(32);
    expect(negotiated).toMatchObject({
      linkId: 'link',
      connectionType: connectionType.edge,
      peerNodeId: 'app',
      peerVersion: '2.3.0',
    });
  });

  it.each(['linkId', 'slimVersion', 'nodeId', 'deploymentName'] as const)(
    'keeps no %s of any length, and does not repeat it',
    (field) => {
      const long = field === 'slimVersion' ? `1.0.0-${'a'.repeat(2_000)}` : 'a'.repeat(2_000);
      const message = expect.stringMatching(/^.{0,100}2,?00\d characters, the limit is 1024$/);
      expect(() => answer({ [field]: long }, true)).toThrow(
        expect.objectContaining({ code: 'negotiation-failed', message }),
      );
    },
  );

  it('uses a new key for every link', () => {
    expect(answer({}, true).reply.publicKey).not.toStrictEqual(answer({}, true).reply.publicKey);
  });

  describe.each([true, false])('requiring header MACs: %p', (strict) => {
    it.each([
      { what: 'an empty link id', changes: { linkId: '' } },
      { what: 'no version', changes: { slimVersion: '' } },
      { what: 'a version of two numbers', changes: { slimVersion: '1.0' } },
      { what: 'a version with a v', changes: { slimVersion: 'v1.0.0' } },
      { what: 'a version with a leading zero', changes: { slimVersion: '1.02.0' } },
      { what: 'a reply', changes: { isReply: true } },
    ])('refuses $what', ({ changes }) => {
      expect(() => answer(changes, strict)).toThrow(failed);
    });

    it.each([
      { what: 'another message', bytes: ack },
      { what: 'an empty frame', bytes: new Uint8Array() },
      { what: 'a link message with nothing in it', bytes: fromHex('2a00') },
      { what: 'bytes that are no protobuf', bytes: fromHex('ffff') },
    ])('refuses $what as the first frame', ({ bytes }) => {
      const policy = { nodeId: 'node', requireHeaderMac: strict };
      expect(() => answerNegotiation(nodeCrypto, bytes, policy)).toThrow(failed);
    });

    it.each([
      { what: 'any text as link id', changes: { linkId: 'aa:zz ü' } },
      { what: 'any version', changes: { slimVersion: '0.0.0' } },
      { what: 'a pre-release', changes: { slimVersion: '2.0.0-alpha.8+build.01' } },
      { what: 'an empty node id', changes: { nodeId: '' } },
      { what: 'a deployment name', changes: { deploymentName: 'production' } },
      { what: 'a KEM key of a wrong length', changes: { kemPayload: new Uint8Array(7) } },
      { what: 'a KEM key, which is left unused', changes: { kemPayload: new Uint8Array(1184) } },
    ])('accepts $what', ({ changes }) => {
      const { reply, negotiated } = answer(changes, strict);
      expect(reply).toMatchObject({ linkId: negotiated.linkId, isReply: true });
      expect(reply.kemPayload).toBeUndefined();
      expect(negotiated.mac).toBeDefined();
    });

    it('accepts a connection type of a later version as remote, and says so', () => {
      const { reply, negotiated } = answer({ connectionType: 9 }, strict);
      expect([reply.connectionType, negotiated.connectionType]).toStrictEqual([
        connectionType.remote,
        connectionType.remote,
      ]);
    });
  });

  const unusable = [
    { what: 'no key', publicKey: new Uint8Array() },
    { what: 'a key of 31 bytes', publicKey: new Uint8Array(31).fill(9) },
    { what: 'a key of 33 bytes', publicKey: new Uint8Array(33).fill(9) },
    { what: 'a key of low order', publicKey: new Uint8Array(32) },
  ];

  it.each(unusable)('refuses $what where header MACs are required', ({ publicKey }) => {
    expect(() => answer({ publicKey }, true)).toThrow(failed);
  });

  it.each(unusable)('accepts $what elsewhere, without a key of its own', ({ publicKey }) => {
    const { reply, negotiated } = answer({ publicKey }, false);
    expect(reply.publicKey).toHaveLength(0);
    expect(negotiated.mac).toBeUndefined();
  });
});

describe('NegotiationRequest', () => {
  const request = () => new NegotiationRequest(nodeCrypto, 'link', 'app', connectionType.edge);

  const reply: Partial<LinkNegotiation> = {
    linkId: 'link',
    slimVersion: '2.0.0-alpha.8',
    isReply: true,
    publicKey: nodeCrypto.agreementKey().publicKey,
    connectionType: connectionType.edge,
    nodeId: 'node',
  };

  it('asks with its link id, version, type, node id and key', () => {
    expect(decode(request().frame)).toMatchObject({
      linkId: 'link',
      slimVersion,
      isReply: false,
      connectionType: connectionType.edge,
      nodeId: 'app',
      deploymentName: '',
      kemPayload: undefined,
    });
    expect(decode(request().frame).publicKey).toHaveLength(32);
  });

  it('keeps the link id and changes the key when a link is dialled again', () => {
    const [first, second] = [decode(request().frame), decode(request().frame)];
    expect(first.linkId).toBe(second.linkId);
    expect(first.publicKey).not.toStrictEqual(second.publicKey);
  });

  it('agrees with the accepting side on one key', () => {
    const dialler = request();
    const policy = { nodeId: 'node', requireHeaderMac: true };
    const accepted = answerNegotiation(nodeCrypto, dialler.frame, policy);
    const dialled = dialler.complete(accepted.reply);
    const tag = dialled.mac?.tag(fields);
    expect(accepted.negotiated.mac?.verify(fields, tag)).toBe(true);
    expect(dialled).toMatchObject({ linkId: 'link', peerNodeId: 'node', peerVersion: slimVersion });
  });

  it.each([
    { what: 'another link id', changes: { linkId: 'other' } },
    { what: 'no key', changes: { publicKey: new Uint8Array() } },
    { what: 'a key of 31 bytes', changes: { publicKey: new Uint8Array(31).fill(9) } },
    { what: 'a key of low order', changes: { publicKey: new Uint8Array(32) } },
    { what: 'a request', changes: { isReply: false } },
    { what: 'a version that is none', changes: { slimVersion: '2.0' } },
  ])('refuses a reply with $what', ({ changes }) => {
    expect(() => request().complete(encode({ ...reply, ...changes }))).toThrow(failed);
  });

  it.each([
    { what: 'an acknowledgement', bytes: () => ack },
    { what: 'a publish', bytes: () => frame.encode(publishTo(wireNameOf('org/ns/app'))) },
    { what: 'bytes that are no protobuf', bytes: () => fromHex('ff') },
  ])('refuses $what in place of the reply', ({ bytes }) => {
    expect(() => request().complete(bytes())).toThrow(failed);
  });

  it('takes a reply without node id', () => {
    expect(request().complete(encode({ ...reply, nodeId: '' }))).toMatchObject({ peerNodeId: '' });
  });

  it('names what it expected and what it got', () => {
    expect(() => request().complete(encode({ ...reply, linkId: 'other' }))).toThrow(
      'link negotiation: expected the link id link, got "other"',
    );
  });
});
