import {
  SlimApp as CoreSlimApp,
  type LinkDialler,
  type SlimAppOptions as CoreSlimAppOptions,
} from '@nestjs-slim/core';
import { http2Dialler } from './http2-dialler.js';
import { nodeCrypto } from './node-crypto.js';
import { SlimNode } from './slim-node.js';
import { webSocketDialler } from './websocket-dialler.js';
import { isWebSocketUrl } from './websocket-endpoint.js';

/** One node: its URL, a dialler of another transport such as `grpcJsDialler(url)`, or one in this process. */
export type NodeAddress = string | LinkDialler | SlimNode;

/** What an application on Node.js is made from. */
export interface SlimAppOptions extends Omit<CoreSlimAppOptions, 'crypto' | 'diallers' | 'local'> {
  /** `http://host:port`, `ws://host:port/path` or their secure forms, or several to try in turn, or a `SlimNode` of this process. */
  readonly node: NodeAddress | readonly NodeAddress[];
}

/** See the class of the same name in `@nestjs-slim/core`. */
export type SlimApp = CoreSlimApp;

export const SlimApp = {
  /**
   * Connects an application with this platform's links and crypto.
   * @throws SlimError `invalid-name`, `invalid-config`, `link-failed`, `negotiation-failed`, `aborted`
   */
  connect({ node, ...options }: SlimAppOptions): Promise<CoreSlimApp> {
    const nodes = [node].flat() as readonly NodeAddress[];
    const local = nodes.some((address) => address instanceof SlimNode);
    return CoreSlimApp.connect({
      ...options,
      crypto: nodeCrypto,
      diallers: nodes.map(toDialler),
      local,
    });
  },
};

function toDialler(node: NodeAddress): LinkDialler {
  if (typeof node === 'string')
    return isWebSocketUrl(node) ? webSocketDialler(node) : http2Dialler(node);
  if (!(node instanceof SlimNode)) return node;
  return { target: 'node in this process', dial: () => Promise.resolve(node.connectLocal()) };
}
