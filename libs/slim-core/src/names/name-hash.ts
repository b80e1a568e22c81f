import type { IHasher } from 'hash-wasm';
import { SlimError } from '../errors/slim-error.js';

interface Hashers {
  readonly xxh64: IHasher;
  readonly xxh128: IHasher;
}

let hashers: Hashers | undefined;
let loading: Promise<void> | undefined;

/**
 * Compiles the hash functions that names need. Idempotent; everything that opens a link or a node
 * awaits it, so that hashing itself can be synchronous.
 */
export function loadNameHash(): Promise<void> {
  loading ??= compile();
  return loading;
}

async function compile(): Promise<void> {
  // Not before it is needed: a node that only forwards hashes nothing.
  const { createXXHash128, createXXHash64 } = await import('hash-wasm');
  const [xxh64, xxh128] = await Promise.all([createXXHash64(), createXXHash128()]);
  hashers = { xxh64, xxh128 };
}

/** XXH64 with seed 0 over the text and one byte 0xFF (reference: data plane 1.2). */
export function hashComponent(text: string): bigint {
  const utf8 = encoder.encode(text);
  const input = new Uint8Array(utf8.length + 1);
  input.set(utf8);
  input[utf8.length] = 0xff;
  return digest(loaded().xxh64, input);
}

/** XXH3-128 with seed 0 over the text (reference: data plane 1.5). */
export function hashId(text: string): bigint {
  return digest(loaded().xxh128, encoder.encode(text));
}

/** XXH3-128 with a seed of its own; compiled anew, because a seed is fixed when a hasher is made. */
export async function hashIdWithSeed(text: string, seed: number): Promise<bigint> {
  const { createXXHash128 } = await import('hash-wasm');
  return digest(await createXXHash128(seed), encoder.encode(text));
}

const encoder = new TextEncoder();

function digest(hasher: IHasher, input: Uint8Array): bigint {
  return BigInt(`0x${hasher.init().update(input).digest('hex')}`);
}

function loaded(): Hashers {
  if (!hashers)
    throw new SlimError('invalid-config', 'await loadNameHash() before names are hashed');
  return hashers;
}
