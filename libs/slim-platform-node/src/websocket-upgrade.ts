import { STATUS_CODES, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { SlimError, type Clock } from '@nestjs-slim/core';
import type { WebSocket, WebSocketServer } from 'ws';
import { admit, httpStatusOf } from './link-admission.js';
import type { LinkAuthenticator } from './link-auth/link-auth.js';
import { messageOptions } from './websocket-link.js';
import { linkRequest, misdirected, type RequestRules } from './websocket-request.js';

/** Whom to let in, and who is told. */
export interface UpgradeOptions {
  readonly rules: RequestRules;
  readonly authenticator: LinkAuthenticator | undefined;
  readonly clock: Clock;
  /** A request got no link. */
  refused(reason: SlimError, remote: string): void;
}

/** One request on a socket that is about to change its protocol. */
export interface UpgradeRequest {
  readonly request: IncomingMessage;
  readonly socket: Socket;
  /** What came behind the request already. */
  readonly head: Buffer;
  readonly remote: string;
}

/** What turns requests into WebSockets. */
export async function createUpgrades(options: UpgradeOptions): Promise<Upgrades> {
  // Not before it is needed: most applications never do, and it takes long to load.
  const { WebSocketServer } = await import('ws');
  const server = new WebSocketServer({
    ...messageOptions,
    noServer: true,
    clientTracking: false,
    // There is no sub-protocol, whatever is offered (reference: data plane 6.9).
    handleProtocols: () => false,
  });
  return new Upgrades(server, options);
}

/** Turns requests into WebSockets, or into an answer that says why not. */
export class Upgrades {
  readonly #options: UpgradeOptions;
  readonly #server: WebSocketServer;

  constructor(server: WebSocketServer, options: UpgradeOptions) {
    this.#server = server;
    this.#options = options;
    this.#server.on('wsClientError', ({ message }, socket, { socket: { remoteAddress } }) => {
      this.#options.refused(new SlimError('refused', message), remoteAddress ?? 'unknown');
      answer(socket, 400);
    });
  }

  /** Calls `opened` at most once, as soon as there is a WebSocket. */
  handle(upgrade: UpgradeRequest, opened: (socket: WebSocket) => void): void {
    const { request, remote, socket, head } = upgrade;
    const { rules, authenticator, clock } = this.#options;
    const misdirection = misdirected(request, rules);
    if (misdirection) {
      this.#options.refused(misdirection.reason, remote);
      return answer(socket, misdirection.status);
    }
    const admitted = (): void => this.#server.handleUpgrade(request, socket, head, opened);
    if (!authenticator) return admitted();
    const refused = (reason: SlimError): void => {
      this.#options.refused(reason, remote);
      answer(socket, httpStatusOf(reason), authenticator.challenge);
    };
    const outcome = { admitted, refused };
    const giveUp = admit({ authenticator, clock }, linkRequest(request, remote), outcome);
    socket.once('close', giveUp);
  }

  /** A request that does not even ask for a WebSocket. */
  refuse(request: IncomingMessage, response: ServerResponse, remote: string): void {
    const { rules } = this.#options;
    const misdirection = misdirected(request, rules);
    const what = `${request.method} ${rules.path} without an upgrade to WebSocket`;
    this.#options.refused(misdirection?.reason ?? new SlimError('refused', what), remote);
    response.writeHead(misdirection?.status ?? 400, { connection: 'close' }).end();
  }
}

/** Answers and hangs up. */
function answer(socket: Duplex, status: number, challenge?: string): void {
  const lines = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}`,
    'connection: close',
    'content-length: 0',
    ...(challenge === undefined ? [] : [`www-authenticate: ${challenge}`]),
  ];
  socket.once('finish', () => socket.destroy());
  socket.end(`${lines.join('\r\n')}\r\n\r\n`);
}
