import type { ConfigIssue } from './config-issue.js';
import { isSection, type ConfigSection, type ConfigTree, type ConfigValue } from './config-tree.js';

/**
 * Rewrites what files of mid 2025 say into today's words (reference: data plane 6.2), so that the
 * schema knows one spelling. What is said in both stays as it is: the schema then refuses the older.
 * Answers with a warning for each, as the official node no longer reads them.
 */
export function rewriteOlderSpellings(tree: ConfigTree): ConfigIssue[] {
  const rewriter = new Rewriter(tree);
  rewriter.file(tree.root);
  return rewriter.warnings;
}

/** Pairs of an older key and today's, by where they stand. */
const renamed = {
  service: [
    ['pubsub', 'dataplane'],
    ['group_name', 'domain_name'],
  ],
  server: [['link_hmac_timeout_secs', 'negotiation_timeout_secs']],
  client: [['connection_timeout', 'connect_timeout']],
  clientKeepalive: [['permit_without_stream', 'keep_alive_while_idle']],
  claims: [
    ['aud', 'audience'],
    ['audiences', 'audience'],
    ['iss', 'issuer'],
    ['sub', 'subject'],
  ],
  tracing: [['filter', 'filters']],
} as const satisfies Readonly<Record<string, readonly (readonly [string, string])[]>>;

/** Kinds of authentication that were keys. */
const authKinds = new Set(['none', 'basic', 'bearer', 'jwt', 'static_jwt', 'oidc', 'spire']);

/** Today's spelling too, though it is not the first one in the official sources. */
const alsoToday = new Set(['aud', 'audiences', 'iss', 'sub']);

class Rewriter {
  readonly warnings: ConfigIssue[] = [];
  readonly #tree: ConfigTree;

  constructor(tree: ConfigTree) {
    this.#tree = tree;
  }

  file(root: ConfigValue): void {
    if (!isSection(root)) return;
    if (isSection(root.tracing)) {
      this.#rename(root.tracing, 'tracing');
      this.#listOf(root.tracing, 'filters');
    }
    for (const service of sectionsIn(root.services)) {
      this.#rename(service, 'service');
      for (const part of [service.dataplane, service.controller]) this.#endpoints(part);
      if (!isSection(service.peers) || !isSection(service.peers.discovery)) continue;
      for (const peer of sectionsIn(service.peers.discovery.peers)) this.#client(peer);
    }
  }

  #endpoints(part: ConfigValue | undefined): void {
    if (!isSection(part)) return;
    for (const server of sectionsIn(part.servers)) {
      this.#rename(server, 'server');
      this.#security(server);
    }
    for (const list of [part.clients, part.outbound_clients]) {
      for (const client of sectionsIn(list)) this.#client(client);
    }
  }

  #client(client: ConfigSection): void {
    this.#rename(client, 'client');
    this.#security(client);
    if (isSection(client.keepalive)) this.#rename(client.keepalive, 'clientKeepalive');
    if (isSection(client.backoff)) this.#milliseconds(client.backoff, 'max_delay');
    if (isSection(client.proxy)) this.#tls(client.proxy);
  }

  #security(endpoint: ConfigSection): void {
    this.#tls(endpoint);
    this.#auth(endpoint);
    if (!isSection(endpoint.auth) || endpoint.auth.type !== 'jwt') return;
    const { auth } = endpoint;
    if (isSection(auth.claims)) {
      this.#rename(auth.claims, 'claims');
      this.#listOf(auth.claims, 'audience');
    }
    this.#jwtKey(auth);
  }

  /** `cert_file` and `key_file` become a `source`, `ca_file` a `ca_source`, and so on. */
  #tls({ tls }: ConfigSection): void {
    if (!isSection(tls)) return;
    for (const [kind, suffix] of [
      ['file', '_file'],
      ['pem', '_pem'],
    ] as const) {
      const pair = [
        [`cert${suffix}`, 'cert'],
        [`key${suffix}`, 'key'],
      ] as const;
      this.#gather(tls, 'source', kind, pair);
      const value = kind === 'file' ? 'path' : 'data';
      this.#gather(tls, 'ca_source', kind, [[`ca${suffix}`, value]]);
      this.#gather(tls, 'client_ca', kind, [[`client_ca${suffix}`, value]]);
    }
  }

  /** `basic: {…}` becomes `type: basic` with what stands in it. */
  #auth(endpoint: ConfigSection): void {
    const { auth } = endpoint;
    if (!isSection(auth) || 'type' in auth) return;
    const [kind, ...others] = Object.keys(auth);
    const content = kind === undefined ? undefined : auth[kind];
    if (kind === undefined || !authKinds.has(kind)) return;
    if (others.length > 0 || !isSection(content)) return;
    this.#warn(auth, kind, `auth.type: ${kind}`);
    this.#tree.move([auth, kind], [endpoint, 'auth']);
    content.type = kind === 'bearer' ? 'static_jwt' : kind;
  }

  /** `decoding: { algorithm, pem | file }` becomes `type: decoding` with a format and a key. */
  #jwtKey(auth: ConfigSection): void {
    const { key } = auth;
    if (!isSection(key) || 'type' in key) return;
    const kind = ['encoding', 'decoding', 'autoresolve'].find((name) => name in key);
    const content = kind === undefined ? undefined : key[kind];
    if (kind === undefined || !isSection(content)) return;
    this.#warn(key, kind, `key.type: ${kind}`);
    this.#tree.move([key, kind], [auth, 'key']);
    content.type = kind;
    if (kind === 'autoresolve') return;
    for (const [older, newer] of [
      ['pem', 'data'],
      ['file', 'file'],
    ] as const) {
      if (!(older in content)) continue;
      const value: ConfigSection = {};
      this.#tree.move([content, older], [value, newer]);
      content.format ??= 'pem';
      content.key = value;
    }
  }

  #rename(section: ConfigSection, where: keyof typeof renamed): void {
    for (const [older, newer] of renamed[where]) {
      if (!(older in section) || newer in section) continue;
      if (!alsoToday.has(older)) this.#warn(section, older, newer);
      this.#tree.move([section, older], [section, newer]);
    }
  }

  /** Puts the values of older keys into one section of that type, unless today's key is there as well. */
  #gather(
    section: ConfigSection,
    newer: string,
    type: string,
    keys: readonly (readonly [older: string, inner: string])[],
  ): void {
    const [first] = keys.filter(([older]) => older in section);
    if (!first || newer in section) return;
    const origin = this.#tree.originOf(section, first[0]);
    const gathered: ConfigSection = { type };
    for (const [older, inner] of keys) {
      if (older in section) this.#warn(section, older, `${newer}.${inner}`);
      this.#tree.move([section, older], [gathered, inner]);
    }
    section[newer] = gathered;
    if (origin) this.#tree.place(section, newer, origin);
  }

  #listOf(section: ConfigSection, key: string): void {
    const value = section[key];
    if (typeof value !== 'string') return;
    const list = [value];
    const origin = this.#tree.originOf(section, key);
    if (origin) this.#tree.place(list, 0, origin);
    section[key] = list;
  }

  #milliseconds(section: ConfigSection, key: string): void {
    const value = section[key];
    if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0) return;
    this.#warn(section, key, `${key}: ${value}ms`);
    section[key] = `${value}ms`;
  }

  #warn(section: ConfigSection, key: string, newer: string): void {
    const { path = key, line } = this.#tree.originOf(section, key) ?? {};
    this.warnings.push({ path, line, message: `older spelling, today ${newer}` });
  }
}

function sectionsIn(value: ConfigValue | undefined): ConfigSection[] {
  const values = Array.isArray(value) ? value : isSection(value) ? Object.values(value) : [];
  return values.filter(isSection);
}
