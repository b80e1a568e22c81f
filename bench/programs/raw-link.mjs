// Frames below the level of applications. The packages do not export this; the build has it.

import { randomUUID } from 'node:crypto';
import { http2Dialler, nodeCrypto } from '@nestjs-slim/platform-node';
import { loadNameHash, SlimName } from '@nestjs-slim/core';

const dist = new URL('../../libs/slim-core/dist/', import.meta.url);
/** @type {typeof import('../../libs/slim-core/src/link/negotiation.js')} */
const { NegotiationRequest } = await import(new URL('link/negotiation.js', dist).href);
/** @type {typeof import('../../libs/slim-core/src/wire/frame.js')} */
const { frame, publish } = await import(new URL('wire/frame.js', dist).href);
/** @type {typeof import('../../libs/slim-core/src/wire/header.js')} */
const { slimHeader, subscription } = await import(new URL('wire/header.js', dist).href);
/** @type {typeof import('../../libs/slim-core/src/wire/link-message.js')} */
const { connectionType } = await import(new URL('wire/link-message.js', dist).href);
/** @type {typeof import('../../libs/slim-core/src/wire/session-header.js')} */
const wire = await import(new URL('wire/session-header.js', dist).href);
/** @type {typeof import('../../libs/slim-core/src/wire/wire-name.js')} */
const { WireName } = await import(new URL('wire/wire-name.js', dist).href);

/** As long as the token of a shared secret. */
const identity = 'x'.repeat(230);

/** A link to a node that has negotiated, as an application has one, and no application on it. */
export class RawLink {
  #link;
  /** @type {import('../../libs/slim-core/src/link/negotiation.js').Negotiated['mac']} */
  #mac;
  /** @type {(bytes: Uint8Array) => void} */
  onFrame = () => undefined;
  onDrained = () => {};

  /**
   * @param {import('@nestjs-slim/core').Link} link
   * @param {(bytes: Uint8Array) => import('../../libs/slim-core/src/link/negotiation.js').Negotiated} complete
   * @param {(reason: Error | undefined) => void} negotiated
   */
  constructor(link, complete, negotiated) {
    this.#link = link;
    this.onFrame = (bytes) => {
      this.onFrame = () => undefined;
      this.#mac = complete(bytes).mac;
      negotiated(undefined);
    };
    link.open({
      frame: (bytes) => this.onFrame(bytes),
      drained: () => this.onDrained(),
      closed: (reason) => negotiated(reason ?? new Error('the node ended the link')),
    });
  }

  /**
   * Opens a link and negotiates.
   * @param {string} url
   * @returns {Promise<RawLink>}
   */
  static async dial(url) {
    await loadNameHash();
    const link = await http2Dialler(url).dial(AbortSignal.timeout(10_000));
    const id = randomUUID();
    const request = new NegotiationRequest(nodeCrypto, id, `node-${id}`, connectionType.edge);
    return new Promise((resolve, reject) => {
      const opened = new RawLink(
        link,
        (reply) => request.complete(reply),
        (reason) => (reason ? reject(reason) : resolve(opened)),
      );
      link.send(request.frame);
    });
  }

  /**
   * Takes the bytes. False when the link is full, until `onDrained`.
   * @param {Uint8Array} bytes
   */
  send(bytes) {
    return this.#link.send(bytes);
  }

  /**
   * A frame with a payload at its end, ready to be sent on this link again and again.
   * @param {string} destination with its id
   * @param {Uint8Array} payload
   */
  encodePublish(destination, payload) {
    const { sessionHeader, sessionType, messageType } = wire;
    return frame.encode(
      frame.make({
        publish: publish.make({
          header: this.#signedHeader(destination),
          session: sessionHeader.make({
            sessionType: sessionType.pointToPoint,
            messageType: messageType.msg,
            sessionId: 1,
            messageId: 1,
          }),
          content: { application: { payloadType: 'msg', blob: payload }, command: undefined },
        }),
      }),
    );
  }

  /**
   * Subscribes names; settles when the node has confirmed every one.
   * @param {readonly string[]} names with their ids
   */
  async subscribe(names) {
    const waiting = new Set(names.map((_, at) => BigInt(at + 1)));
    await new Promise((resolve, reject) => {
      this.onFrame = (bytes) => {
        const ack = frame.decode(bytes).subscriptionAck;
        if (!ack) return;
        if (!ack.success) reject(new Error(`not subscribed: ${ack.error}`));
        waiting.delete(ack.id);
        if (waiting.size === 0) resolve(undefined);
      };
      void this.#sendSubscriptions(names);
    });
  }

  /** @param {readonly string[]} names */
  async #sendSubscriptions(names) {
    for (const [at, name] of names.entries()) {
      const header = this.#signedHeader(name);
      const subscribe = subscription.make({ header, id: BigInt(at + 1) });
      if (this.send(frame.encode(frame.make({ subscribe })))) continue;
      await new Promise((resolve) => {
        this.onDrained = () => resolve(undefined);
      });
    }
  }

  /**
   * The payload of a frame that came, whose tag has to be that of this link.
   * @param {Uint8Array} bytes
   */
  open(bytes) {
    const { header, content } = frame.decode(bytes).publish ?? {};
    if (!header || !this.#mac?.verify(header, header.headerMac)) {
      throw new Error('a frame without a valid tag came');
    }
    return content?.application?.blob ?? new Uint8Array(0);
  }

  close() {
    return this.#link.close();
  }

  /** @param {string} destination */
  #signedHeader(destination) {
    const header = slimHeader.make({
      source: WireName.of(SlimName.parse(rawName('sender', 1))),
      destination: WireName.of(SlimName.parse(destination)),
      identity,
      fanout: 1,
      version: '2.3.0',
      ttl: 8,
    });
    return { ...header, ...(this.#mac && { headerMac: this.#mac.tag(header) }) };
  }
}

/**
 * A full name of the benchmarks, with an id.
 * @param {string} service
 * @param {number} number
 */
export function rawName(service, number) {
  return `bench/node/${service}/00000000-0000-4000-8000-${number.toString(16).padStart(12, '0')}`;
}
