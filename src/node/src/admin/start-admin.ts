import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { SlimError, systemClock, type Clock } from '@nestjs-slim/core';
import { parseHostPort, type HostPort } from '../host-port.js';
import { AdminPort } from './admin-port.js';
import { send, textAnswer } from './answer.js';
import type { Log } from './log.js';
import { hostOf, isLoopback } from './loopback.js';
import type { ObservedNode } from './observed-node.js';
import { readPageFiles } from './page-files.js';

/** How the admin port is opened. */
export interface AdminOptions {
  /** `HOST:PORT`. Whoever reaches it can read all that it shows, so it should be of the loopback device. */
  readonly endpoint: string;
  readonly log: Log;
  readonly clock?: Clock;
}

/** An open admin port. */
export interface Admin {
  /** Where the status page is. */
  readonly url: string;
  /** Frees the port and ends every connection to it. May be called twice. */
  close(): Promise<void>;
}

/** Scrapers and browsers send little, and few come at a time. */
const limits = { headersTimeout: 5_000, requestTimeout: 5_000, maxHeaderSize: 8_192 };
const maxConnections = 64;

const { version } = createRequire(import.meta.url)('../../package.json') as { version: string };

/**
 * Opens the admin port: status page, metrics, health. Start it when the node listens.
 * @throws SlimError `invalid-config` for another endpoint than `HOST:PORT`, `link-failed` when the port
 * cannot be opened
 */
export async function startAdmin(node: ObservedNode, options: AdminOptions): Promise<Admin> {
  const { endpoint, log, clock = systemClock } = options;
  const address = parseHostPort(endpoint, 'for the admin port');
  const files = await readPageFiles();
  const port = new AdminPort({ node, clock, version, files });
  const server = createServer(limits, answering(port, address, log));
  server.maxConnections = maxConnections;
  try {
    await listen(server, address);
  } catch (reason) {
    port.close();
    throw SlimError.from(reason, 'link-failed', `cannot open the admin port ${endpoint}`);
  }
  const url = urlOf(server, address.host);
  log.info({ event: 'admin-started', url }, `admin port at ${url}`);
  if (!isLoopback(address.host)) {
    const text = 'the admin port can be reached from other machines, and asks nobody who they are';
    log.warn({ event: 'admin-open', url }, text);
  }
  return {
    url,
    close: async () => {
      port.close();
      if (!server.listening) return;
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

function answering(port: AdminPort, { host }: HostPort, log: Log) {
  const isLocal = isLoopback(host);
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    try {
      // A page of the web whose name was made to point here must not read what only this machine may.
      if (isLocal && !isLoopback(hostOf(request.headers.host))) {
        const text = 'the admin port is for this machine: ask for localhost, not for another name';
        return send(response, textAnswer(421, text));
      }
      send(response, await port.answer(request));
    } catch (reason) {
      log.error({ event: 'admin-failed', reason }, 'the admin port could not answer');
      if (!response.headersSent) send(response, textAnswer(500, 'it failed; the log says why'));
    }
  };
  return (request: IncomingMessage, response: ServerResponse): void => {
    void answer(request, response);
  };
}

async function listen(server: Server, { host, port }: HostPort): Promise<void> {
  const listening = once(server, 'listening'); // rejects with the first 'error'
  server.listen(port, host);
  await listening;
}

function urlOf(server: Server, host: string): string {
  const { port } = server.address() as AddressInfo;
  const shown = host.includes(':') ? `[${host}]` : host;
  return `http://${shown}:${port}/`;
}
