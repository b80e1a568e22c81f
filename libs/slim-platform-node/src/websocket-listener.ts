import { createServer as createHttpServer, type IncomingMessage, type Server } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { Socket } from 'node:net';
import type { TlsOptions } from 'node:tls';
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
import { defaultHeaderListBytes } from './http2-settings.js';
import { checkNumbers, type ListenerSettings } from './listener-options.js';
import { ListeningServer } from './listening-server.js';
import { WebSocketLink } from './websocket-link.js';
import { createUpgrades, type Upgrades } from './websocket-upgrade.js';

/** How long a client may take for its request (reference: data plane 6.9). */
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
  readonly #upgrades: Upgrades;
  readonly #server: ListeningServer<Server>;
  readonly #ages: ConnectionAges;
  /** Sockets without a link yet, and what stops the time they have for one. */
  readonly #waiting = new Map<Socket, Cancel>();
  readonly #links = new Set<WebSocketLink>();
  #closing: Promise<void> | undefined;

  constructor(options: WebSocketListenerOptions, upgrades: Upgrades, accept: (link: Link) => void) {
    const { host, port, clock = systemClock, maxConnections = defaultConnections } = options;
    const { maxHeaderListBytes = defaultHeaderListBytes } = options;
    this.#options = options;
    this.#accept = accept;
    this.#clock = clock;
    this.#upgrades = upgrades;
    this.#ages = new ConnectionAges(options.maxConnectionAgeMs);
    const settings = { ...options, maxConnections };
    this.#server = new ListeningServer({ host, port }, settings, {
      create: (tls) => createServer(tls, maxHeaderListBytes),
      connected: (socket) => this.#awaitRequest(socket),
    });
    this.#watchRequests();
  }

  get url(): string {
    const { path = '/' } = this.#options;
    return this.#server.urlOf('ws') + (path === '/' ? '' : path);
  }

  listen(): Promise<void> {
    return this.#server.listen();
  }

  close(): Promise<void> {
    this.#closing ??= this.#server.close(() => this.#endLinks());
    return this.#closing;
  }

  #watchRequests(): void {
    const { server } = this.#server;
    server.on('request', (request, response) => {
      this.#upgrades.refuse(request, response, this.#server.remoteOf(request.socket));
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
    const remote = this.#server.remoteOf(socket);
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
    const retire = (): void => void link.retire();
    const cancelAge = ageMs === undefined ? undefined : clock.schedule(ageMs, retire);
    socket.once('close', () => {
      cancelAge?.();
      this.#links.delete(link);
    });
    this.#accept(link);
  }

  #endLinks(): Promise<unknown> {
    return Promise.all([...this.#links].map((link) => link.close()));
  }
}

function createServer(tls: TlsOptions | undefined, maxHeaderSize: number): Server {
  if (!tls) return createHttpServer({ maxHeaderSize });
  return createHttpsServer({ ...tls, maxHeaderSize, ALPNProtocols: ['http/1.1'] });
}
