import { createPrivateKey, X509Certificate, type KeyObject } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { SlimError } from '@nestjs-slim/core';
import type { Pem } from './tls-options.js';

/** PEM as text, and what to call it in a message to people. */
export interface PemText {
  readonly text: string;
  readonly label: string;
}

/**
 * Reads a PEM option. Synchronously, since it is a few small files at a start, a dial or a change, and a
 * reader that waits could be overtaken by the next change.
 * @throws SlimError `invalid-config` that names the file
 */
export function readPem(pem: Pem, what: string): PemText {
  if (typeof pem === 'string') return { text: pem, label: `the ${what} given as text` };
  const label = `the ${what} in ${pem.file}`;
  try {
    return { text: readFileSync(pem.file, 'utf8'), label };
  } catch (reason) {
    throw SlimError.from(reason, 'invalid-config', label);
  }
}

/**
 * The certificates of a text, at least one.
 * @throws SlimError `invalid-config` that names where the text is from
 */
export function parseCertificates({ text, label }: PemText): readonly X509Certificate[] {
  const blocks = text.match(certificateBlock) ?? [];
  if (blocks.length === 0) {
    throw new SlimError('invalid-config', `${label}: expected at least one PEM certificate`);
  }
  try {
    return blocks.map((block) => new X509Certificate(block));
  } catch (reason) {
    throw SlimError.from(reason, 'invalid-config', label);
  }
}

const certificateBlock = /-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g;

/**
 * Makes sure that the key is that of the first certificate.
 * @throws SlimError `invalid-config` that names where both are from, and shows nothing of the key
 */
export function checkKeyPair(cert: PemText, key: PemText): void {
  const [own] = parseCertificates(cert);
  if (own?.checkPrivateKey(parseKey(key))) return;
  throw new SlimError('invalid-config', `${key.label} is not the key of ${cert.label}`);
}

function parseKey({ text, label }: PemText): KeyObject {
  try {
    return createPrivateKey(text);
  } catch (reason) {
    throw SlimError.from(reason, 'invalid-config', `${label}: expected a private key in PEM`);
  }
}

/** The paths among PEM options. */
export function pemFiles(pems: readonly (Pem | undefined)[]): readonly string[] {
  return pems.flatMap((pem) => (typeof pem === 'object' ? [pem.file] : []));
}
