import { once } from 'node:events';
import { createServer as createTcpServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer, type Server as TlsServer } from 'node:tls';
import {
  SlimError,
  systemClock,
  type Clock,
  type Link,
  type LinkListener,
} from '@nestjs-slim/core';
import { AcceptedConnection } from './accepted-connection.js';
import { ConnectionAges } from './connection-ages.js';
import { checkUnixPath, hostAndPort, unixUrl } from './endpoint.js';
import { checkNumbers, type ListenerOptions } from './listener-options.js';
import { portOf, ServerSockets } from './server-sockets.js';
import { ListenerCertificates } from './tls/listener-certificates.js';
import { removeStaleSocket } from './unix-socket.js';

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

/** How long a client may take for its part of TLS. */
const handshakeTimeoutMs = 10_000;

class Http2Listener implements LinkListener {
  readonly #options: Http2ListenerOptions;
  readonly #accept: (link: Link) => void;
  readonly #clock: Clock;
  readonly #certificates: ListenerCertificates | undefined;
  readonly #server: Server;
  readonly #sockets: ServerSockets;
  readonly #ages: ConnectionAges;
  readonly #connections = new Set<AcceptedConnection>();
  #port = 0;
  #closing: Promise<void> | undefined;

  constructor(options: Http2ListenerOptions, accept: (link: Link) => void) {
    const { tls, clock = systemClock, maxConnections, maxConnectionAgeMs } = options;
    if (tls && 'path' in options) {
      throw new SlimError('invalid-config', `${unixUrl(options.path)} takes no tls`);
    }
    this.#options = options;
    this.#accept = accept;
    this.#clock = clock;
    this.#certificates = tls && new ListenerCertificates(tls);
    this.#server = this.#createServer();
    // Before any handshake, so that closing finds a socket that never came further.
    this.#sockets = new ServerSockets(this.#server);
    this.#ages = new ConnectionAges(maxConnectionAgeMs);
    if (maxConnections) this.#server.maxConnections = maxConnections;
    this.#server.on('drop', (dropped) => {
      const what = `more than ${maxConnections} connections`;
      const { remoteAddress, remotePort } = dropped ?? {};
      options.onRefused?.(new SlimError('refused', what), this.#remote(remoteAddress, remotePort));
    });
    this.#server.on('tlsClientError', (reason: NodeJS.ErrnoException, socket: Socket) => {
      // A client that just leaves, such as a probe of the port, was not refused.
      if (!reason.code?.startsWith('ERR_SSL')) return;
      const { remoteAddress, remotePort } = socket;
      const refusal = SlimError.from(reason, 'refused', 'TLS handshake');
      options.onRefused?.(refusal, this.#remote(remoteAddress, remotePort));
    });
  }

  get url(): string {
    const options = this.#options;
    if ('path' in options) return unixUrl(options.path);
    return `${options.tls ? 'https' : 'http'}://${hostAndPort(options.host, this.#port)}`;
  }

  async listen(): Promise<void> {
    const options = this.#options;
    const where =
      'path' in options ? { path: options.path } : { host: options.host, port: options.port };
    if ('path' in options) checkUnixPath(options.path);
    try {
      if ('path' in options) await removeStaleSocket(options.path);
      this.#server.listen(where);
      await once(this.#server, 'listening');
    } catch (reason) {
      const name = 'path' in options ? this.url : `${options.host}:${options.port}`;
      throw SlimError.from(reason, 'link-failed', `listening on ${name}`);
    }
    this.#port = portOf(this.#server);
    // From here on an error is a connection that could not be accepted. Its client sees it.
    this.#server.on('error', () => undefined);
    const server = this.#server as TlsServer;
    this.#certificates?.follow(this.#clock, (changed) => server.setSecureContext(changed));
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  #createServer(): Server {
    const serve = (socket: Socket): void => this.#serve(socket);
    const options = this.#certificates?.initial;
    if (!options) return createTcpServer(serve);
    // With authorities for clients, one that has no certificate of theirs is refused.
    const parts = { requestCert: options.ca !== undefined, ALPNProtocols: ['h2'] };
    return createTlsServer({ ...options, ...parts, handshakeTimeout: handshakeTimeoutMs }, serve);
  }

  #serve(socket: Socket): void {
    // A socket may fail before HTTP/2 looks after it and after HTTP/2 let go of it.
    socket.on('error', () => undefined);
    if (socket.destroyed) return;
    const connection = new AcceptedConnection({
      socket,
      remote: this.#remote(socket.remoteAddress, socket.remotePort),
      clock: this.#clock,
      settings: this.#options,
      maxAgeMs: this.#ages.next(),
      accept: this.#accept,
    });
    this.#connections.add(connection);
    void connection.gone.then(() => this.#connections.delete(connection));
  }

  /** Who is at the other end; a Unix socket does not say. */
  #remote(address = 'unknown', port = 0): string {
    return 'path' in this.#options ? this.url : hostAndPort(address, port);
  }

  async #close(): Promise<void> {
    this.#certificates?.close();
    const closed = once(this.#server, 'close');
    this.#server.close();
    await Promise.all([...this.#connections].map((connection) => connection.end()));
    await Promise.all([closed, this.#sockets.destroy()]);
  }
}
