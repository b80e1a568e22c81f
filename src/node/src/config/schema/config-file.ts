import { z } from 'zod';
import { hostPortOf } from '../../host-port.js';
import { logLevels } from '../../log-level.js';
import { serviceAuth } from './auth.js';
import { client, peers } from './client.js';
import { server } from './server.js';
import {
  addressError,
  count,
  duration,
  flag,
  list,
  name,
  oneOf,
  optional,
  positiveDuration,
  section,
  text,
} from './values.js';

const tracing = section({
  log_level: oneOf(logLevels).optional().describe('info unless given'),
  display_thread_names: flag.optional(),
  display_thread_ids: flag.optional(),
  filters: list(text).optional(),
  opentelemetry: section({
    enabled: flag.optional(),
    grpc: client.optional(),
    service_name: text.optional(),
    service_version: text.optional(),
    environment: text.optional(),
    metrics_interval_secs: count().optional(),
  }).optional(),
});

const runtime = section({
  drain_timeout: duration.optional().describe('How long ending in order may take; 10s'),
  n_cores: count().optional(),
  thread_name: text.optional(),
});

const service = section({
  node_id: text
    .optional()
    .describe('Announced to the other end of every link; random unless given'),
  domain_name: optional(text).describe('The deployment that peers belong to'),
  auth: optional(serviceAuth),
  dataplane: section({
    enforce_pqc: flag.optional(),
    servers: list(server).optional(),
    clients: list(client).optional(),
  }).optional(),
  controller: section({
    servers: list(server).optional(),
    clients: list(client).optional(),
    outbound_clients: list(client).optional(),
  }).optional(),
  peers: optional(peers),
});

const limits = section({
  max_connections: count(1).optional().describe('Connections that a server holds at a time'),
  max_links: count(1).optional().describe('Links that the node holds at a time'),
  max_subscriptions_per_link: count(1).optional().describe('Names that one link may subscribe to'),
  max_queued_bytes: count(65_536).optional().describe('Bytes that wait for one link at most'),
  stall: positiveDuration
    .optional()
    .describe('How long senders wait for a receiver that is full before its frames are shed'),
  dead: positiveDuration.optional().describe('After which a link that stays full is closed'),
});

const nestjsSlim = section({
  admin: section({
    endpoint: text
      .regex(/^(?:\[[^\]]+\]|[^:/[\]@]+):\d{1,5}$/, { error: 'HOST:PORT', abort: true })
      .refine((endpoint) => hostPortOf(endpoint) !== undefined, { error: addressError })
      .describe('HOST:PORT of the status page, metrics and health'),
  })
    .optional()
    .describe('Off unless given'),
  limits: limits.optional(),
  origins: list(text)
    .optional()
    .describe(
      'Web pages that may open WebSocket links, such as https://shop.example; all unless given',
    ),
  routes: list(section({ link: text, names: list(name).min(1, { error: 'at least one name' }) }))
    .optional()
    .describe(
      'Names whose messages go to a client of dataplane.clients, by its link_id or endpoint',
    ),
});

const serviceId = z.string().regex(/^slim\/[a-z0-9-]+$/, { error: 'a name such as slim/0' });

/** The configuration file of a node, the official one and our own section. */
export const configFile = section({
  tracing: tracing.optional(),
  runtime: runtime.optional(),
  services: z
    .record(serviceId, service, { error: 'a section' })
    .refine((services) => Object.keys(services).length === 1, { error: 'one service' }),
  nestjs_slim: nestjsSlim.optional().describe('What the official node does not have'),
});

export type ConfigFile = z.output<typeof configFile>;
export type Service = z.output<typeof service>;
export type Limits = z.output<typeof limits>;
