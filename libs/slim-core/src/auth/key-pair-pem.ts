import type { SigningKeyPair } from '../crypto/crypto.js';
import { SlimError } from '../errors/slim-error.js';
import { fromBase64Url } from './base64.js';

const coordinateBytes = 32;

/**
 * The key pair in a PEM with a P-256 private key (PKCS#8).
 * @throws SlimError `invalid-config` that shows nothing of it
 */
export async function readKeyPair(pem: string): Promise<SigningKeyPair> {
  const { importPKCS8, exportJWK } = await import('jose');
  try {
    const { x, y, d } = await exportJWK(await importPKCS8(pem, 'ES256', { extractable: true }));
    const [left, right, privateKey] = [coordinate(x), coordinate(y), coordinate(d)];
    if (left && right && privateKey) {
      return { publicKey: Uint8Array.of(4, ...left, ...right), privateKey };
    }
  } catch {
    // Falls through without the reason: it comes from reading the key and might show of it.
  }
  const message = 'expected the key pair as a PEM with a P-256 PRIVATE KEY (PKCS#8)';
  throw new SlimError('invalid-config', message);
}

function coordinate(text: string | undefined): Uint8Array | undefined {
  const bytes = fromBase64Url(text ?? '');
  return bytes?.length === coordinateBytes ? bytes : undefined;
}
