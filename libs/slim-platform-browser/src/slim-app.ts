import {
  SlimApp as CoreSlimApp,
  type LinkDialler,
  type SlimAppOptions as CoreSlimAppOptions,
} from '@nestjs-slim/core';
import { browserCrypto } from './browser-crypto.js';
import { webSocketDialler } from './web-socket-dialler.js';

/** One node: its URL, or a dialler with more to it, such as `webSocketDialler(url, { token })`. */
export type NodeAddress = string | LinkDialler;

/** What an application in a browser is made from. */
export interface SlimAppOptions extends Omit<CoreSlimAppOptions, 'crypto' | 'diallers' | 'local'> {
  /** `wss://host:port/path`, or several to try in turn. */
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
    const diallers = nodes.map((one) => (typeof one === 'string' ? webSocketDialler(one) : one));
    return CoreSlimApp.connect({ ...options, crypto: browserCrypto, diallers });
  },
};
