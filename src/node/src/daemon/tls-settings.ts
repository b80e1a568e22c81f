import type { ClientTls, CaSource, CertificateSource, ServerTls } from '../config/schema/tls.js';
import type { DiallerTls, ListenerTls, Pem } from '@nestjs-slim/platform-node';
import { SlimError } from '@nestjs-slim/core';
import { defined } from './defined.js';
import type { OnFileError } from './file-errors.js';

/** How a server encrypts; undefined when it does not. @throws SlimError `invalid-config` */
export function listenerTls(
  tls: ServerTls | undefined,
  onTlsError: OnFileError,
): ListenerTls | undefined {
  if (tls?.insecure === true) return undefined;
  const own = certificateOf(tls?.source);
  if (!own) throw new SlimError('invalid-config', 'a server without a certificate');
  const clientCa = authorityOf(tls?.client_ca);
  return { ...own, ...defined({ clientCa, version: tls?.tls_version }), onTlsError };
}

/** How a client encrypts, where the URL says that it does. */
export function diallerTls(
  tls: ClientTls | undefined,
  serverName: string | undefined,
  onTlsError: OnFileError,
): DiallerTls {
  const ca = authorityOf(tls?.ca_source);
  const settings = defined({
    ca,
    systemCas: ca === undefined ? undefined : (tls?.include_system_ca_certs_pool ?? true),
    version: tls?.tls_version,
    insecureSkipVerify: tls?.insecure_skip_verify,
    serverName,
  });
  return { ...certificateOf(tls?.source), ...settings, onTlsError };
}

function certificateOf(
  source: CertificateSource | undefined,
): { readonly cert: Pem; readonly key: Pem } | undefined {
  switch (source?.type) {
    case 'file':
      return { cert: { file: source.cert }, key: { file: source.key } };
    case 'pem':
      return { cert: source.cert, key: source.key };
    case 'spire':
      throw new SlimError('invalid-config', 'the SPIRE Workload API is not spoken');
    case 'none':
    case undefined:
      return undefined;
  }
}

function authorityOf(source: CaSource | undefined): Pem | undefined {
  switch (source?.type) {
    case 'file':
      return { file: source.path };
    case 'pem':
      return source.data;
    case 'spire':
      throw new SlimError('invalid-config', 'the SPIRE Workload API is not spoken');
    case 'none':
    case undefined:
      return undefined;
  }
}
