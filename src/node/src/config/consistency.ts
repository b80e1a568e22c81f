import type { ConfigIssue } from './config-issue.js';
import type { ConfigTree } from './config-tree.js';
import { requiresHeaderMac, staticPeers } from './header-mac-rule.js';
import type { ClientAuth, JwtAuth, OidcAuth, ServerAuth } from './schema/auth.js';
import type { Client } from './schema/client.js';
import type { ConfigFile, Service } from './schema/config-file.js';
import type { Server } from './schema/server.js';
import type { ServerTls } from './schema/tls.js';

const MIN_HMAC_BYTES = 32;

type Keys = readonly (string | number)[];

/** What is wrong, or odd, with values that are each right by themselves. */
export interface Consistency {
  readonly errors: ConfigIssue[];
  readonly warnings: ConfigIssue[];
}

/** Compares values of a file with each other. */
export function checkConsistency(file: ConfigFile, tree: ConfigTree): Consistency {
  const check = new Check(tree);
  for (const [id, service] of Object.entries(file.services)) {
    check.service(['services', id], service);
    check.routes(file.nestjs_slim?.routes ?? [], service.dataplane?.clients ?? []);
  }
  return check;
}

class Check implements Consistency {
  readonly errors: ConfigIssue[] = [];
  readonly warnings: ConfigIssue[] = [];
  readonly #tree: ConfigTree;

  constructor(tree: ConfigTree) {
    this.#tree = tree;
  }

  service(at: Keys, service: Service): void {
    const { servers = [], clients = [] } = service.dataplane ?? {};
    const replicas = staticPeers(service.peers);
    if (servers.length + clients.length + replicas.length === 0) {
      this.#error([...at, 'dataplane'], 'expected at least one server or client');
    }
    for (const [index, server] of servers.entries()) {
      const place = [...at, 'dataplane', 'servers', index];
      this.#server(place, server);
      if (servers[0]) this.#asTheFirst(place, servers[0], server);
    }
    const isStrict = requiresHeaderMac(service);
    const dialled = [
      { list: clients, place: ['dataplane', 'clients'] },
      { list: replicas, place: ['peers', 'discovery', 'peers'] },
    ];
    for (const { list, place } of dialled) {
      for (const [index, client] of list.entries()) {
        this.#client([...at, ...place, index], client, isStrict);
      }
    }
  }

  routes(routes: readonly { readonly link: string }[], clients: readonly Client[]): void {
    for (const [index, { link }] of routes.entries()) {
      if (clients.some((client) => isLink(client, link))) continue;
      const message = 'expected the link_id or the endpoint of a client in dataplane.clients';
      this.#error(['nestjs_slim', 'routes', index, 'link'], message);
    }
  }

  #server(at: Keys, { endpoint, tls = {}, auth }: Server): void {
    const insecure = tls.insecure === true;
    const hasCertificate = tls.source !== undefined && tls.source.type !== 'none';
    if (insecure) this.#unusedTls(at, tls);
    if (endpoint.startsWith('unix:') || endpoint.startsWith('ws:')) {
      if (!insecure) this.#error([...at, 'tls'], 'expected insecure: true with this endpoint');
    } else if (endpoint.startsWith('wss:') && insecure) {
      this.#error([...at, 'tls', 'insecure'], 'expected a certificate with this endpoint');
    } else if (!insecure && !hasCertificate) {
      // Whoever wrote `insecure: false` looks for the mistake there.
      const key = tls.insecure === false ? ['tls', 'insecure'] : ['tls'];
      this.#error([...at, ...key], 'expected a certificate (source) or insecure: true');
    }
    this.#serverAuth([...at, 'auth'], auth);
  }

  /** Whoever writes a certificate into an insecure section believes the link to be protected. */
  #unusedTls(at: Keys, { source, client_ca }: ServerTls): void {
    const unused = { source, client_ca };
    for (const [key, value] of Object.entries(unused)) {
      if (value === undefined || value.type === 'none') continue;
      this.#warning([...at, 'tls', key], 'not used, because of insecure: true');
    }
  }

  #serverAuth(at: Keys, auth: ServerAuth | undefined): void {
    if (auth?.type === 'jwt') this.#verification(at, auth);
    if (auth?.type === 'oidc' && auth.audience === undefined) {
      this.#error([...at, 'audience'], 'missing, expected text in a server');
    }
  }

  #verification(at: Keys, { key, claims }: JwtAuth): void {
    if (key.type === 'encoding') {
      this.#error([...at, 'key', 'type'], 'expected "decoding" or "autoresolve" in a server');
    } else if (key.type === 'decoding') {
      this.#hmacKey(at, key);
    } else if (typeof claims?.issuer !== 'string') {
      // The official node asks whoever a token names, so that anybody can sign.
      this.#error(
        [...at, 'claims', 'issuer'],
        'missing, expected text with key.type "autoresolve"',
      );
    }
  }

  /** Shorter ones can be guessed from a token (RFC 7518, section 3.2). */
  #hmacKey(
    at: Keys,
    { algorithm, key: { data } }: Exclude<JwtAuth['key'], { type: 'autoresolve' }>,
  ) {
    if (!algorithm.startsWith('HS') || data === undefined) return;
    if (Buffer.byteLength(data) >= MIN_HMAC_BYTES) return;
    const message = `expected at least ${MIN_HMAC_BYTES} bytes with ${algorithm}`;
    this.#error([...at, 'key', 'key', 'data'], message);
  }

  /** The official node takes these of its first server for all links. */
  #asTheFirst(at: Keys, first: Server, server: Server): void {
    for (const key of ['require_header_mac', 'negotiation_timeout_secs'] as const) {
      if (server[key] === undefined || server[key] === first[key]) continue;
      this.#warning([...at, key], 'ignored: what the first server says holds for all links');
    }
  }

  #client(at: Keys, { endpoint, tls = {}, auth, ...client }: Client, isStrict: boolean): void {
    if ((client.require_header_mac ?? true) !== isStrict) {
      const message = `expected ${isStrict}: it holds for all links, and the first one says so`;
      this.#error([...at, 'require_header_mac'], message);
    }
    const isTls = /^(?:https|wss):/.test(endpoint);
    if (isTls && tls.insecure === true) {
      const plain = endpoint.startsWith('wss:') ? 'ws://' : 'http://';
      this.#error([...at, 'tls', 'insecure'], `expected ${plain} in the endpoint, or no insecure`);
    }
    const hasAuthority = tls.ca_source !== undefined && tls.ca_source.type !== 'none';
    if (isTls && tls.include_system_ca_certs_pool === false && !hasAuthority) {
      this.#error([...at, 'tls', 'ca_source'], 'missing, as the CAs of the system are not trusted');
    }
    if (isTls && tls.insecure_skip_verify === true) {
      this.#warning([...at, 'tls', 'insecure_skip_verify'], 'the server is not verified');
    }
    this.#clientAuth([...at, 'auth'], auth);
  }

  #clientAuth(at: Keys, auth: ClientAuth | undefined): void {
    if (auth?.type === 'jwt') this.#signing(at, auth);
    if (auth?.type === 'oidc') this.#clientCredentials(at, auth);
  }

  #signing(at: Keys, { key, claims }: JwtAuth): void {
    if (key.type !== 'encoding') {
      return this.#error([...at, 'key', 'type'], 'expected "encoding" in a client');
    }
    if (key.format === 'jwks') {
      this.#error([...at, 'key', 'format'], 'expected "pem" or "jwk" in a client: one key signs');
    }
    if (typeof claims?.subject !== 'string') {
      this.#error([...at, 'claims', 'subject'], 'missing, expected text in a client');
    }
    this.#hmacKey(at, key);
  }

  #clientCredentials(at: Keys, auth: OidcAuth): void {
    for (const key of ['refresh_token', 'refresh_token_file', 'access_token_file'] as const) {
      if (auth[key] === undefined) continue;
      this.#error([...at, key], 'not supported: only client_id with client_secret is');
    }
    for (const key of ['client_id', 'client_secret'] as const) {
      if (auth[key] === undefined) this.#error([...at, key], 'missing, expected text in a client');
    }
  }

  #error(keys: Keys, message: string): void {
    this.errors.push(this.#at(keys, message));
  }

  #warning(keys: Keys, message: string): void {
    this.warnings.push(this.#at(keys, message));
  }

  #at(keys: Keys, message: string): ConfigIssue {
    const { path, line } = this.#tree.locate(keys).origin;
    return { path, line, message };
  }
}

/** Whether somebody who writes that means this client. */
export function isLink({ link_id: id, endpoint }: Client, written: string): boolean {
  return written === (id ?? endpoint) || written === endpoint;
}
