import { describe, expect, it } from '@jest/globals';
import { at, client, plain, withClient, withServer } from './testing/one-link.js';
import { samples } from './testing/samples.js';
import { valid, wrong } from './testing/verdict.js';

const address = 'a port of at most 65535, and nothing but an IPv6 address in brackets';

describe('a configuration file', () => {
  it.each(Object.entries(samples))('is read: %s', (_name, text) => {
    expect(wrong(text)).toStrictEqual([]);
  });

  it('gives durations in milliseconds, and what is not written stays away', () => {
    const { config } = valid(samples['several servers, of both transports'] ?? '');
    const [first] = config.service.dataplane?.servers ?? [];
    expect(first).toStrictEqual({
      endpoint: '[::1]:46357',
      tls: { insecure: true },
      max_frame_size: 4,
      keepalive: {
        time: { ms: 90_000 },
        timeout: { ms: 500 },
        max_connection_age: { ms: 7_200_000 },
      },
    });
  });

  it('says which service it is for', () => {
    const { config } = valid(samples['clients with every kind of authentication'] ?? '');
    expect([config.serviceId, config.service.node_id]).toStrictEqual(['slim/edge-1', 'edge-1']);
  });

  it.each([
    ['${env:PASSWORD}', 'from the environment'],
    ['${file:/token}', 'from a file\n'],
    ['before ${env:PASSWORD}', 'before ${env:PASSWORD}'],
  ])('takes %s for %j', (written, value) => {
    const { config } = valid(
      withServer(plain, `auth: { type: basic, username: a, password: "${written}" }`),
    );
    expect(config.service.dataplane?.servers?.[0]?.auth).toMatchObject({ password: value });
  });
});

describe('older spellings', () => {
  it('become those of today, each with a warning', () => {
    const { config, warnings } = valid(samples['older keys for TLS and authentication'] ?? '');
    const { servers = [], clients = [] } = config.service.dataplane ?? {};
    expect(servers[0]).toStrictEqual({
      endpoint: '0.0.0.0:46357',
      tls: {
        source: { type: 'file', cert: '/tls/server.crt', key: '/tls/server.key' },
        client_ca: { type: 'file', path: '/tls/clients.crt' },
      },
      auth: {
        type: 'jwt',
        claims: { audience: ['slim'], issuer: 'acme' },
        key: {
          type: 'decoding',
          algorithm: 'ES256',
          format: 'pem',
          key: { data: 'the public key' },
        },
      },
      negotiation_timeout_secs: 7,
    });
    expect(clients[0]).toMatchObject({
      tls: {
        ca_source: { type: 'pem', data: 'the authority' },
        source: { type: 'pem', cert: 'the certificate', key: 'the private key' },
      },
      auth: { type: 'basic', username: 'node-a', password: 'correct-horse-battery-staple-0123' },
      backoff: { max_delay: { ms: 1_500 } },
      keepalive: { keep_alive_while_idle: true },
    });
    const older = 'older spelling, today';
    expect(warnings).toStrictEqual([
      `f:4: services.slim/0.pubsub: ${older} dataplane`,
      `f:8: services.slim/0.pubsub.servers[0].tls.cert_file: ${older} source.cert`,
      `f:9: services.slim/0.pubsub.servers[0].tls.key_file: ${older} source.key`,
      `f:10: services.slim/0.pubsub.servers[0].tls.client_ca_file: ${older} client_ca.path`,
      `f:12: services.slim/0.pubsub.servers[0].auth.jwt: ${older} auth.type: jwt`,
      `f:15: services.slim/0.pubsub.servers[0].auth.jwt.key.decoding: ${older} key.type: decoding`,
      `f:16: services.slim/0.pubsub.servers[0].link_hmac_timeout_secs: ${older} negotiation_timeout_secs`,
      `f:20: services.slim/0.pubsub.clients[0].tls.ca_pem: ${older} ca_source.data`,
      `f:21: services.slim/0.pubsub.clients[0].tls.cert_pem: ${older} source.cert`,
      `f:22: services.slim/0.pubsub.clients[0].tls.key_pem: ${older} source.key`,
      `f:24: services.slim/0.pubsub.clients[0].auth.basic: ${older} auth.type: basic`,
      `f:25: services.slim/0.pubsub.clients[0].backoff.max_delay: ${older} max_delay: 1500ms`,
      `f:26: services.slim/0.pubsub.clients[0].keepalive.permit_without_stream: ${older} keep_alive_while_idle`,
      'f:26: services.slim/0.pubsub.clients[0].keepalive.permit_without_stream: ignored: a link is never idle',
    ]);
  });

  it('are named as they stand when they are wrong', () => {
    const text = withServer('tls: { cert_file: 7, key_file: /k }').replace('dataplane', 'pubsub');
    expect(wrong(text)).toStrictEqual([
      'f:6: services.slim/0.pubsub.servers[0].tls.cert_file: expected text, got something else',
    ]);
  });

  it('do not stand beside those of today', () => {
    const source = 'source: { type: pem, cert: a, key: b }';
    const [issue] = wrong(withServer(`tls: { ${source}, cert_file: /a, key_file: /b }`));
    expect(issue).toMatch(
      `f:6: ${at}.tls.cert_file: unknown key, expected one of insecure, source`,
    );
  });
});

describe('what is wrong is named with line, key path and what was expected', () => {
  it.each<readonly [string, string]>([
    ['servces: {}', 'f:1: servces: unknown key, did you mean services?'],
    [
      `${withServer(plain)}\nnestjs_slim: { routes: [{ link: a, names: [a/b] }] }`,
      'f:7: nestjs_slim.routes[0].names[0]: expected a name such as org/namespace/service, got "a/b"',
    ],
    [
      withServer(plain, 'require_header_mack: true'),
      `f:7: ${at}.require_header_mack: unknown key, did you mean require_header_mac?`,
    ],
    [
      withServer('tls: { tls_version: tls1.4 }'),
      `f:6: ${at}.tls.tls_version: expected "tls1.2" or "tls1.3", got "tls1.4"`,
    ],
    [
      withServer('tls: { insecure: yes }'),
      `f:6: ${at}.tls.insecure: expected true or false, got "yes"`,
    ],
    [withServer('tls:'), `f:6: ${at}.tls: expected a section, got nothing`],
    [
      withServer('tls: { source: { type: pem, cert: a } }'),
      `f:6: ${at}.tls.source.key: missing, expected text`,
    ],
    [
      withServer('tls: { source: { type: p12, cert: a } }'),
      `f:6: ${at}.tls.source.type: expected a section with type "file", "pem" or "none", got something else`,
    ],
    [withServer(), `f:5: ${at}.tls: expected a certificate (source) or insecure: true`],
    [
      withServer('tls: { insecure: false }'),
      `f:6: ${at}.tls.insecure: expected a certificate (source) or insecure: true`,
    ],
    [
      withServer(plain, 'keepalive: { time: 10 }'),
      `f:7: ${at}.keepalive.time: expected a duration such as "10s", "1m30s" or "500ms", got 10`,
    ],
    [
      withServer(plain, 'keepalive: { time: 0s }'),
      `f:7: ${at}.keepalive.time: expected a duration longer than zero, got "0s"`,
    ],
    [
      withServer(plain, 'negotiation_timeout_secs: 0'),
      `f:7: ${at}.negotiation_timeout_secs: expected a whole number of at least 1, got 0`,
    ],
    [
      withServer(plain, 'auth: basic'),
      `f:7: ${at}.auth: expected a section with type "none", "basic", "jwt" or "oidc", got something else`,
    ],
    [
      withServer(plain, 'auth:'),
      `f:7: ${at}.auth: expected a section with type "none", "basic", "jwt" or "oidc", got nothing`,
    ],
    [
      withServer(plain, 'auth: { type: basic, username: a, pasword: b }'),
      `f:7: ${at}.auth.pasword: unknown key, did you mean password?`,
    ],
    [
      withServer(plain, 'auth: { type: basic, username: a, password: 12345 }'),
      `f:7: ${at}.auth.password: expected text, got something else`,
    ],
    [
      withServer(
        plain,
        'auth: { type: jwt, key: { type: encoding, algorithm: HS256, format: pem, key: { data: a } } }',
      ),
      `f:7: ${at}.auth.key.type: expected "decoding" or "autoresolve" in a server`,
    ],
    [
      withServer(
        plain,
        'auth: { type: jwt, key: { type: decoding, algorithm: HS256, format: pem, key: {} } }',
      ),
      `f:7: ${at}.auth.key.key: expected either file or data, got a section`,
    ],
    [
      withServer(plain, 'auth: { type: oidc, issuer_url: a }'),
      `f:7: ${at}.auth.audience: missing, expected text in a server`,
    ],
    [
      withServer(plain).replace('0.0.0.0:1', 'http://0.0.0.0:1'),
      `f:5: ${at}.endpoint: expected HOST:PORT, ws://HOST:PORT/PATH, wss://HOST:PORT/PATH or unix:///PATH, got "http://0.0.0.0:1"`,
    ],
    [
      withServer(plain).replace('0.0.0.0:1', '0.0.0.0:65536'),
      `f:5: ${at}.endpoint: expected ${address}, got "0.0.0.0:65536"`,
    ],
    [
      withServer(plain).replace('0.0.0.0:1', 'ws://[a]:1/x'),
      `f:5: ${at}.endpoint: expected ${address}, got "ws://[a]:1/x"`,
    ],
    [
      withServer(plain).replace('0.0.0.0:1', 'ws://0.0.0.0:1/x?y'),
      `f:5: ${at}.endpoint: expected HOST:PORT, ws://HOST:PORT/PATH, wss://HOST:PORT/PATH or unix:///PATH, got "ws://0.0.0.0:1/x?y"`,
    ],
    [
      `${withServer(plain)}\nnestjs_slim: { admin: { endpoint: "a:65536" } }`,
      `f:7: nestjs_slim.admin.endpoint: expected ${address}, got "a:65536"`,
    ],
    [
      withServer().replace('0.0.0.0:1', 'ws://0.0.0.0:1'),
      `f:5: ${at}.tls: expected insecure: true with this endpoint`,
    ],
    [
      withServer(plain).replace('0.0.0.0:1', 'wss://0.0.0.0:1'),
      `f:6: ${at}.tls.insecure: expected a certificate with this endpoint`,
    ],
    [
      withClient(plain),
      `f:6: ${client}.tls.insecure: expected http:// in the endpoint, or no insecure`,
    ],
    [
      withClient().replace('https://', ''),
      `f:5: ${client}.endpoint: expected a URL that begins with http://, https://, ws://, wss:// or unix:///, got "a:1"`,
    ],
    [
      withClient(
        'auth: { type: oidc, issuer_url: a, client_id: b, client_secret: c, refresh_token: d }',
      ),
      `f:6: ${client}.auth.refresh_token: not supported: only client_id with client_secret is`,
    ],
    ['services: { slim/0: {}, slim/1: {} }', 'f:1: services: expected one service, got a section'],
    ['services: { SLIM: {} }', 'f:1: services.SLIM: expected a name such as slim/0'],
    [
      'services: { slim/0: {} }',
      'f:1: services.slim/0.dataplane: expected at least one server or client',
    ],
    ['tracing: {}', 'f: services: missing, expected a section'],
    ['', 'f: expected a section, got nothing'],
    ['- a', 'f: expected a section, got a list'],
    ['a: 1\na: 2', 'f:2: not valid YAML: this key stands here a second time'],
    ['a: "b', 'f:1: not valid YAML: a character is missing, such as a quote, colon or bracket'],
    ['a: !!binary aGVsbG8=', 'f:1: a: expected text, a number, true or false'],
    ['a: *b', 'f:1: a: not valid YAML: an alias of nothing'],
    [`a: ${'['.repeat(80)}${']'.repeat(80)}`, 'f:1: a'],
  ])('%j', (text, issue) => {
    const issues = wrong(text);
    expect(issues.filter((line) => line.startsWith(issue))).toHaveLength(1);
  });

  it('does not unfold aliases of aliases', () => {
    const levels = [...Array(9).keys()].map((level) =>
      level === 0
        ? 'a0: &a0 [x, x, x, x, x, x, x, x, x]'
        : `a${level}: &a${level} [${Array(9)
            .fill(`*a${level - 1}`)
            .join(', ')}]`,
    );
    expect(wrong(levels.join('\n'))[0]).toMatch(/the file holds too much$/);
  });

  it('lists all that is wrong, in the order of the file', () => {
    const text = withServer('tls: { insecure: 1 }', 'htp2_only: true', 'http2_only: 3');
    expect(wrong(text).map((line) => line.split(':')[1])).toStrictEqual(['6', '7', '8']);
  });
});

describe('what this node cannot follow', () => {
  const spire = 'source: { type: spire, socket_path: unix:///s }';
  it.each<readonly [string, string]>([
    [withServer(`tls: { ${spire} }`), `${at}.tls.source: not supported: the SPIRE`],
    [withServer(plain, 'auth: { type: spire }'), `${at}.auth: not supported: the SPIRE`],
    [
      withServer(plain, 'auth: { type: oidc, issuer_url: a, audience: b, policy: { cel: c } }'),
      `${at}.auth.policy: not supported: policies`,
    ],
    [
      withServer(plain).replace('      servers', '      enforce_pqc: true\n      servers'),
      'services.slim/0.dataplane.enforce_pqc: not supported',
    ],
    [withClient('proxy: { url: http://p }'), `${client}.proxy: not supported`],
    [
      `${withServer(plain)}\n    controller: { clients: [{ endpoint: http://a }] }`,
      'services.slim/0.controller.clients: not supported',
    ],
    [
      `${withServer(plain)}\n    peers: { discovery: { type: kubernetes } }`,
      'services.slim/0.peers.discovery: not supported',
    ],
  ])('is refused: %j', (text, issue) => {
    const issues = wrong(text);
    expect(issues).toHaveLength(1);
    expect(issues[0]).toContain(issue);
  });

  it.each<readonly [string, string]>([
    [
      withServer(plain, 'read_buffer_size: 7'),
      `f:7: ${at}.read_buffer_size: ignored: has no effect`,
    ],
    [withServer(plain, 'http2_only: false'), `f:7: ${at}.http2_only: ignored`],
    [
      withServer('tls: { insecure: true, source: { type: pem, cert: a, key: b } }'),
      `f:6: ${at}.tls.source: not used, because of insecure: true`,
    ],
    [
      withServer('tls: { insecure: true, reload_interval: 10s }'),
      `f:6: ${at}.tls.reload_interval: ignored: files are read again within a second after they change`,
    ],
    [
      withServer('tls: { insecure: true, reload_client_ca_file: true }'),
      `f:6: ${at}.tls.reload_client_ca_file: ignored: files are read again within a second`,
    ],
    [
      withClient('tls: { reload_interval: 10s }'),
      `f:6: ${client}.tls.reload_interval: ignored: files are read at every dial`,
    ],
    [withClient('request_timeout: 10s'), `f:6: ${client}.request_timeout: ignored`],
    [
      withClient('tls: { insecure_skip_verify: true }'),
      `f:6: ${client}.tls.insecure_skip_verify: the server is not verified`,
    ],
    [
      `tracing: { display_thread_ids: true }\n${withServer(plain)}`,
      'f:1: tracing.display_thread_ids: ignored',
    ],
    [
      `tracing: { opentelemetry: { enabled: true } }\n${withServer(plain)}`,
      'f:1: tracing.opentelemetry: ignored: nothing is exported',
    ],
    [
      `${withServer(plain)}\n    controller: { servers: [{ endpoint: "0.0.0.0:2" }] }`,
      'f:7: services.slim/0.controller.servers: ignored',
    ],
  ])('is ignored with a warning where it protects nothing: %j', (text, warning) => {
    const { warnings } = valid(text);
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toContain(warning);
  });

  it.each([
    withServer(plain, 'http2_only: true'),
    withServer(plain).replace('      servers', '      enforce_pqc: false\n      servers'),
    `${withServer(plain)}\n    controller: { servers: [], clients: [], outbound_clients: [] }`,
    withClient('proxy: {}', 'origin: ~', 'compression: ~'),
  ])('is not spoken of where it says nothing: %j', (text) => {
    expect(valid(text).warnings).toStrictEqual([]);
  });
});

describe('a reference', () => {
  it.each([
    ['${env:MISSING}', 'the environment variable MISSING is not set'],
    ['${file:/missing}', 'the file /missing cannot be read: ENOENT: no such file'],
    ['${vault:x}', 'expected ${env:NAME} or ${file:PATH}'],
    ['${env:}', 'expected ${env:NAME} or ${file:PATH}'],
  ])('%s without a value is named with its key path', (written, message) => {
    const auth = `auth: { type: basic, username: a, password: "${written}" }`;
    expect(wrong(withServer(plain, auth))).toStrictEqual([`f:7: ${at}.auth.password: ${message}`]);
  });

  it('is shown in place of a value that is wrong', () => {
    expect(wrong(`tracing: { log_level: "\${env:LEVEL}" }\n${withServer(plain)}`)).toStrictEqual([
      'f:1: tracing.log_level: expected "off" or "error" or "warn" or "info" or "debug" or "trace", ' +
        'got the value of ${env:LEVEL}',
    ]);
  });
});
