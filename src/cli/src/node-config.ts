import { SlimError } from '@nestjs-slim/core';

/** What a configuration file says to our node. */
export interface NodeConfig {
  readonly listen: { readonly host: string; readonly port: number };
  readonly nodeId?: string;
  readonly requireHeaderMac?: boolean;
}

type Section = Readonly<Record<string, unknown>>;

/**
 * Reads the official YAML, today's `dataplane:` style or the older `pubsub:` (reference: data plane 6).
 * One plain-text server is understood. What would change how the node protects its links and is not
 * understood yet is refused, never ignored.
 * @throws SlimError `invalid-config` with file and key path
 */
export async function parseNodeConfig(text: string, file: string): Promise<NodeConfig> {
  // Not before it is needed: a node without a file starts faster.
  const { parse } = await import('yaml');
  const refuse = (path: string, expected: string, got: unknown): SlimError =>
    new SlimError(
      'invalid-config',
      `${file}: ${path}: expected ${expected}, got ${JSON.stringify(got)}`,
    );
  const section = (value: unknown, path: string): Section => {
    if (typeof value === 'object' && value !== null && !Array.isArray(value))
      return value as Section;
    throw refuse(path, 'a section', value);
  };
  const only = (value: Section, path: string, keys: readonly string[]): void => {
    for (const key of Object.keys(value)) {
      if (!keys.includes(key)) throw refuse(`${path}.${key}`, `one of ${keys.join(', ')}`, key);
    }
  };
  const empty = (value: unknown, path: string): void => {
    if (value === undefined || (Array.isArray(value) && value.length === 0)) return;
    throw refuse(path, 'nothing (not supported yet)', value);
  };

  const root = section(parse(text), 'file');
  only(root, 'file', ['tracing', 'runtime', 'services']);
  const services = Object.entries(section(root.services, 'services'));
  const [first] = services;
  if (!first || services.length > 1) throw refuse('services', 'one service', Object.keys(root));
  const [id, content] = first;
  const path = `services.${id}`;
  const service = section(content, path);
  only(service, path, ['node_id', 'dataplane', 'pubsub']);
  const plane = service.dataplane === undefined ? 'pubsub' : 'dataplane';
  const planePath = `${path}.${plane}`;
  const dataplane = section(service[plane], planePath);
  only(dataplane, planePath, ['servers', 'clients']);
  empty(dataplane.clients, `${planePath}.clients`);
  const servers = dataplane.servers;
  if (!Array.isArray(servers) || servers.length !== 1) {
    throw refuse(`${planePath}.servers`, 'one server', servers);
  }
  const serverPath = `${planePath}.servers[0]`;
  const server = section(servers[0], serverPath);
  only(server, serverPath, ['endpoint', 'tls', 'require_header_mac', 'http2_only', 'metadata']);
  const tls = section(server.tls, `${serverPath}.tls`);
  if (tls.insecure !== true) throw refuse(`${serverPath}.tls.insecure`, 'true', tls.insecure);
  const { require_header_mac: strict = true, endpoint } = server;
  if (typeof strict !== 'boolean')
    throw refuse(`${serverPath}.require_header_mac`, 'a boolean', strict);
  if (typeof endpoint !== 'string') throw refuse(`${serverPath}.endpoint`, 'HOST:PORT', endpoint);
  return {
    listen: parseListenAddress(endpoint),
    requireHeaderMac: strict,
    ...(typeof service.node_id === 'string' && { nodeId: service.node_id }),
  };
}

/** Reads `HOST:PORT`, with IPv6 hosts in brackets. @throws SlimError `invalid-config` */
export function parseListenAddress(text: string): { readonly host: string; readonly port: number } {
  const [, bracketed, plain, port] = /^(?:\[([^\]]+)\]|([^:]+)):(\d{1,5})$/.exec(text) ?? [];
  const host = bracketed ?? plain;
  if (host === undefined || Number(port) > 65_535) {
    throw new SlimError('invalid-config', `expected HOST:PORT to listen on, got "${text}"`);
  }
  return { host, port: Number(port) };
}
