/** A file with one server or client, and these lines in it from the sixth on. */
function withOne(kind: 'servers' | 'clients', endpoint: string, lines: readonly string[]): string {
  const head = ['services:', '  slim/0:', '    dataplane:', `      ${kind}:`];
  const inside = lines.map((line) => `          ${line}`);
  return [...head, `        - endpoint: ${endpoint}`, ...inside].join('\n');
}

/** A file with one server, and these lines in it. */
export const withServer = (...lines: readonly string[]): string =>
  withOne('servers', '0.0.0.0:1', lines);

/** A file with one client, and these lines in it. */
export const withClient = (...lines: readonly string[]): string =>
  withOne('clients', 'https://a:1', lines);

/** Where that server stands, in an issue. */
export const at = 'services.slim/0.dataplane.servers[0]';

/** Where that client stands, in an issue. */
export const client = 'services.slim/0.dataplane.clients[0]';

/** The line that a server without encryption needs. */
export const plain = 'tls: { insecure: true }';
