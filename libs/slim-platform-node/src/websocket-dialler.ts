import { connect as connectTcp, isIP, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { SlimError, systemClock, type Link, type LinkDialler } from '@nestjs-slim/core';
import { WebSocket } from 'ws';
import { attemptToDial } from './dial-attempt.js';
import type { DiallerOptions } from './dialler-options.js';
import { defaultConnectTimeoutMs } from './http2-settings.js';
import { checkNumbers } from './listener-options.js';
import { DiallerCertificates } from './tls/dialler-certificates.js';
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
  return new WebSocketDialler(parseWebSocketEndpoint(url), options);
}

class WebSocketDialler implements LinkDialler {
  readonly #endpoint: WebSocketEndpoint;
  readonly #options: WebSocketDiallerOptions;
  readonly #certificates: DiallerCertificates;

  constructor(endpoint: WebSocketEndpoint, options: WebSocketDiallerOptions) {
    const { tls } = options;
    // Whoever says how to encrypt must not get a link in clear.
    if (tls && !endpoint.secure) {
      const what = `tls is given for ${endpoint.shown}, which does not encrypt`;
      throw new SlimError('invalid-config', what);
    }
    this.#endpoint = endpoint;
    this.#options = options;
    this.#certificates = new DiallerCertificates(tls ?? {});
  }

  get target(): string {
    return this.#endpoint.shown;
  }

  dial(signal: AbortSignal): Promise<Link> {
    const { target } = this;
    const { clock = systemClock, credentials } = this.#options;
    const { connectTimeoutMs: timeoutMs = defaultConnectTimeoutMs } = this.#options;
    const attempt = { target, signal, clock, timeoutMs, credentials };
    return attemptToDial(attempt, async (stop, authorization) => {
      // It may be over before it began: asking for credentials takes time.
      stop.throwIfAborted();
      const transport = this.#openTransport();
      const abort = (): unknown => transport.destroy();
      stop.addEventListener('abort', abort);
      try {
        return await this.#openLink(transport, authorization);
      } catch (reason) {
        transport.destroy();
        throw reason;
      } finally {
        stop.removeEventListener('abort', abort);
      }
    });
  }

  /** Our own, because it is what the link writes to, and what is destroyed when the dialling is given up. */
  #openTransport(): Socket {
    const { host, port, secure } = this.#endpoint;
    if (!secure) return connectTcp({ host, port });
    const { serverName, insecureSkipVerify = false } = this.#options.tls ?? {};
    const name = serverName ?? (isIP(host) ? undefined : host);
    return connectTls({
      host,
      port,
      ...(name !== undefined && { servername: name }),
      ALPNProtocols: ['http/1.1'],
      secureContext: this.#certificates.current(),
      rejectUnauthorized: !insecureSkipVerify,
    });
  }

  #openLink(transport: Socket, authorization: { authorization?: string }): Promise<Link> {
    transport.setNoDelay();
    const { clock = systemClock, origin } = this.#options;
    const socket = new WebSocket(this.#endpoint.url, {
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
        const options = { ...this.#options, remote: this.target, clock };
        resolve(new WebSocketLink(socket, transport, options));
      });
    });
  }
}

/** Who we are was asked and not believed, or is not enough. */
const identityStatuses: readonly number[] = [401, 403];
