import { once } from 'node:events';
import { createServer as createHttpServer, type IncomingMessage, type Server } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { Socket } from 'node:net';
import {
  SlimError,
  systemClock,
  type Cancel,
  type Clock,
  type Link,
  type LinkListener,
} from '@nestjs-slim/core';
import type { WebSocket } from 'ws';
import { ConnectionAges } from './connection-ages.js';
import { hostAndPort } from './endpoint.js';
import { checkNumbers, type ListenerSettings } from './listener-options.js';
import { portOf, ServerSockets } from './server-sockets.js';
import { ListenerCertificates } from './tls/listener-certificates.js';
import { WebSocketLink } from './websocket-link.js';
import { createUpgrades, type Upgrades } from './websocket-upgrade.js';

/** How long a client may take for its request, and before that for TLS (reference: data plane 6.9). */
const requestMs = 10_000;

/** As many as the official node takes unless told otherwise (reference: data plane 6.3). */
const defaultConnections = 1024;

type SharedSettings =
  | 'tls'
  | 'authenticator'
  | 'maxConnections'
  | 'maxConnectionAgeMs'
  | 'maxQueuedBytes'
  | 'keepaliveMs'
  | 'keepaliveTimeoutMs'
  | 'maxHeaderListBytes'
  | 'onRefused'
  | 'clock';

/** Where to listen for WebSockets and for whom. */
export interface WebSocketListenerOptions extends Pick<ListenerSettings, SharedSettings> {
  readonly host: string;
  /** 0 takes a free port, which the URL of the listener then shows. */
  readonly port: number;
  /** What clients must ask for, exactly; `/` unless said otherwise. */
  readonly path?: string;
  /** Origins whose pages may connect, such as `https://shop.example`; those of every page when absent. */
  readonly origins?: readonly string[];
}

/**
 * Accepts links over WebSocket and hands each to `accept`.
 * @throws SlimError `link-failed` when the address cannot be had, `invalid-config`
 */
export async function listenWebSocket(
  options: WebSocketListenerOptions,
  accept: (link: Link) => void,
): Promise<LinkListener> {
  const { clock = systemClock, path = '/', origins, authenticator, onRefused } = options;
  checkNumbers(options);
  if (!/^\/[^?#\s]*$/.test(path)) {
    throw new SlimError('invalid-config', `expected a path such as /slim, got "${path}"`);
  }
  const refused = (reason: SlimError, remote: string): void => onRefused?.(reason, remote);
  const upgrades = await createUpgrades({
    rules: { path, origins },
    authenticator,
    clock,
    refused,
  });
  const listener = new WebSocketListener(options, upgrades, accept);
  await listener.listen();
  return listener;
}

class WebSocketListener implements LinkListener {
  readonly #options: WebSocketListenerOptions;
  readonly #accept: (link: Link) => void;
  readonly #clock: Clock;
  readonly #path: string;
  readonly #upgrades: Upgrades;
  readonly #certificates: ListenerCertificates | undefined;
  readonly #server: Server;
  readonly #sockets: ServerSockets;
  readonly #ages: ConnectionAges;
  /** Sockets without a link yet, and what stops the time they have for one. */
  readonly #waiting = new Map<Socket, Cancel>();
  readonly #links = new Set<WebSocketLink>();
  #port = 0;
  #closing: Promise<void> | undefined;

  constructor(options: WebSocketListenerOptions, upgrades: Upgrades, accept: (link: Link) => void) {
    const { clock = systemClock, path = '/', tls } = options;
    this.#options = options;
    this.#accept = accept;
    this.#clock = clock;
    this.#path = path;
    this.#upgrades = upgrades;
    this.#certificates = tls && new ListenerCertificates(tls);
    this.#server = this.#createServer();
    // Before any handshake, so that closing finds a socket that never came further.
    this.#sockets = new ServerSockets(this.#server);
    this.#ages = new ConnectionAges(options.maxConnectionAgeMs);
    this.#watch();
  }

  get url(): string {
    const { host, tls } = this.#options;
    const path = this.#path === '/' ? '' : this.#path;
    return `${tls ? 'wss' : 'ws'}://${hostAndPort(host, this.#port)}${path}`;
  }

  async listen(): Promise<void> {
    const { host, port } = this.#options;
    try {
      this.#server.listen({ host, port });
      await once(this.#server, 'listening');
    } catch (reason) {
      this.#certificates?.close();
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
    const { maxHeaderListBytes: maxHeaderSize = 16 * 1024 } = this.#options;
    const certificates = this.#certificates;
    if (!certificates) return createHttpServer({ maxHeaderSize });
    const server = createHttpsServer({
      ...certificates.initial,
      ...(this.#options.tls?.clientCa !== undefined && { requestCert: true }),
      maxHeaderSize,
      handshakeTimeout: requestMs,
      ALPNProtocols: ['http/1.1'],
    });
    certificates.follow(this.#clock, (changed) => server.setSecureContext(changed));
    return server;
  }

  #watch(): void {
    const server = this.#server;
    const { maxConnections = defaultConnections, onRefused } = this.#options;
    server.maxConnections = maxConnections;
    server.on('drop', (dropped) => {
      const remote = addressOf(dropped ?? {});
      onRefused?.(new SlimError('refused', `more than ${maxConnections} connections`), remote);
    });
    const ready = this.#certificates ? 'secureConnection' : 'connection';
    server.on(ready, (socket: Socket) => this.#awaitRequest(socket));
    server.on('request', (request, response) => {
      this.#upgrades.refuse(request, response, addressOf(request.socket));
    });
    server.on('upgrade', (request, _stream, head) => this.#upgrade(request, head));
  }

  #awaitRequest(socket: Socket): void {
    if (socket.destroyed) return;
    const cancel = this.#clock.schedule(requestMs, () => socket.destroy());
    this.#waiting.set(socket, cancel);
    socket.once('close', () => this.#stopWaiting(socket));
  }

  #stopWaiting(socket: Socket): void {
    this.#waiting.get(socket)?.();
    this.#waiting.delete(socket);
  }

  #upgrade(request: IncomingMessage, head: Buffer): void {
    const { socket } = request;
    // A refused request ended it, and so did closing.
    if (socket.destroyed || this.#closing) return void socket.destroy();
    const remote = addressOf(socket);
    this.#upgrades.handle({ request, socket, head, remote }, (opened) => {
      if (this.#closing) return opened.terminate();
      this.#stopWaiting(socket);
      this.#link(opened, socket, remote);
    });
  }

  #link(opened: WebSocket, socket: Socket, remote: string): void {
    const clock = this.#clock;
    const link = new WebSocketLink(opened, socket, { ...this.#options, remote, clock });
    this.#links.add(link);
    const ageMs = this.#ages.next();
    const end = (): void => void link.close();
    const cancelAge = ageMs === undefined ? undefined : clock.schedule(ageMs, end);
    socket.once('close', () => {
      cancelAge?.();
      this.#links.delete(link);
    });
    this.#accept(link);
  }

  async #close(): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#certificates?.close();
    this.#server.close();
    await Promise.all([...this.#links].map((link) => link.close()));
    await Promise.all([closed, this.#sockets.destroy()]);
  }
}

function addressOf(socket: {
  remoteAddress?: string | undefined;
  remotePort?: number | undefined;
}): string {
  const { remoteAddress = 'unknown', remotePort = 0 } = socket;
  return hostAndPort(remoteAddress, remotePort);
}
