import { connect, type ClientHttp2Session } from 'node:http2';
import { connect as connectTcp, isIP, type Socket } from 'node:net';
import { connect as connectTls, type ConnectionOptions } from 'node:tls';
import { SlimError, systemClock, type Clock, type Link, type LinkDialler } from '@nestjs-slim/core';
import { dialFailure } from './dial-failure.js';
import { parseEndpoint, type Endpoint } from './endpoint.js';
import { refusalOf } from './grpc-status.js';
import { Http2Connection } from './http2-connection.js';
import { Http2Link } from './http2-link.js';
import {
  defaultKeepaliveMs,
  openChannelPath,
  sessionOptions,
  windowBytes,
} from './http2-settings.js';

/** How to reach a node. */
export interface Http2DiallerOptions {
  /** A connection quiet for this long is asked for a sign of life; 0 never asks. 60,000 by default. */
  readonly keepaliveMs?: number;
  /** For `https:` URLs, in PEM: whom to trust, who we are, the name the certificate must have. */
  readonly tls?: Pick<ConnectionOptions, 'ca' | 'cert' | 'key' | 'servername'>;
  /** Sent with the request that opens the link, such as `authorization`. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly clock?: Clock;
}

/**
 * Dials links over gRPC on `node:http2`, each on a TCP connection of its own.
 * @throws SlimError `invalid-config` when the URL is not `http://host:port` or `https://host:port`
 */
export function http2Dialler(url: string, options: Http2DiallerOptions = {}): LinkDialler {
  return new Http2Dialler(parseEndpoint(url), options);
}

class Http2Dialler implements LinkDialler {
  readonly #endpoint: Endpoint;
  readonly #options: Http2DiallerOptions;

  constructor(endpoint: Endpoint, options: Http2DiallerOptions) {
    this.#endpoint = endpoint;
    this.#options = options;
  }

  get target(): string {
    return this.#endpoint.url;
  }

  async dial(signal: AbortSignal): Promise<Link> {
    if (signal.aborted) throw dialFailure(signal.reason, this.target, signal);
    const socket = this.#openSocket();
    // The session reports errors of its socket, but lets go of it before the socket is closed.
    socket.on('error', () => undefined);
    const abort = (): unknown => socket.destroy();
    signal.addEventListener('abort', abort);
    try {
      return await this.#openLink(await this.#openSession(socket), socket);
    } catch (reason) {
      socket.destroy();
      throw dialFailure(reason, this.target, signal);
    } finally {
      signal.removeEventListener('abort', abort);
    }
  }

  /** Our own socket, because one that is still connecting cannot be ended through the session. */
  #openSocket(): Socket {
    const { host, port, secure } = this.#endpoint;
    if (!secure) return connectTcp({ host, port });
    const servername = isIP(host) ? {} : { servername: host };
    const { tls } = this.#options;
    try {
      return connectTls({ host, port, ALPNProtocols: ['h2'], ...servername, ...tls });
    } catch (reason) {
      throw SlimError.from(reason, 'invalid-config', `tls for ${this.target}`);
    }
  }

  #openSession(socket: Socket): Promise<ClientHttp2Session> {
    return new Promise((resolve, reject) => {
      const createConnection = (): Socket => socket;
      const session = connect(this.target, { ...sessionOptions, createConnection });
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
  #openLink(session: ClientHttp2Session, socket: Socket): Promise<Link> {
    const stream = session.request({ ...this.#options.headers, ...this.#requestHeaders() });
    return new Promise((resolve, reject) => {
      stream.once('error', reject);
      stream.once('close', () => {
        reject(new SlimError('link-failed', `no answer, HTTP/2 code ${stream.rstCode}`));
      });
      stream.once('response', (headers) => {
        const refusal = refusalOf(headers);
        if (refusal) return reject(refusal);
        // At once, not behind an await: trailers that follow closely would be missed.
        const { keepaliveMs = defaultKeepaliveMs, clock = systemClock } = this.#options;
        const silent = (reason: SlimError): void => link.destroy(reason);
        const remote = this.target;
        const parts = { session, socket, clock, remote, keepaliveMs, silent };
        const connection = new Http2Connection(parts);
        const link = new Http2Link(stream, { remote, clock, release: () => connection.end() });
        resolve(link);
      });
    });
  }

  /** As a native client sends them (reference: data plane 3.1). */
  #requestHeaders(): Record<string, string> {
    return {
      ':method': 'POST',
      ':scheme': this.#endpoint.secure ? 'https' : 'http',
      ':authority': this.#endpoint.authority,
      ':path': openChannelPath,
      te: 'trailers',
      'content-type': 'application/grpc',
      'user-agent': 'nestjs-slim',
    };
  }
}
