import { z } from 'zod';
import { clientAuth } from './auth.js';
import { clientTls } from './tls.js';
import {
  count,
  duration,
  flag,
  freeMap,
  list,
  oneOf,
  optional,
  section,
  text,
  timeLimit,
} from './values.js';

const keepalive = section({
  tcp_keepalive: duration.optional(),
  http2_keepalive: timeLimit
    .optional()
    .describe('How long a server may be silent before a ping asks it; 60s'),
  timeout: timeLimit.optional().describe('How long its answer may take; 20s'),
  keep_alive_while_idle: flag.optional(),
});

const maxAttempts = count(1).optional().describe('Give up after so many; never unless given');

const backoff = z
  .discriminatedUnion(
    'type',
    [
      section({
        type: z.literal('fixed_interval'),
        interval: duration.optional().describe('Pause between attempts; 1s'),
        max_attempts: maxAttempts,
      }),
      section({
        type: z.literal('exponential'),
        base: count(1).optional().describe('In milliseconds; 100'),
        factor: count(1).optional(),
        max_delay: duration.optional().describe('The longest pause; 1s'),
        max_attempts: maxAttempts,
        jitter: flag.optional(),
      }),
    ],
    { error: 'a section with type "fixed_interval" or "exponential"' },
  )
  .meta({ id: 'backoff' });

const proxy = section({
  url: optional(text),
  tls: clientTls.optional(),
  username: optional(text),
  password: optional(text),
  headers: freeMap.optional(),
});

const clientKeys = {
  endpoint: text
    .regex(/^(?:unix:\/\/\/.+|(?:https?|wss?):\/\/[^\s@]+)$/, {
      error: 'a URL that begins with http://, https://, ws://, wss:// or unix:///',
    })
    .describe('http://, https://, ws://, wss:// or unix:/// URL'),
  tls: clientTls.optional().describe('With http:// and ws:// there is no TLS whatever it says'),
  auth: clientAuth.optional().describe('What is shown to the server; nothing unless given'),
  server_name: optional(text).describe('The name in the certificate of the server'),
  connection_type: oneOf(['edge', 'peer', 'remote']).optional().describe('edge unless given'),
  link_id: text.optional().describe('Random unless given'),
  backoff: backoff.optional().describe('Pauses between attempts to connect'),
  connect_timeout: timeLimit.optional(),
  keepalive: optional(keepalive),
  require_header_mac: flag
    .optional()
    .describe('Here it holds for all links, so it must be what the first server says'),
  headers: z.record(z.string(), text, { error: 'a section' }).optional(),
  origin: optional(text),
  proxy: optional(proxy),
  request_timeout: duration.optional(),
  buffer_size: optional(count()),
  rate_limit: optional(text),
  compression: optional(
    oneOf(['Gzip', 'Zlib', 'Deflate', 'Snappy', 'Zstd', 'Lz4', 'None', 'Empty']),
  ),
  // Stands in an example of the official repository; nothing reads it.
  websocket_auth_query_param: optional(text),
  metadata: optional(freeMap),
};

/** One node that ours connects to. */
export const client = section(clientKeys).meta({ id: 'client' });

const staticPeer = section({ node_id: text, ...clientKeys }).meta({ id: 'peer' });

/** The replicas of this node. */
export const peers = section({
  topology: oneOf(['full_mesh']).optional(),
  deployment_name: optional(text),
  discovery: z.discriminatedUnion(
    'type',
    [
      section({
        type: z.literal('static'),
        peers: list(staticPeer).min(1, { error: 'at least one peer' }),
      }),
      z.looseObject({ type: z.literal('kubernetes') }),
    ],
    { error: 'a section with type "static"' },
  ),
});

export type Client = z.output<typeof client>;
export type StaticPeer = z.output<typeof staticPeer>;
export type Peers = z.output<typeof peers>;
export type Backoff = z.output<typeof backoff>;
