import type { Crypto } from '../crypto/crypto.js';
import { SlimError } from '../errors/slim-error.js';
import type { HeaderMac } from '../link/header-mac.js';
import { memoryLinkPair } from '../link/memory-link.js';
import { NegotiationRequest } from '../link/negotiation.js';
import type { RoutingNode } from '../routing/routing-node.js';
import { frame, type Frame } from '../wire/frame.js';
import type { SlimHeader } from '../wire/header.js';
import { connectionType, type ConnectionType } from '../wire/link-message.js';
import { LinkProbe } from './link-probe.js';
import { turns } from './turns.js';

let connected = 0;

/** The far end of a link to a node: negotiates, signs what it sends, and keeps what it receives. */
export class NodeClient {
  readonly probe: LinkProbe;
  readonly #mac: HeaderMac | undefined;

  private constructor(probe: LinkProbe, mac: HeaderMac | undefined) {
    this.probe = probe;
    this.#mac = mac;
  }

  static async connect(
    node: RoutingNode,
    crypto: Crypto,
    type: ConnectionType = connectionType.edge,
  ): Promise<NodeClient> {
    const [near, far] = memoryLinkPair();
    node.accept(far);
    const probe = new LinkProbe(near);
    const request = new NegotiationRequest(crypto, `link-${++connected}`, 'client', type);
    near.send(request.frame);
    await turns();
    const reply = probe.frames.shift();
    if (!reply) throw new SlimError('negotiation-failed', 'the node did not answer');
    const { mac } = request.complete(reply);
    return new NodeClient(probe, type === connectionType.peer ? undefined : mac);
  }

  /** An application inside the node's process. */
  static connectLocal(node: RoutingNode): NodeClient {
    const [near, far] = memoryLinkPair();
    node.acceptLocal(far);
    return new NodeClient(new LinkProbe(near), undefined);
  }

  /** Sends messages and waits until the node has dealt with them. */
  async send(...messages: readonly Frame[]): Promise<void> {
    for (const message of messages) this.probe.link.send(frame.encode(this.#signed(message)));
    await turns();
  }

  /** What came since the last call. */
  received(): Frame[] {
    return this.probe.frames.splice(0).map((bytes) => frame.decode(bytes));
  }

  /** True when the tag of a header is the one that this link needs. */
  verifies(header: SlimHeader): boolean {
    return this.#mac?.verify(header, header.headerMac) ?? header.headerMac === undefined;
  }

  #signed(message: Frame): Frame {
    const { publish, subscribe, unsubscribe } = message;
    const sign = <Body extends { readonly header: SlimHeader | undefined }>(
      body: Body | undefined,
    ): Body | undefined => body && { ...body, header: this.#withTag(body.header) };
    return {
      ...message,
      publish: sign(publish),
      subscribe: sign(subscribe),
      unsubscribe: sign(unsubscribe),
    };
  }

  /** A tag that is there already stays, so that a test can send a wrong one. */
  #withTag(header: SlimHeader | undefined): SlimHeader | undefined {
    if (!header || header.headerMac || !this.#mac) return header;
    return { ...header, headerMac: this.#mac.tag(header) };
  }
}
