import { SlimError, type TextSource } from '@nestjs-slim/core';
import { watchedFile, type WatchedFileOptions } from './watched-file.js';

/**
 * The keys of one trust domain in the JWT bundle file that spiffe-helper writes: a JSON object with a key
 * set in base64 for each trust domain.
 */
export function spiffeBundleFile(
  path: string,
  trustDomain: string,
  options: WatchedFileOptions = {},
): TextSource {
  const file = watchedFile(path, options);
  return {
    text: async () => bundleOf(await file.text(), trustDomain, path),
    onChange: (listener) => file.onChange(listener),
  };
}

function bundleOf(text: string, trustDomain: string, path: string): string {
  const bundle = parse(text)?.[trustDomain];
  if (typeof bundle === 'string') return Buffer.from(bundle, 'base64').toString('utf8');
  const message = `expected ${path} to have a bundle of the trust domain ${trustDomain}`;
  throw new SlimError('invalid-config', message);
}

function parse(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const json: unknown = JSON.parse(text);
    if (typeof json === 'object' && json !== null) return { ...json };
  } catch {
    // Falls through: a file that is written just now reads like one without the trust domain.
  }
  return undefined;
}
