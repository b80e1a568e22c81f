import { connect, type ClientHttp2Session } from 'node:http2';
import type { Socket } from 'node:net';
import { SlimError, systemClock, type Link, type LinkDialler } from '@nestjs-slim/core';
import { attemptToDial, openOn } from './dial-attempt.js';
import { DialSocket } from './dial-socket.js';
import type { DiallerOptions } from './dialler-options.js';
import { parseEndpoint, type Endpoint } from './endpoint.js';
import { refusalOf } from './grpc-status.js';
import { Http2Connection } from './http2-connection.js';
import { Http2Link } from './http2-link.js';
import { openChannelPath, sessionOptions, windowBytes } from './http2-settings.js';
import { checkNumbers } from './listener-options.js';
import { PromptAcknowledgement, sayByWindow } from './prompt-acknowledgement.js';

/** How to reach a node. */
export interface Http2DiallerOptions extends DiallerOptions {
  /** Bytes that may wait for a node that does not read before the link says it is full. 1 MiB by default. */
  readonly maxQueuedBytes?: number;
  /** A connection quiet for this long is asked for a sign of life; 0 never asks. 60,000 by default. */
  readonly keepaliveMs?: number;
  /** How long the node may take for the sign of life. 20,000 by default. */
  readonly keepaliveTimeoutMs?: number;
  /** How long the node may take for one frame, once it began it. 60,000 by default. */
  readonly frameTimeoutMs?: number;
  /** Of the answer. 16 KiB by default. */
  readonly maxHeaderListBytes?: number;
  /** Largest HTTP/2 frame, of which a message may take many. 16 KiB by default. */
  readonly maxHttp2FrameBytes?: number;
}

/**
 * Dials links over gRPC on `node:http2`, each on a connection of its own.
 * @throws SlimError `invalid-config` when the URL is not `http://host:port`, `https://host:port` or
 *   `unix:///path`, or an option cannot be
 */
export function http2Dialler(url: string, options: Http2DiallerOptions = {}): LinkDialler {
  checkNumbers(options);
  return new Http2Dialler(url, options);
}

class Http2Dialler implements LinkDialler {
  readonly #options: Http2DiallerOptions;
  readonly #sockets: DialSocket<Endpoint>;

  constructor(url: string, options: Http2DiallerOptions) {
    this.#options = options;
    this.#sockets = new DialSocket(parseEndpoint(url), 'h2', options.tls);
  }

  get target(): string {
    return this.#sockets.endpoint.url;
  }

  dial(signal: AbortSignal): Promise<Link> {
    const attempt = { target: this.target, signal, options: this.#options };
    return attemptToDial(attempt, async (stop, headers) => {
      // Our own, because one that is still connecting cannot be ended through the session.
      const socket = this.#sockets.open();
      return openOn(socket, stop, async () => {
        return this.#openLink(await this.#openSession(socket), socket, headers);
      });
    });
  }

  #openSession(socket: Socket): Promise<ClientHttp2Session> {
    return new Promise((resolve, reject) => {
      const createConnection = (): Socket => socket;
      const { authority } = this.#sockets.endpoint;
      const options = { ...sessionOptions(this.#options), createConnection };
      const session = connect(`http://${authority}`, options);
      // Stays for good: an error that comes later ends the stream, and the link with it, as well.
      session.on('error', reject);
      session.once('close', () =>
        reject(new SlimError('link-failed', 'the connection was closed')),
      );
      session.once('connect', () => {
        // It is said to be connected, too, when it was given up just before.
        if (session.destroyed) return;
        session.setLocalWindowSize(windowBytes);
        resolve(session);
      });
    });
  }

  /** Asks for the channel. There is a link once the other end agreed, not before. */
  #openLink(
    session: ClientHttp2Session,
    socket: Socket,
    credentials: { readonly authorization?: string },
  ): Promise<Link> {
    const { clock = systemClock, headers, maxQueuedBytes, frameTimeoutMs } = this.#options;
    const stream = session.request({ ...headers, ...credentials, ...this.#requestHeaders() });
    return new Promise((resolve, reject) => {
      stream.once('error', reject);
      stream.once('close', () => {
        reject(new SlimError('link-failed', `no answer, HTTP/2 code ${stream.rstCode}`));
      });
      stream.once('response', (answer) => {
        const refusal = refusalOf(answer);
        if (refusal) return reject(refusal);
        // At once, not behind an await: trailers that follow closely would be missed.
        const silent = (reason: SlimError): void => link.destroy(reason);
        const remote = this.target;
        const parts = { session, socket, clock, remote, keepalive: this.#options, silent };
        const connection = new Http2Connection(parts);
        const limits = { maxQueuedBytes, frameTimeoutMs };
        const acknowledgement = new PromptAcknowledgement(sayByWindow(stream), clock);
        const release = (): Promise<void> => connection.end();
        const link = new Http2Link(stream, { remote, clock, ...limits, acknowledgement, release });
        resolve(link);
      });
    });
  }

  /** As a native client sends them (reference: data plane 3.1). */
  #requestHeaders(): Record<string, string> {
    return {
      ':method': 'POST',
      ':scheme': this.#sockets.endpoint.secure ? 'https' : 'http',
      ':authority': this.#options.origin ?? this.#sockets.endpoint.authority,
      ':path': openChannelPath,
      te: 'trailers',
      'content-type': 'application/grpc',
      'user-agent': 'nestjs-slim',
    };
  }
}
