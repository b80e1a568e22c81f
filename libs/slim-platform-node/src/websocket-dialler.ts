import type { Socket } from 'node:net';
import { SlimError, systemClock, type Link, type LinkDialler } from '@nestjs-slim/core';
import type { WebSocket } from 'ws';
import { attemptToDial, openOn } from './dial-attempt.js';
import { DialSocket } from './dial-socket.js';
import type { DiallerOptions } from './dialler-options.js';
import { checkNumbers } from './listener-options.js';
import { PromptAcknowledgement, sayByPong } from './prompt-acknowledgement.js';
import { parseWebSocketEndpoint, type WebSocketEndpoint } from './websocket-endpoint.js';
import { messageOptions, WebSocketLink } from './websocket-link.js';

/** How to reach a node. */
export interface WebSocketDiallerOptions extends DiallerOptions {
  /** Sent as `origin`, as a browser does for a page from there. */
  readonly origin?: string;
  /** Bytes that may wait for a node that does not read before the link says it is full. 1 MiB by default. */
  readonly maxQueuedBytes?: number;
  /** A connection quiet for this long is asked for a sign of life; 0 never asks. 60,000 by default. */
  readonly keepaliveMs?: number;
  /** How long the node may take for the sign of life. 20,000 by default. */
  readonly keepaliveTimeoutMs?: number;
}

/**
 * Dials links over WebSocket.
 * @throws SlimError `invalid-config` when the URL is not `ws://host:port/path` or `wss://host:port/path`, or
 *   an option cannot be
 */
export function webSocketDialler(url: string, options: WebSocketDiallerOptions = {}): LinkDialler {
  checkNumbers(options);
  return new WebSocketDialler(url, options);
}

/** Loaded when it is needed. */
type WebSocketConstructor = typeof WebSocket;

class WebSocketDialler implements LinkDialler {
  readonly #options: WebSocketDiallerOptions;
  readonly #sockets: DialSocket<WebSocketEndpoint>;

  constructor(url: string, options: WebSocketDiallerOptions) {
    this.#options = options;
    this.#sockets = new DialSocket(parseWebSocketEndpoint(url), 'http/1.1', options.tls);
  }

  get target(): string {
    return this.#sockets.endpoint.url;
  }

  dial(signal: AbortSignal): Promise<Link> {
    const attempt = { target: this.target, signal, options: this.#options };
    return attemptToDial(attempt, async (stop, authorization) => {
      // Not before it is needed: most applications never do, and it takes long to load.
      const { WebSocket } = await import('ws');
      stop.throwIfAborted();
      // Our own, because it is what the link writes to.
      const transport = this.#sockets.open();
      return openOn(transport, stop, () => this.#openLink(WebSocket, transport, authorization));
    });
  }

  #openLink(
    WebSocket: WebSocketConstructor,
    transport: Socket,
    authorization: { readonly authorization?: string },
  ): Promise<Link> {
    transport.setNoDelay();
    const { clock = systemClock, origin } = this.#options;
    const socket = new WebSocket(this.#sockets.endpoint.request, {
      ...messageOptions,
      headers: { 'user-agent': 'nestjs-slim', ...this.#options.headers, ...authorization },
      ...(origin !== undefined && { origin }),
      createConnection: (): Socket => transport,
    });
    return new Promise((resolve, reject) => {
      // Stays for good: a socket that is given up reports that as an error.
      socket.on('error', reject);
      socket.once('close', () => reject(new SlimError('link-failed', 'the connection was closed')));
      socket.once('unexpected-response', (_request, { statusCode = 0 }) => {
        const code = identityStatuses.includes(statusCode) ? 'identity-rejected' : 'link-failed';
        reject(new SlimError(code, `HTTP status ${statusCode}`));
      });
      // At once, not behind an await: messages that follow closely would be missed.
      socket.once('open', () => {
        const acknowledgement = new PromptAcknowledgement(sayByPong(socket), clock);
        const options = { ...this.#options, remote: this.target, clock, acknowledgement };
        resolve(new WebSocketLink(socket, transport, options));
      });
    });
  }
}

/** Who we are was asked and not believed, or is not enough. */
const identityStatuses: readonly number[] = [401, 403];
