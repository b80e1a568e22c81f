import { z } from 'zod';
import { flag, freeMap, oneOf, section, text } from './values.js';

const spire = z.looseObject({ type: z.literal('spire') });
const none = section({ type: z.literal('none') });

const source = z
  .discriminatedUnion(
    'type',
    [
      section({ type: z.literal('file'), cert: text, key: text }),
      section({ type: z.literal('pem'), cert: text, key: text }),
      spire,
      none,
    ],
    { error: 'a section with type "file", "pem" or "none"' },
  )
  .meta({ id: 'certificate', description: 'Certificate and private key, as files or PEM text' });

const ca = z
  .discriminatedUnion(
    'type',
    [
      section({ type: z.literal('file'), path: text }),
      section({ type: z.literal('pem'), data: text }),
      spire,
      none,
    ],
    { error: 'a section with type "file", "pem" or "none"' },
  )
  .meta({ id: 'authority', description: 'Certificates of an authority, as a file or PEM text' });

const common = {
  insecure: flag.optional().describe('Plain TCP, without TLS'),
  source: source.optional(),
  ca_source: ca.optional(),
  include_system_ca_certs_pool: flag.optional(),
  tls_version: oneOf(['tls1.2', 'tls1.3'])
    .optional()
    .describe('The only version offered; tls1.3 unless said otherwise'),
  // The official type is a structure of seconds and nanoseconds, its documents say `10s`.
  reload_interval: z.union([z.string(), z.number(), freeMap]).nullish(),
};

/** How a server protects its links. */
export const serverTls = section({
  ...common,
  client_ca: ca
    .optional()
    .describe('Who signs the certificates of clients; they are then mandatory'),
  reload_client_ca_file: flag.optional(),
}).meta({ id: 'serverTls' });

/** How a client protects its link. */
export const clientTls = section({
  ...common,
  ca_source: ca.optional().describe('Who signs the certificate of the server'),
  include_system_ca_certs_pool: flag
    .optional()
    .describe('Trust the CAs of the system as well; true'),
  insecure_skip_verify: flag.optional().describe('Do not verify the certificate of the server'),
}).meta({ id: 'clientTls' });

export type ServerTls = z.output<typeof serverTls>;
export type ClientTls = z.output<typeof clientTls>;
export type CertificateSource = z.output<typeof source>;
export type CaSource = z.output<typeof ca>;
