import { once } from 'node:events';
import type { Server, Socket } from 'node:net';
import { Server as TlsServer, type TlsOptions } from 'node:tls';
import { SlimError, systemClock } from '@nestjs-slim/core';
import { checkUnixPath, hostAndPort, unixUrl } from './endpoint.js';
import type { ListenAddress, ListenerSettings } from './listener-options.js';
import { ListenerCertificates } from './tls/listener-certificates.js';
import { removeStaleSocket } from './unix-socket.js';

/** How long a client may take for its part of TLS. */
const handshakeTimeoutMs = 10_000;

/** How a server encrypts, for how many it is, and who is told of those that were not taken. */
export type ListeningServerSettings = Pick<
  ListenerSettings,
  'tls' | 'maxConnections' | 'onRefused' | 'clock'
>;

/** What a protocol brings. */
export interface ServerProtocol<Kind extends Server> {
  /** A server that does not listen yet, with these settings of TLS where it encrypts. */
  create(tls: TlsOptions | undefined): Kind;
  /** A connection is there, its TLS included; the protocol has it from here on. */
  connected(socket: Socket): void;
}

/** What listeners of every protocol have in common: a server, its sockets and its certificates. */
export class ListeningServer<Kind extends Server> {
  readonly server: Kind;
  readonly #address: ListenAddress;
  readonly #settings: ListeningServerSettings;
  readonly #certificates: ListenerCertificates | undefined;
  /** Also those that never came further than their connection. */
  readonly #open = new Set<Socket>();
  #port = 0;

  /** @throws SlimError `invalid-config` that names a file which cannot be used */
  constructor(
    address: ListenAddress,
    settings: ListeningServerSettings,
    protocol: ServerProtocol<Kind>,
  ) {
    const { tls, maxConnections } = settings;
    if (tls && 'path' in address) {
      throw new SlimError('invalid-config', `${unixUrl(address.path)} takes no tls`);
    }
    this.#address = address;
    this.#settings = settings;
    this.#certificates = tls && new ListenerCertificates(tls);
    this.server = protocol.create(this.#tlsOptions());
    if (maxConnections) this.server.maxConnections = maxConnections;
    this.#watchSockets((socket) => protocol.connected(socket));
    this.#watchRefusals();
  }

  /** Where it listens. */
  urlOf(scheme: 'http' | 'ws'): string {
    const address = this.#address;
    if ('path' in address) return unixUrl(address.path);
    return `${scheme}${this.#settings.tls ? 's' : ''}://${hostAndPort(address.host, this.#port)}`;
  }

  /** @throws SlimError `link-failed` when the address cannot be had, `invalid-config` for a path that is none */
  async listen(): Promise<void> {
    const address = this.#address;
    if ('path' in address) checkUnixPath(address.path);
    try {
      if ('path' in address) await removeStaleSocket(address.path);
      this.server.listen(
        'path' in address ? { path: address.path } : { host: address.host, port: address.port },
      );
      await once(this.server, 'listening');
    } catch (reason) {
      const name = 'path' in address ? unixUrl(address.path) : `${address.host}:${address.port}`;
      throw SlimError.from(reason, 'link-failed', `listening on ${name}`);
    }
    const bound = this.server.address();
    if (typeof bound === 'object' && bound) this.#port = bound.port;
    // From here on an error is a connection that could not be accepted. Its client sees it.
    this.server.on('error', () => undefined);
    this.#followCertificates();
  }

  /** Who is at the other end; a Unix socket does not say, and one that is gone may not either. */
  remoteOf({ remoteAddress = 'unknown', remotePort = 0 }: Remote): string {
    const address = this.#address;
    return 'path' in address ? unixUrl(address.path) : hostAndPort(remoteAddress, remotePort);
  }

  /** Takes no more connections, lets `end` end those that are in use, and cuts the others. */
  async close(end: () => Promise<unknown>): Promise<void> {
    this.#certificates?.close();
    const closed = new Promise((resolve) => this.server.close(resolve));
    await end();
    await Promise.all([closed, this.#destroyOpen()]);
  }

  #tlsOptions(): TlsOptions | undefined {
    const options = this.#certificates?.initial;
    if (!options) return undefined;
    // With authorities for clients, one that has no certificate of theirs is refused.
    const requestCert = options.ca !== undefined;
    return { ...options, requestCert, handshakeTimeout: handshakeTimeoutMs };
  }

  /** Before it listens, so that closing finds a socket that never came further. */
  #watchSockets(connected: (socket: Socket) => void): void {
    // It may fail before its protocol looks after it, and after that let go of it: node:http does so at an
    // upgrade. Those of TLS are sockets of their own, on top of those that connected.
    const ignoreErrors = (socket: Socket): unknown => socket.on('error', () => undefined);
    this.server.on('connection', (socket: Socket) => {
      ignoreErrors(socket);
      this.#open.add(socket);
      socket.once('close', () => this.#open.delete(socket));
    });
    this.server.on('secureConnection', ignoreErrors);
    this.server.on(this.#certificates ? 'secureConnection' : 'connection', connected);
  }

  #watchRefusals(): void {
    const { maxConnections, onRefused } = this.#settings;
    this.server.on('drop', (dropped = {}) => {
      const reason = new SlimError('refused', `more than ${maxConnections} connections`);
      onRefused?.(reason, this.remoteOf(dropped));
    });
    this.server.on('tlsClientError', (reason: NodeJS.ErrnoException, socket: TlsClient) => {
      const { authorizationError } = socket;
      // A client that just leaves, such as a probe of the port, was not refused.
      if (!reason.code?.startsWith('ERR_SSL') && !authorizationError) return;
      const what = 'TLS handshake';
      const refusal = authorizationError
        ? new SlimError('refused', `${what}: ${String(authorizationError)}`, { cause: reason })
        : SlimError.from(reason, 'refused', what);
      onRefused?.(refusal, this.remoteOf(socket));
    });
  }

  #followCertificates(): void {
    const { server } = this;
    if (!(server instanceof TlsServer)) return;
    const { clock = systemClock } = this.#settings;
    this.#certificates?.follow(clock, (changed) => server.setSecureContext(changed));
  }

  /** Settles when all are gone, which is a little later than the server says it is closed. */
  async #destroyOpen(): Promise<void> {
    const gone = [...this.#open].map((socket) => {
      const closed = new Promise((resolve) => socket.once('close', resolve));
      socket.destroy();
      return closed;
    });
    await Promise.all(gone);
  }
}

interface Remote {
  readonly remoteAddress?: string | undefined;
  readonly remotePort?: number | undefined;
}

interface TlsClient extends Remote {
  /**
   * Why its certificate is not trusted; its handshake then ends as if it had hung up itself. Declared as an
   * error, and a code at run time.
   */
  readonly authorizationError?: string | Error;
}
