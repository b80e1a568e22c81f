import { createHash } from 'node:crypto';
import * as tls from 'node:tls';
import type { SecureContextOptions } from 'node:tls';
import { SlimError } from '@nestjs-slim/core';
import { checkKeyPair, parseCertificates, readPem } from './pem.js';
import type { DiallerTls, ListenerTls, Pem, TlsVersion } from './tls-options.js';

const versions = {
  'tls1.3': { minVersion: 'TLSv1.3', maxVersion: 'TLSv1.3' },
  'tls1.2': { minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2' },
} as const satisfies Readonly<Record<TlsVersion, SecureContextOptions>>;

/**
 * What `node:tls` needs for a listener, read and checked now.
 * @throws SlimError `invalid-config` that names the file
 */
export function readListenerTls(options: ListenerTls): SecureContextOptions {
  return {
    ...versionOf(options),
    ...readKeyPair(options.cert, options.key),
    ...readCa(options.clientCa, 'client CA'),
  };
}

/**
 * What `node:tls` needs for a dialler, read and checked now.
 * @throws SlimError `invalid-config` that names the file
 */
export function readDiallerTls(options: DiallerTls): SecureContextOptions {
  const { ca, systemCas, cert, key } = options;
  if ((cert === undefined) !== (key === undefined)) {
    const missing = cert === undefined ? 'the certificate' : 'the key';
    throw new SlimError(
      'invalid-config',
      `tls: expected cert and key together, ${missing} is missing`,
    );
  }
  const own = cert === undefined || key === undefined ? {} : readKeyPair(cert, key);
  const trusted = readCa(ca, 'CA');
  const all = trusted.ca && systemCas ? { ca: [trusted.ca, ...systemAuthorities()] } : trusted;
  return { ...versionOf(options), ...own, ...all };
}

/** Equal for equal settings: whether files that changed say anything new. Shows nothing of a key. */
export function fingerprint(options: SecureContextOptions): string {
  return createHash('sha256').update(JSON.stringify(options)).digest('base64');
}

function versionOf(options: ListenerTls | DiallerTls): SecureContextOptions {
  const { version = 'tls1.3' } = options;
  // Configuration files are not checked by the compiler.
  if (Object.hasOwn(versions, version)) return versions[version];
  throw new SlimError('invalid-config', `expected tls1.3 or tls1.2, got "${String(version)}"`);
}

function readKeyPair(cert: Pem, key: Pem): { readonly cert: string; readonly key: string } {
  const ownCert = readPem(cert, 'certificate');
  const ownKey = readPem(key, 'key');
  checkKeyPair(ownCert, ownKey);
  return { cert: ownCert.text, key: ownKey.text };
}

function readCa(ca: Pem | undefined, what: string): { readonly ca?: string } {
  if (ca === undefined) return {};
  const authorities = readPem(ca, what);
  parseCertificates(authorities);
  return { ca: authorities.text };
}

/** Those that `node:tls` trusts when it is given none: its own, and those of NODE_EXTRA_CA_CERTS. */
function systemAuthorities(): readonly string[] {
  const byVersion = tls as { getCACertificates?: (type: 'default') => string[] };
  // Since Node.js 22.15, and then with those of the operating system where Node.js was told to use them.
  if (byVersion.getCACertificates) return byVersion.getCACertificates('default');
  const file = process.env['NODE_EXTRA_CA_CERTS'];
  if (!file) return tls.rootCertificates;
  return [...tls.rootCertificates, readPem({ file }, 'CA').text];
}
