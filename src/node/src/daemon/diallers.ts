import type { BackoffPolicy, ConnectOptions, LinkDialler } from '@nestjs-slim/core';
import {
  http2Dialler,
  webSocketDialler,
  type Http2DiallerOptions,
} from '@nestjs-slim/platform-node';
import { isLink } from '../config/consistency.js';
import type { NodeConfig } from '../config/node-config.js';
import type { Backoff, Client } from '../config/schema/client.js';
import type { Duration } from '../config/schema/values.js';
import { defined } from './defined.js';
import type { OnFileError } from './file-errors.js';
import { credentialsOf } from './link-auth.js';
import type { Owned } from './owned.js';
import { diallerTls } from './tls-settings.js';

/** A client of the configuration, ready to be dialled. */
export interface Dialled {
  readonly dialler: LinkDialler;
  readonly options: ConnectOptions;
}

/** The clients of a configuration; credentials are put into `owned`. @throws SlimError `invalid-config` */
export async function clientsOf(
  config: NodeConfig,
  owned: Owned,
  onTlsError: OnFileError,
): Promise<Dialled[]> {
  const routes = config.nestjs_slim?.routes ?? [];
  const dialled: Dialled[] = [];
  for (const client of config.service.dataplane?.clients ?? []) {
    const { connection_type: kind = 'edge', link_id: linkId, backoff } = client;
    const names = routes.filter(({ link }) => isLink(client, link)).flatMap((route) => route.names);
    const options = { kind, routes: names, ...defined({ linkId, backoff: backoffOf(backoff) }) };
    dialled.push({ dialler: await diallerOf(client, config, owned, onTlsError), options });
  }
  return dialled;
}

/** Dials a node that the configuration names; credentials are put into `owned`. @throws SlimError `invalid-config` */
export async function diallerOf(
  client: Client,
  config: NodeConfig,
  owned: Owned,
  onTlsError: OnFileError,
): Promise<LinkDialler> {
  const credentials = owned.add(await credentialsOf(client.auth));
  // With other schemes there is no TLS, whatever the file says of it (reference: data plane 6.4).
  const isTls = /^(?:https|wss):/.test(client.endpoint);
  const tls = isTls ? diallerTls(client.tls, client.server_name, onTlsError) : undefined;
  const options = defined({ credentials, tls, ...dialOptions(client, config) });
  return /^wss?:/.test(client.endpoint)
    ? webSocketDialler(client.endpoint, withOrigin(options))
    : http2Dialler(client.endpoint, options);
}

function dialOptions({ keepalive, ...client }: Client, { nestjs_slim: own }: NodeConfig) {
  return {
    keepaliveMs: keepalive?.http2_keepalive?.ms,
    keepaliveTimeoutMs: notZero(keepalive?.timeout),
    connectTimeoutMs: notZero(client.connect_timeout),
    maxQueuedBytes: own?.limits?.max_queued_bytes,
    headers: client.headers,
    origin: client.origin,
  };
}

/** Officially zero is no limit, which is the default here as well. */
function notZero(duration: Duration | undefined): number | undefined {
  return duration?.ms === 0 ? undefined : duration?.ms;
}

/** On a WebSocket the origin is a header, not the authority. */
function withOrigin<Options extends Http2DiallerOptions>({ origin, headers, ...options }: Options) {
  return { ...options, headers: { ...headers, ...(origin !== undefined && { origin }) } };
}

const defaultIntervalMs = 1_000;
const defaultBaseMs = 100;
const defaultMaxDelayMs = 1_000;

/** Pauses between attempts, of which both official kinds are bounds. */
function backoffOf(backoff: Backoff | undefined): BackoffPolicy | undefined {
  if (!backoff) return undefined;
  if (backoff.type === 'fixed_interval') {
    const ms = Math.max(1, backoff.interval?.ms ?? defaultIntervalMs);
    return { firstMs: ms, maxMs: ms };
  }
  const { base = defaultBaseMs, factor = 1, max_delay: maxDelay } = backoff;
  const maxMs = Math.max(1, maxDelay?.ms ?? defaultMaxDelayMs);
  return { firstMs: Math.min(base * factor, maxMs), maxMs };
}
