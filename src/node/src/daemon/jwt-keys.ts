import { readFile } from 'node:fs/promises';
import {
  SlimError,
  systemClock,
  type Clock,
  type JwtKey,
  type JwtVerificationKey,
} from '@nestjs-slim/core';
import { watchedFile } from '@nestjs-slim/platform-node';
import type { JwtAuth } from '../config/schema/auth.js';
import type { OnFileError } from './file-errors.js';

type WrittenKey = Exclude<JwtAuth['key'], { type: 'autoresolve' }>;

/** The key that tokens are verified with; a file with a set of keys is followed when it changes. */
export async function verificationKey(
  auth: JwtAuth,
  onError: OnFileError,
  clock: Clock = systemClock,
): Promise<JwtVerificationKey> {
  const { key, claims } = auth;
  if (key.type === 'autoresolve') {
    if (claims?.issuer) return { issuers: [claims.issuer] };
    throw new SlimError('invalid-config', 'autoresolve needs an issuer in claims');
  }
  const { algorithm, format } = key;
  if (format !== 'jwks') return fixedKey(key);
  const { file } = key.key;
  if (file !== undefined) {
    return { jwksFrom: watchedFile(file, { clock }), algorithm, onError };
  }
  return { jwks: await textOf(key), algorithm };
}

/** The key that tokens are signed with. */
export async function signingKey({ key }: JwtAuth): Promise<JwtKey> {
  if (key.type === 'autoresolve' || key.format === 'jwks') {
    throw new SlimError('invalid-config', 'expected one key to sign with, as pem or jwk');
  }
  return fixedKey(key);
}

async function fixedKey(key: WrittenKey): Promise<JwtKey> {
  const { algorithm, format } = key;
  const text = await textOf(key);
  if (format === 'jwk') return { jwk: text, algorithm };
  // For HMAC the official node takes the text as it stands, whatever the format says.
  return algorithm.startsWith('HS') ? { secret: text, algorithm } : { pem: text, algorithm };
}

async function textOf({ key: { file, data = '' } }: WrittenKey): Promise<string> {
  if (file === undefined) return data;
  try {
    return await readFile(file, 'utf8');
  } catch (reason) {
    throw SlimError.from(reason, 'invalid-config', `the key ${file}`);
  }
}
