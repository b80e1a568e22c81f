import type { ConfigTree, ConfigValue } from './config-tree.js';
import { isSection } from './config-tree.js';
import type { ConfigIssue } from './config-issue.js';

/** A part of the official configuration that has no effect here, or that this node cannot follow. */
interface Row {
  /** Keys from the root; `*` is any one, `[]` the items of a list. */
  readonly path: string;
  /** Ignored with a warning, or refused: what protects or connects is never ignored. */
  readonly effect: 'ignored' | 'refused';
  readonly why: string;
  /** Whether this value matters; every value does when absent. */
  readonly when?: (value: ConfigValue) => boolean;
}

const service = 'services.*';
const servers = `${service}.dataplane.servers.[]`;
const clients = [`${service}.dataplane.clients.[]`, `${service}.peers.discovery.peers.[]`];

const isTrue = (value: ConfigValue): boolean => value === true;
const isNotEmpty = (value: ConfigValue): boolean =>
  typeof value !== 'object' || Object.keys(value ?? {}).length > 0;
const isOfType =
  (type: string) =>
  (value: ConfigValue): boolean =>
    isSection(value) && value.type === type;

const noThreads = 'this node runs on one thread';
const noController = 'this node takes no orders from a controller; list clients or peers instead';
const noSpire =
  'the SPIRE Workload API is not spoken; let spiffe-helper write files and name those files';
const noPolicy = 'policies (rego, cel) cannot be judged';

const filesLookedAt = 'files are read again within a second after they change';

const tokenLife = 'a token says itself how long it is good';

const serverRows: readonly Row[] = [
  { path: 'auth.duration', effect: 'ignored', why: tokenLife },
  ...['read_buffer_size', 'write_buffer_size', 'link_hmac_poll_interval_ms'].map((key): Row => ({
    path: key,
    effect: 'ignored',
    why: 'has no effect in the official node either',
  })),
  {
    path: 'http2_only',
    effect: 'ignored',
    why: 'HTTP/1 is refused in any case, as by the official node',
    when: (value) => value === false,
  },
  { path: 'metadata', effect: 'ignored', why: 'it is for a controller' },
  {
    path: 'keepalive.max_connection_idle',
    effect: 'ignored',
    why: 'has no effect in the official node either',
  },
  { path: 'tls.ca_source', effect: 'ignored', why: 'a server trusts what client_ca says' },
  {
    path: 'tls.include_system_ca_certs_pool',
    effect: 'ignored',
    why: 'a server trusts what client_ca says',
  },
  { path: 'tls.reload_interval', effect: 'ignored', why: filesLookedAt },
  { path: 'tls.reload_client_ca_file', effect: 'ignored', why: filesLookedAt },
  { path: 'tls.client_ca', effect: 'refused', why: noSpire, when: isOfType('spire') },
];

const clientRows: readonly Row[] = [
  {
    path: 'auth',
    effect: 'ignored',
    why: `the duration in it; ${tokenLife}`,
    when: (value) => isSection(value) && value.type === 'static_jwt' && 'duration' in value,
  },
  { path: 'keepalive.keep_alive_while_idle', effect: 'ignored', why: 'a link is never idle' },
  { path: 'backoff.max_attempts', effect: 'ignored', why: 'a link is dialled until it is there' },
  {
    path: 'backoff.jitter',
    effect: 'ignored',
    why: 'pauses always vary, so that nodes do not come back all at once',
    when: (value) => value === false,
  },
  ...['buffer_size', 'rate_limit', 'compression', 'metadata', 'websocket_auth_query_param'].map(
    (key): Row => ({
      path: key,
      effect: 'ignored',
      why: 'has no effect on a link',
    }),
  ),
  { path: 'request_timeout', effect: 'ignored', why: 'it would end every link after that time' },
  {
    path: 'keepalive.tcp_keepalive',
    effect: 'ignored',
    why: 'HTTP/2 pings notice a silent server',
  },
  { path: 'tls.reload_interval', effect: 'ignored', why: 'files are read at every dial' },
  { path: 'proxy', effect: 'refused', why: 'links do not go through a proxy', when: isNotEmpty },
  { path: 'tls.ca_source', effect: 'refused', why: noSpire, when: isOfType('spire') },
];

const bothRows: readonly Row[] = [
  { path: 'auth.jwks_ttl', effect: 'ignored', why: 'keys are kept for an hour' },
  { path: 'auth.claim_cache_ttl', effect: 'ignored', why: 'every token is judged anew' },
  { path: 'tls.source', effect: 'refused', why: noSpire, when: isOfType('spire') },
  { path: 'auth', effect: 'refused', why: noSpire, when: isOfType('spire') },
  { path: 'auth.policy', effect: 'refused', why: noPolicy, when: isNotEmpty },
];

const below = (prefix: string, rows: readonly Row[]): Row[] =>
  rows.map((row) => ({ ...row, path: `${prefix}.${row.path}` }));

/** All that the official node reads and this one does not follow. */
const rows: readonly Row[] = [
  { path: 'tracing.display_thread_names', effect: 'ignored', why: noThreads },
  { path: 'tracing.display_thread_ids', effect: 'ignored', why: noThreads },
  { path: 'tracing.filters', effect: 'ignored', why: 'log_level is for all of the node' },
  {
    path: 'tracing.opentelemetry',
    effect: 'ignored',
    why: 'nothing is exported; nestjs_slim.admin offers metrics',
    when: (value) => isSection(value) && value.enabled === true,
  },
  { path: 'runtime.n_cores', effect: 'ignored', why: noThreads },
  { path: 'runtime.thread_name', effect: 'ignored', why: noThreads },
  { path: `${service}.auth`, effect: 'ignored', why: 'it is for a controller' },
  {
    path: `${service}.dataplane.enforce_pqc`,
    effect: 'refused',
    why: 'links cannot be made post-quantum only',
    when: isTrue,
  },
  {
    path: `${service}.controller.servers`,
    effect: 'ignored',
    why: 'nothing listens there, as this node takes no orders from a controller',
    when: isNotEmpty,
  },
  ...['clients', 'outbound_clients'].map((key): Row => ({
    path: `${service}.controller.${key}`,
    effect: 'refused',
    why: noController,
    when: isNotEmpty,
  })),
  {
    path: `${service}.peers.discovery`,
    effect: 'refused',
    why: 'Kubernetes is not asked for peers; list them with type "static"',
    when: isOfType('kubernetes'),
  },
  ...below(servers, [...serverRows, ...bothRows]),
  ...clients.flatMap((client) => below(client, [...clientRows, ...bothRows])),
];

/** What a file says that this node does not follow. */
export interface NotHonoured {
  readonly ignored: readonly ConfigIssue[];
  readonly refused: readonly ConfigIssue[];
}

/** Looks for all that is ignored or refused. */
export function findNotHonoured(tree: ConfigTree): NotHonoured {
  const found = { ignored: [] as ConfigIssue[], refused: [] as ConfigIssue[] };
  for (const { path, effect, why, when } of rows) {
    for (const keys of matching(tree.root, path.split('.'))) {
      const { origin, value } = tree.locate(keys);
      // Nothing written is the same as no key.
      if (value === undefined || value === null || (when && !when(value))) continue;
      const message = effect === 'ignored' ? `ignored: ${why}` : `not supported: ${why}`;
      found[effect].push({ path: origin.path, line: origin.line, message });
    }
  }
  return found;
}

type Keys = readonly (string | number)[];

/** Every place in the values that the pattern describes. */
function matching(value: ConfigValue | undefined, pattern: readonly string[]): Keys[] {
  const [first, ...rest] = pattern;
  if (first === undefined) return [[]];
  const into = (key: string | number, child: ConfigValue | undefined): Keys[] =>
    child === undefined ? [] : matching(child, rest).map((keys) => [key, ...keys]);
  if (first === '[]') {
    return Array.isArray(value) ? value.flatMap((item, index) => into(index, item)) : [];
  }
  if (!isSection(value)) return [];
  if (first === '*') return Object.entries(value).flatMap(([key, child]) => into(key, child));
  return into(first, value[first]);
}
