/** Files in the style of the official repository, each with what it is about. */
export const samples: Readonly<Record<string, string>> = {
  'the tutorial of 2025': `
tracing:
  log_level: info
  display_thread_names: true
  display_thread_ids: true
runtime:
  n_cores: 0
  thread_name: "slim-data-plane"
  drain_timeout: 10s
services:
  slim/0:
    pubsub:
      servers:
        - endpoint: "0.0.0.0:46357"
          tls:
            insecure: true
      clients: []
`,
  'older keys for TLS and authentication': `
services:
  slim/0:
    pubsub:
      servers:
        - endpoint: "0.0.0.0:46357"
          tls:
            cert_file: /tls/server.crt
            key_file: /tls/server.key
            client_ca_file: /tls/clients.crt
          auth:
            jwt:
              claims: { audience: slim, issuer: acme }
              key:
                decoding: { algorithm: ES256, pem: the public key }
          link_hmac_timeout_secs: 7
      clients:
        - endpoint: https://other.example:46357
          tls:
            ca_pem: the authority
            cert_pem: the certificate
            key_pem: the private key
          auth:
            basic: { username: node-a, password: correct-horse-battery-staple-0123 }
          backoff: { type: exponential, base: 100, max_delay: 1500 }
          keepalive: { permit_without_stream: true }
`,
  'several servers, of both transports': `
services:
  slim/0:
    dataplane:
      servers:
        - endpoint: "[::1]:46357"
          tls: { insecure: true }
          max_frame_size: 4
          keepalive: { time: 1m30s, timeout: 500ms, max_connection_age: 2h }
        - endpoint: ws://0.0.0.0:46358/slim
          tls: { insecure: true }
          require_header_mac: true
        - endpoint: wss://0.0.0.0:46359
          tls:
            source: { type: file, cert: /tls/tls.crt, key: /tls/tls.key }
            client_ca: { type: pem, data: the authority }
            tls_version: tls1.3
        - endpoint: unix:///run/slim.sock
          tls: { insecure: true }
          metadata: ~
`,
  'clients with every kind of authentication': `
services:
  slim/edge-1:
    node_id: edge-1
    dataplane:
      clients:
        - endpoint: http://10.0.0.1:46357
          connection_type: remote
          headers: { x-tenant: acme }
        - endpoint: https://a.example:46357
          server_name: node.internal
          tls:
            ca_source: { type: file, path: /tls/ca.crt }
            source: { type: pem, cert: the certificate, key: the private key }
          auth: { type: basic, username: node-a, password: correct-horse-battery-staple-0123 }
        - endpoint: https://b.example:46357
          auth:
            type: jwt
            claims: { audiences: [slim], issuer: acme, subject: node-a }
            duration: 10m
            key: { type: encoding, algorithm: HS256, format: pem, key: { data: correct-horse-battery-staple-0123 } }
        - endpoint: wss://c.example/slim
          auth: { type: static_jwt, file: /var/run/token, duration: 1h }
        - endpoint: https://d.example
          auth: { type: oidc, issuer_url: https://id.example, client_id: a, client_secret: correct-horse-battery-staple-0123 }
          backoff: { type: fixed_interval, interval: 2s, max_attempts: 10 }
`,
  'replicas that know each other': `
services:
  slim/0:
    node_id: slim-1
    domain_name: east
    dataplane:
      servers: [{ endpoint: "0.0.0.0:46357", tls: { insecure: true } }]
    peers:
      topology: full_mesh
      discovery:
        type: static
        peers:
          - { node_id: slim-1, endpoint: "http://slim-1:46357" }
          - { node_id: slim-2, endpoint: "http://slim-2:46357" }
`,
  'our own section': `
services:
  slim/0:
    dataplane:
      servers: [{ endpoint: "127.0.0.1:0", tls: { insecure: true } }]
nestjs_slim:
  admin: { endpoint: "127.0.0.1:9090" }
  limits:
    max_connections: 1000
    max_links: 500
    max_subscriptions_per_link: 10000
    max_queued_bytes: 1048576
    stall: 250ms
    dead: 30s
`,
};
