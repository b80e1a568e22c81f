import { SlimError } from '@nestjs-slim/core';
import {
  listenHttp2,
  listenWebSocket,
  type LinkAuthenticator,
  type ListenerTls,
  type OpenListener,
} from '@nestjs-slim/platform-node';
import type { NodeConfig } from '../config/node-config.js';
import type { Server } from '../config/schema/server.js';
import { defined } from './defined.js';
import type { FileErrors } from './file-errors.js';
import { authenticatorOf } from './link-auth.js';
import { parseListenEndpoint } from './listen-endpoint.js';
import type { Owned } from './owned.js';
import { listenerTls } from './tls-settings.js';

const mebibyte = 1_048_576;

/** As in the official node (reference: data plane 6.3). */
const defaultMaxConnectionAgeMs = 2 * 3_600_000;

/** The listeners of a configuration; authenticators are put into `owned`. @throws SlimError `invalid-config` */
export async function listenersOf(
  config: NodeConfig,
  owned: Owned,
  fileErrors: FileErrors,
): Promise<OpenListener[]> {
  const openers: OpenListener[] = [];
  for (const server of config.service.dataplane?.servers ?? []) {
    const authenticator = owned.add(await authenticatorOf(server.auth, fileErrors.keySet));
    const tls = listenerTls(server.tls, fileErrors.tls);
    openers.push(openerOf({ server, config, tls, authenticator }));
  }
  return openers;
}

interface Parts {
  readonly server: Server;
  readonly config: NodeConfig;
  readonly tls: ListenerTls | undefined;
  readonly authenticator: LinkAuthenticator | undefined;
}

function openerOf({ server, config, tls, authenticator }: Parts): OpenListener {
  const { max_concurrent_streams: streams, max_frame_size: frameMib } = server;
  const shared = defined({ tls, authenticator, ...settingsOf(server, config) });
  const endpoint = parseListenEndpoint(server.endpoint);
  if (endpoint.kind === 'websocket') {
    const { address, path, secure } = endpoint;
    if (secure !== (tls !== undefined)) {
      const expected = secure ? 'a certificate' : 'no TLS';
      throw new SlimError('invalid-config', `${server.endpoint}: expected ${expected}`);
    }
    // There the official node takes streams for the number of sockets.
    const maxConnections = smaller(streams, shared.maxConnections);
    const own = defined({ maxConnections, origins: config.nestjs_slim?.origins });
    const options = { ...shared, ...own, ...address, path };
    return (accept, onRefused) => listenWebSocket({ ...options, onRefused }, accept);
  }
  // The size of one HTTP/2 frame; a message may take many, and its own limit is that of the wire.
  const maxHttp2FrameBytes = frameMib === undefined ? undefined : frameMib * mebibyte;
  const own = defined({ maxConcurrentStreams: streams, maxHttp2FrameBytes });
  const options = { ...shared, ...own, ...endpoint.address };
  return (accept, onRefused) => listenHttp2({ ...options, onRefused }, accept);
}

function settingsOf({ keepalive, ...server }: Server, { nestjs_slim: own }: NodeConfig) {
  return {
    keepaliveMs: keepalive?.time?.ms,
    keepaliveTimeoutMs: keepalive?.timeout?.ms,
    maxConnectionAgeMs: keepalive?.max_connection_age?.ms ?? defaultMaxConnectionAgeMs,
    maxHeaderListBytes: server.max_header_list_size,
    maxQueuedBytes: own?.limits?.max_queued_bytes,
    maxConnections: own?.limits?.max_connections,
  };
}

/** Of two limits the one that is reached first; undefined when there is none. */
function smaller(one: number | undefined, other: number | undefined): number | undefined {
  const least = Math.min(one ?? Infinity, other ?? Infinity);
  return least === Infinity ? undefined : least;
}
