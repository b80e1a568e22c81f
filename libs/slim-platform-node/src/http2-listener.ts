import { createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { systemClock, type Link, type LinkListener } from '@nestjs-slim/core';
import { AcceptedConnection } from './accepted-connection.js';
import { ConnectionAges } from './connection-ages.js';
import { checkNumbers, type ListenerOptions } from './listener-options.js';
import { ListeningServer } from './listening-server.js';

/** Where to listen and for whom. */
export type Http2ListenerOptions = ListenerOptions;

/**
 * Accepts links over gRPC on `node:http2` and hands each to `accept`.
 * @throws SlimError `link-failed` when the address cannot be had, `invalid-config` for options that cannot be
 */
export async function listenHttp2(
  options: Http2ListenerOptions,
  accept: (link: Link) => void,
): Promise<LinkListener> {
  checkNumbers(options);
  const listener = new Http2Listener(options, accept);
  await listener.listen();
  return listener;
}

class Http2Listener implements LinkListener {
  readonly #options: Http2ListenerOptions;
  readonly #accept: (link: Link) => void;
  readonly #server: ListeningServer<Server>;
  readonly #ages: ConnectionAges;
  readonly #connections = new Set<AcceptedConnection>();
  #closing: Promise<void> | undefined;

  constructor(options: Http2ListenerOptions, accept: (link: Link) => void) {
    this.#options = options;
    this.#accept = accept;
    this.#ages = new ConnectionAges(options.maxConnectionAgeMs);
    this.#server = new ListeningServer(options, options, {
      create: (tls) => (tls ? createTlsServer({ ...tls, ALPNProtocols: ['h2'] }) : createServer()),
      connected: (socket) => this.#serve(socket),
    });
  }

  get url(): string {
    return this.#server.urlOf('http');
  }

  listen(): Promise<void> {
    return this.#server.listen();
  }

  close(): Promise<void> {
    this.#closing ??= this.#server.close(() => this.#endConnections());
    return this.#closing;
  }

  #serve(socket: Socket): void {
    if (socket.destroyed) return;
    const connection = new AcceptedConnection({
      socket,
      remote: this.#server.remoteOf(socket),
      clock: this.#options.clock ?? systemClock,
      settings: this.#options,
      maxAgeMs: this.#ages.next(),
      accept: this.#accept,
    });
    this.#connections.add(connection);
    void connection.gone.then(() => this.#connections.delete(connection));
  }

  #endConnections(): Promise<unknown> {
    return Promise.all([...this.#connections].map((connection) => connection.end()));
  }
}
