import type { z } from 'zod';
import { serverAuth } from './auth.js';
import { serverTls } from './tls.js';
import {
  count,
  duration,
  flag,
  freeMap,
  optional,
  positiveDuration,
  section,
  text,
} from './values.js';

const MAX_FRAME_MIB = 15;

const keepalive = section({
  time: positiveDuration
    .optional()
    .describe('How long a client may be silent before a ping asks it; 60s'),
  timeout: positiveDuration.optional().describe('How long its answer may take; 20s'),
  max_connection_age: positiveDuration
    .optional()
    .describe('After which a connection is ended in order; 2h'),
  max_connection_age_grace: duration.optional(),
  max_connection_idle: duration.optional(),
});

/** One place where the node listens. */
export const server = section({
  endpoint: text
    .regex(
      /^(?:unix:\/\/\/.+|wss?:\/\/(?:\[[^\]]+\]|[^:/[\]@]+):\d{1,5}(?:\/.*)?|(?:\[[^\]]+\]|[^:/[\]@]+):\d{1,5})$/,
      { error: 'HOST:PORT, ws://HOST:PORT/PATH, wss://HOST:PORT/PATH or unix:///PATH' },
    )
    .refine((endpoint) => portOf(endpoint) <= 65_535, { error: 'a port of at most 65535' })
    .describe('HOST:PORT, ws://HOST:PORT/PATH, wss://HOST:PORT/PATH or unix:///PATH'),
  tls: serverTls.optional().describe('TLS with a certificate unless insecure is true'),
  auth: serverAuth.optional().describe('Who may open a link; everybody unless given'),
  keepalive: keepalive.optional(),
  require_header_mac: flag
    .optional()
    .describe('Refuse links that cannot authenticate their headers; true'),
  negotiation_timeout_secs: count(1).optional().describe('How long a new link may take; 5'),
  max_frame_size: optional(count(1).max(MAX_FRAME_MIB, { error: `at most ${MAX_FRAME_MIB} MiB` })),
  max_concurrent_streams: optional(count(1)),
  max_header_list_size: optional(count(1)),
  read_buffer_size: optional(count()),
  write_buffer_size: optional(count()),
  http2_only: flag.optional(),
  link_hmac_poll_interval_ms: count().optional(),
  metadata: optional(freeMap),
}).meta({ id: 'server' });

export type Server = z.output<typeof server>;

function portOf(endpoint: string): number {
  return endpoint.startsWith('unix:') ? 0 : Number(/:(\d+)(?:\/.*)?$/.exec(endpoint)?.[1]);
}
