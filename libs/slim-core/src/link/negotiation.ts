import type { AgreementKey, Crypto } from '../crypto/crypto.js';
import { SlimError } from '../errors/slim-error.js';
import { frame, type Frame } from '../wire/frame.js';
import { slimVersion } from '../wire/header.js';
import {
  connectionType,
  linkNegotiation,
  type ConnectionType,
  type LinkNegotiation,
} from '../wire/link-message.js';
import { HeaderMac } from './header-mac.js';

/** What two ends of a link know of each other once they have negotiated. */
export interface Negotiated {
  readonly linkId: string;
  readonly connectionType: ConnectionType;
  /** Absent only where the accepting side tolerates links without it. */
  readonly mac: HeaderMac | undefined;
  readonly peerNodeId: string;
  readonly peerVersion: string;
  /** Empty where the other end belongs to no deployment. */
  readonly peerDeployment: string;
}

/** Who negotiates: a node id, with the deployment it belongs to where there is one. */
export type LinkEnd = string | { readonly nodeId: string; readonly deploymentName: string };

/** Milliseconds the other end of a link has for its part. */
export const negotiationTimeoutMs = 5_000;

/** The dialling side: sends `request`, then reads the first frame that comes back. */
export class NegotiationRequest {
  /** The frame to send. */
  readonly frame: Uint8Array;
  readonly #crypto: Crypto;
  readonly #linkId: string;
  readonly #key: AgreementKey;
  readonly #type: ConnectionType;

  /** `linkId` stays the same when a link is dialled again; the key never does. */
  constructor(crypto: Crypto, linkId: string, self: LinkEnd, type: ConnectionType) {
    this.#crypto = crypto;
    this.#linkId = linkId;
    this.#key = crypto.agreementKey();
    this.#type = type;
    this.frame = encode({
      linkId,
      slimVersion,
      publicKey: this.#key.publicKey,
      connectionType: type,
      ...(typeof self === 'string' ? { nodeId: self } : self),
    });
  }

  /**
   * Checks the reply (reference: data plane 3.3, rules at the dialler).
   * @throws SlimError `negotiation-failed`
   */
  complete(bytes: Uint8Array): Negotiated {
    const reply = decode(bytes);
    if (!reply.isReply) throw failed('expected a reply, got a request');
    if (reply.linkId !== this.#linkId) {
      throw failed(`expected the link id ${this.#linkId}, got "${reply.linkId}"`);
    }
    const mac = agree(this.#crypto, this.#linkId, this.#key, reply.publicKey);
    if (!mac) throw failed(`expected an X25519 key of 32 bytes, got ${reply.publicKey.length}`);
    return negotiated(reply, this.#type, mac);
  }
}

/** How an accepting side treats links. */
export interface AcceptPolicy {
  readonly nodeId: string;
  readonly deploymentName?: string;
  /** Refuse links that cannot authenticate their headers. */
  readonly requireHeaderMac: boolean;
}

/**
 * The accepting side: reads the first frame of a link (reference: data plane 3.3, rules at the acceptor).
 * @throws SlimError `negotiation-failed`; the link is then to be ended without an answer.
 */
export function answerNegotiation(
  crypto: Crypto,
  bytes: Uint8Array,
  policy: AcceptPolicy,
): { readonly reply: Uint8Array; readonly negotiated: Negotiated } {
  const request = decode(bytes);
  if (request.isReply) throw failed('expected a request, got a reply');
  if (request.linkId === '') throw failed('the link id is empty');
  const key = crypto.agreementKey();
  const mac = agree(crypto, request.linkId, key, request.publicKey);
  if (!mac && policy.requireHeaderMac) {
    throw failed(`expected an X25519 key of 32 bytes, got ${request.publicKey.length} bytes`);
  }
  const type = knownType(request.connectionType);
  const reply = encode({
    linkId: request.linkId,
    slimVersion,
    isReply: true,
    connectionType: type,
    nodeId: policy.nodeId,
    deploymentName: policy.deploymentName ?? '',
    ...(mac && { publicKey: key.publicKey }),
  });
  return { reply, negotiated: negotiated(request, type, mac) };
}

function negotiated(
  peer: LinkNegotiation,
  type: ConnectionType,
  mac: HeaderMac | undefined,
): Negotiated {
  return {
    linkId: peer.linkId,
    connectionType: type,
    mac,
    peerNodeId: peer.nodeId,
    peerVersion: peer.slimVersion,
    peerDeployment: peer.deploymentName,
  };
}

/** The key both ends derive (reference: data plane 3.4). */
function agree(
  crypto: Crypto,
  linkId: string,
  own: AgreementKey,
  peerPublicKey: Uint8Array,
): HeaderMac | undefined {
  const shared = peerPublicKey.length === 32 ? own.agree(peerPublicKey) : undefined;
  if (!shared) return undefined;
  const text = new TextEncoder();
  const key = crypto.hkdfSha256(shared, text.encode(linkId), text.encode(keyInfo), 32);
  return new HeaderMac(crypto, linkId, key);
}

const keyInfo = 'SLIM-DP-inter-node-hmac-v1';

function encode(fields: Partial<LinkNegotiation>): Uint8Array {
  return frame.encode(frame.make({ link: { negotiation: linkNegotiation.make(fields) } }));
}

function decode(bytes: Uint8Array): LinkNegotiation {
  const negotiation = firstFrame(bytes).link?.negotiation;
  if (!negotiation) throw failed('the first frame of a link must be a negotiation');
  checkLengths(negotiation);
  if (!semver.test(negotiation.slimVersion)) {
    throw failed(`expected a semantic version, got "${negotiation.slimVersion}"`);
  }
  return negotiation;
}

/** What is kept of each link and shown to people; an official node takes any length. */
const maxTextLength = 1_024;

function checkLengths(negotiation: LinkNegotiation): void {
  for (const field of ['linkId', 'slimVersion', 'nodeId', 'deploymentName'] as const) {
    const { length } = negotiation[field];
    if (length <= maxTextLength) continue;
    throw failed(`${field} has ${length} characters, the limit is ${maxTextLength}`);
  }
}

function firstFrame(bytes: Uint8Array): Frame {
  try {
    return frame.decode(bytes);
  } catch (reason) {
    const { message } = SlimError.from(reason, 'malformed-frame');
    throw new SlimError('negotiation-failed', `link negotiation: ${message}`, { cause: reason });
  }
}

/** Numbers of later versions are treated as remote, as the official node does. */
function knownType(type: number): ConnectionType {
  return type === connectionType.peer || type === connectionType.edge
    ? type
    : connectionType.remote;
}

/** Semantic Versioning 2.0.0. */
const semver =
  /^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(?:-(?:0|[1-9]\d*|\d*[a-zA-Z-][\da-zA-Z-]*)(?:\.(?:0|[1-9]\d*|\d*[a-zA-Z-][\da-zA-Z-]*))*)?(?:\+[\da-zA-Z-]+(?:\.[\da-zA-Z-]+)*)?$/;

function failed(what: string): SlimError {
  return new SlimError('negotiation-failed', `link negotiation: ${what}`);
}
