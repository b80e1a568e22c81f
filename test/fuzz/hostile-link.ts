import { memoryLinkPair, type RoutingNode } from '@nestjs-slim/core';
import { nodeCrypto } from '@nestjs-slim/platform-node';
import type { HeaderMac } from '../../libs/slim-core/src/link/header-mac.js';
import { NegotiationRequest } from '../../libs/slim-core/src/link/negotiation.js';
import { LinkProbe } from '../../libs/slim-core/src/testing/link-probe.js';
import { turns } from '../../libs/slim-core/src/testing/turns.js';
import { frame, type Frame } from '../../libs/slim-core/src/wire/frame.js';
import type { SlimHeader } from '../../libs/slim-core/src/wire/header.js';
import type { ConnectionType } from '../../libs/slim-core/src/wire/link-message.js';
import { changed } from './fuzz.js';

/** The far end of a link to a node that keeps to no rule. */
export class HostileLink {
  readonly probe: LinkProbe;
  #mac: HeaderMac | undefined;

  constructor(node: RoutingNode) {
    const [near, far] = memoryLinkPair();
    node.accept(far);
    this.probe = new LinkProbe(near);
  }

  get isOpen(): boolean {
    return this.probe.ends.length === 0;
  }

  /** Negotiates as anybody does; what the node made of it is known when the key is there. */
  async negotiate(linkId: string, nodeId: string, type: ConnectionType): Promise<void> {
    const request = new NegotiationRequest(nodeCrypto, linkId, nodeId, type);
    this.probe.frames.length = 0;
    this.sendBytes(request.frame);
    await turns();
    const [reply] = this.probe.frames;
    if (reply && !this.#mac) this.#mac = request.complete(reply).mac;
  }

  sendBytes(bytes: Uint8Array): void {
    this.probe.link.send(Uint8Array.from(bytes));
  }

  /** `isSigned` puts the tag on it that this link needs, as far as it is known. */
  send(message: Frame, isSigned = true): void {
    this.sendBytes(frame.encode(isSigned ? this.#signed(message) : message));
  }

  /** Signed, and then damaged on its way. */
  sendDamaged(message: Frame, list: Parameters<typeof changed>[1]): void {
    this.sendBytes(changed(frame.encode(this.#signed(message)), list));
  }

  #signed({ publish, subscribe, unsubscribe, ...rest }: Frame): Frame {
    const tagged = <Body extends { readonly header: SlimHeader | undefined }>(
      body: Body | undefined,
    ): Body | undefined => {
      const header = body?.header;
      if (!body || !header || !this.#mac) return body;
      return { ...body, header: { ...header, headerMac: this.#mac.tag(header) } };
    };
    return {
      ...rest,
      publish: tagged(publish),
      subscribe: tagged(subscribe),
      unsubscribe: tagged(unsubscribe),
    };
  }
}
