import type { z } from 'zod';
import { hostPortOf } from '../../host-port.js';
import { serverAuth } from './auth.js';
import { serverTls } from './tls.js';
import {
  addressError,
  count,
  duration,
  flag,
  freeMap,
  maxInt32,
  optional,
  positiveTimeLimit,
  section,
  text,
} from './values.js';

const MAX_FRAME_MIB = 15;
const MIN_HEADER_BYTES = 1024;

const keepalive = section({
  time: positiveTimeLimit
    .optional()
    .describe('How long a client may be silent before a ping asks it; 60s'),
  timeout: positiveTimeLimit.optional().describe('How long its answer may take; 20s'),
  max_connection_age: positiveTimeLimit
    .optional()
    .describe('After which a connection is ended in order; 2h'),
  max_connection_age_grace: duration.optional(),
  max_connection_idle: duration.optional(),
});

/** One place where the node listens. */
export const server = section({
  endpoint: text
    .regex(
      /^(?:unix:\/\/\/.+|wss?:\/\/(?:\[[^\]]+\]|[^:/[\]@]+):\d{1,5}(?:\/[^?#\s]*)?|(?:\[[^\]]+\]|[^:/[\]@]+):\d{1,5})$/,
      {
        error: 'HOST:PORT, ws://HOST:PORT/PATH, wss://HOST:PORT/PATH or unix:///PATH',
        abort: true,
      },
    )
    .refine(hasAddress, { error: addressError })
    .describe('HOST:PORT, ws://HOST:PORT/PATH, wss://HOST:PORT/PATH or unix:///PATH'),
  tls: serverTls.optional().describe('TLS with a certificate unless insecure is true'),
  auth: serverAuth.optional().describe('Who may open a link; everybody unless given'),
  keepalive: keepalive.optional(),
  require_header_mac: flag
    .optional()
    .describe('Refuse links that cannot authenticate their headers; true'),
  negotiation_timeout_secs: count(1).optional().describe('How long a new link may take; 5'),
  max_frame_size: optional(count(1).max(MAX_FRAME_MIB, { error: `at most ${MAX_FRAME_MIB} MiB` })),
  max_concurrent_streams: optional(count(1, maxInt32)),
  max_header_list_size: optional(count(MIN_HEADER_BYTES, maxInt32)),
  read_buffer_size: optional(count()),
  write_buffer_size: optional(count()),
  http2_only: flag.optional(),
  link_hmac_poll_interval_ms: count().optional(),
  metadata: optional(freeMap),
}).meta({ id: 'server' });

export type Server = z.output<typeof server>;

function hasAddress(endpoint: string): boolean {
  if (endpoint.startsWith('unix:')) return true;
  return hostPortOf(endpoint.replace(/^wss?:\/\/([^/]+).*$/, '$1')) !== undefined;
}
