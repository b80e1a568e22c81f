import { describe, expect, it } from '@jest/globals';
import { HeaderMac } from '../../libs/slim-core/src/link/header-mac.js';
import {
  NegotiationRequest,
  answerNegotiation,
} from '../../libs/slim-core/src/link/negotiation.js';
import { frame } from '../../libs/slim-core/src/wire/frame.js';
import {
  connectionType,
  type LinkNegotiation,
} from '../../libs/slim-core/src/wire/link-message.js';
import { nodeCrypto } from '../../libs/slim-platform-node/src/node-crypto.js';
import { fromHex, readFrameVector, toHex, type LinkVector } from '../support/vectors.js';
import { recordedCrypto } from './recorded-key.js';

const strict = { nodeId: 'node', requireHeaderMac: true };

function linkOf(name: string): Required<LinkVector> {
  const { link } = readFrameVector(name);
  if (!link) throw new Error(`${name} has no link`);
  return link as Required<LinkVector>;
}

function negotiationIn(bytes: Uint8Array): LinkNegotiation {
  const negotiation = frame.decode(bytes).link?.negotiation;
  if (!negotiation) throw new Error('not a negotiation');
  return negotiation;
}

/** Whether the header tag of a recorded frame is right for a link. */
function verifies(mac: HeaderMac | undefined, name: string): boolean | undefined {
  const { publish, subscribe } = frame.decode(fromHex(readFrameVector(name).hex));
  const header = (publish ?? subscribe)?.header;
  return header && mac?.verify(header, header.headerMac);
}

describe('answerNegotiation', () => {
  it.each([
    { request: 'client-01-link-negotiation', signed: 'client-03-subscribe' },
    { request: 'reconnect-01-link-negotiation', signed: 'reconnect-02-subscribe' },
  ])('derives the key that the native client of $request signs with', ({ request, signed }) => {
    const link = linkOf(request);
    const { crypto, derived } = recordedCrypto(link.server_private_key);
    const bytes = fromHex(readFrameVector(request).hex);
    const { reply, negotiated } = answerNegotiation(crypto, bytes, strict);
    expect(derived).toStrictEqual([link.mac_key]);
    expect(verifies(negotiated.mac, signed)).toBe(true);
    expect(negotiated).toMatchObject({
      linkId: link.link_id,
      connectionType: connectionType.edge,
      peerVersion: '2.0.0-alpha.8',
    });
    expect(negotiationIn(reply)).toMatchObject({
      linkId: link.link_id,
      isReply: true,
      nodeId: 'node',
      connectionType: connectionType.edge,
      kemPayload: undefined,
    });
    expect(toHex(negotiationIn(reply).publicKey)).toBe(link.server_public_key);
  });

  it('uses another key after a reconnection, under the same link id', () => {
    const request = readFrameVector('reconnect-01-link-negotiation');
    const { previous_link_id: previous } = request as { previous_link_id?: string };
    expect(negotiationIn(fromHex(request.hex)).linkId).toBe(previous);
  });

  it('answers a native node that dials as a peer as such', () => {
    const request = fromHex(readFrameVector('peer-01-link-negotiation-reply').request_hex ?? '');
    const { reply } = answerNegotiation(nodeCrypto, request, strict);
    const native = negotiationIn(fromHex(readFrameVector('peer-01-link-negotiation-reply').hex));
    const { linkId, isReply, connectionType: type } = negotiationIn(reply);
    expect({ linkId, isReply, type }).toStrictEqual({
      linkId: native.linkId,
      isReply: true,
      type: connectionType.peer,
    });
    expect(native.connectionType).toBe(connectionType.peer);
  });

  it('answers a replica of a native full mesh, whose link id names both nodes', () => {
    const request = fromHex(readFrameVector('peer-dial-01-link-negotiation').hex);
    const { negotiated } = answerNegotiation(nodeCrypto, request, strict);
    expect(negotiated).toMatchObject({
      linkId: 'aa:zz',
      connectionType: connectionType.peer,
      peerNodeId: 'aa',
    });
  });
});

describe('NegotiationRequest', () => {
  const link = linkOf('node-01-link-negotiation-request');

  it('is byte for byte the request that a native node answered', () => {
    const { crypto } = recordedCrypto(link.client_private_key);
    const recorded = fromHex(readFrameVector('node-01-link-negotiation-request').hex);
    const { nodeId } = negotiationIn(recorded);
    const request = new NegotiationRequest(crypto, link.link_id, nodeId, connectionType.edge);
    expect(toHex(request.frame)).toBe(toHex(recorded));
  });

  it('derives the key that the native node signs with', () => {
    const { crypto, derived } = recordedCrypto(link.client_private_key);
    const request = new NegotiationRequest(crypto, link.link_id, 'app', connectionType.edge);
    const reply = fromHex(readFrameVector('node-02-link-negotiation-reply').hex);
    const negotiated = request.complete(reply);
    expect(derived).toStrictEqual([link.mac_key]);
    expect(verifies(negotiated.mac, 'node-04-publish-out')).toBe(true);
    expect(verifies(negotiated.mac, 'node-05-publish-out-anycast')).toBe(true);
  });

  it('accepts the reply that a strict native client accepted', () => {
    const { link_id: id, client_public_key: native } = linkOf('client-02-link-negotiation-reply');
    const reply = fromHex(readFrameVector('client-02-link-negotiation-reply').hex);
    const request = new NegotiationRequest(nodeCrypto, id, 'app', connectionType.edge);
    expect(request.complete(reply)).toMatchObject({ linkId: id });
    // With our own key, so the secret is another than the one of the recording.
    expect(toHex(negotiationIn(request.frame).publicKey)).not.toBe(native);
  });
});

// ML-KEM is not implemented. The request of a dialler that enforces it is answered classically, without
// a KEM ciphertext, which such a dialler refuses: the link fails there, with both sides knowing why.
describe('hybrid negotiation', () => {
  const link = linkOf('hybrid-02-reply');
  const request = fromHex(readFrameVector('hybrid-01-request').hex);

  it('is answered with classical key agreement and no ciphertext', () => {
    expect(negotiationIn(request).kemPayload).toHaveLength(1184);
    const { reply, negotiated } = answerNegotiation(nodeCrypto, request, strict);
    expect(negotiationIn(reply).publicKey).toHaveLength(32);
    expect(negotiationIn(reply).kemPayload).toBeUndefined();
    expect(negotiated.mac).toBeInstanceOf(HeaderMac);
  });

  it('shares the classical secret with the native node', () => {
    const { crypto } = recordedCrypto(link.client_private_key);
    const shared = crypto.agreementKey().agree(fromHex(link.server_public_key));
    expect(toHex(shared ?? new Uint8Array())).toBe(link.x25519_shared_secret);
  });

  it('derives its key from both secrets under a label of its own', () => {
    const secrets = fromHex(link.x25519_shared_secret + link.mlkem_shared_secret);
    const text = new TextEncoder();
    const info = text.encode('SLIM-DP-inter-node-hmac-v1-pq');
    const key = nodeCrypto.hkdfSha256(secrets, text.encode(link.link_id), info, 32);
    expect(toHex(key)).toBe(link.mac_key);
    expect(verifies(new HeaderMac(nodeCrypto, link.link_id, key), 'hybrid-03-publish-out')).toBe(
      true,
    );
  });

  it('leaves a dialler that never asked for it with another key, so nothing verifies', () => {
    const { crypto } = recordedCrypto(link.client_private_key);
    const dialler = new NegotiationRequest(crypto, link.link_id, 'app', connectionType.edge);
    const { mac } = dialler.complete(fromHex(readFrameVector('hybrid-02-reply').hex));
    expect(verifies(mac, 'hybrid-03-publish-out')).toBe(false);
  });
});
