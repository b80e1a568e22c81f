import type { ConfigFile, Service } from './schema/config-file.js';

/** A configuration file with its one service; durations are `{ ms }`. */
export interface NodeConfig extends Omit<ConfigFile, 'services'> {
  /** Such as `slim/0`. */
  readonly serviceId: string;
  readonly service: Service;
}

/** What a node runs with when there is no file: one server without TLS at HOST:PORT. */
export function plainConfig(endpoint: string): NodeConfig {
  const server = { endpoint, tls: { insecure: true } };
  return { serviceId: 'slim/0', service: { dataplane: { servers: [server] } } };
}
