import { once } from 'node:events';
import { createServer as createTcpServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer, type TlsOptions } from 'node:tls';
import {
  SlimError,
  systemClock,
  type Clock,
  type Link,
  type LinkListener,
} from '@nestjs-slim/core';
import { AcceptedConnection } from './accepted-connection.js';
import { hostAndPort } from './endpoint.js';
import { defaultKeepaliveMs } from './http2-settings.js';

/** Where to listen and for whom. */
export interface Http2ListenerOptions {
  readonly host: string;
  /** 0 takes a free port, which the URL of the listener then shows. */
  readonly port: number;
  /** A connection quiet for this long is asked for a sign of life; 0 never asks. 60,000 by default. */
  readonly keepaliveMs?: number;
  /** In PEM. With `clientCa`, a client needs a certificate that it signed. */
  readonly tls?: Pick<TlsOptions, 'cert' | 'key'> & { readonly clientCa?: TlsOptions['ca'] };
  readonly clock?: Clock;
}

/**
 * Accepts links over gRPC on `node:http2` and hands each to `accept`.
 * @throws SlimError `link-failed` when the address cannot be had
 */
export async function listenHttp2(
  options: Http2ListenerOptions,
  accept: (link: Link) => void,
): Promise<LinkListener> {
  const listener = new Http2Listener(options, accept);
  await listener.listen();
  return listener;
}

class Http2Listener implements LinkListener {
  readonly #options: Http2ListenerOptions;
  readonly #accept: (link: Link) => void;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #connections = new Set<AcceptedConnection>();
  #port = 0;
  #closing: Promise<void> | undefined;

  constructor(options: Http2ListenerOptions, accept: (link: Link) => void) {
    this.#options = options;
    this.#accept = accept;
    this.#server = this.#createServer();
    // Before any handshake, so that closing finds a socket that never came further.
    this.#server.on('connection', (socket: Socket) => {
      this.#sockets.add(socket);
      socket.once('close', () => this.#sockets.delete(socket));
    });
  }

  get url(): string {
    const { host, tls } = this.#options;
    return `${tls ? 'https' : 'http'}://${hostAndPort(host, this.#port)}`;
  }

  async listen(): Promise<void> {
    const { host, port } = this.#options;
    try {
      this.#server.listen({ host, port });
      await once(this.#server, 'listening');
    } catch (reason) {
      throw SlimError.from(reason, 'link-failed', `listening on ${host}:${port}`);
    }
    this.#port = portOf(this.#server);
    // From here on an error is a connection that could not be accepted. Its client sees it.
    this.#server.on('error', () => undefined);
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  #createServer(): Server {
    const serve = (socket: Socket): void => this.#serve(socket);
    const { tls } = this.#options;
    if (!tls) return createTcpServer(serve);
    const { clientCa: ca, ...own } = tls;
    const client = ca === undefined ? {} : { ca, requestCert: true };
    try {
      const options = { ...own, ...client, ALPNProtocols: ['h2'], handshakeTimeout: 10_000 };
      return createTlsServer(options, serve);
    } catch (reason) {
      throw SlimError.from(reason, 'invalid-config', 'tls of the listener');
    }
  }

  #serve(socket: Socket): void {
    // A socket may fail before HTTP/2 looks after it and after HTTP/2 let go of it.
    socket.on('error', () => undefined);
    if (socket.destroyed) return;
    const { clock = systemClock, keepaliveMs = defaultKeepaliveMs } = this.#options;
    const accept = this.#accept;
    const connection = new AcceptedConnection({ socket, clock, keepaliveMs, accept });
    this.#connections.add(connection);
    void connection.gone.then(() => this.#connections.delete(connection));
  }

  async #close(): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    await Promise.all([...this.#connections].map((connection) => connection.end()));
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }
}

function portOf(server: Server): number {
  const address = server.address();
  return typeof address === 'object' && address ? address.port : 0;
}
