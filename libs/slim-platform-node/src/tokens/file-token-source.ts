import {
  readToken,
  SlimError,
  systemClock,
  type Clock,
  type TextSource,
  type TokenSource,
} from '@nestjs-slim/core';
import { isHeaderToken } from './header-token.js';
import { watchedFile, type WatchedFileOptions } from './watched-file.js';

/**
 * The token in a file that others rotate, without the white space around it. While the file is missing,
 * empty or no token, the last one is handed out until it expires; then `token()` throws `invalid-config`.
 */
export function fileTokenSource(path: string, options: WatchedFileOptions = {}): TokenSource {
  return new FileTokenSource(path, options);
}

class FileTokenSource implements TokenSource {
  readonly #path: string;
  readonly #file: TextSource;
  readonly #clock: Clock;
  readonly #stops = new Set<() => void>();
  #last: { readonly token: string; readonly expiresAtMs: number } | undefined;

  constructor(path: string, options: WatchedFileOptions) {
    this.#path = path;
    this.#file = watchedFile(path, options);
    this.#clock = options.clock ?? systemClock;
  }

  async token(): Promise<string> {
    try {
      const token = this.#check((await this.#file.text()).trim());
      this.#last = { token, expiresAtMs: expiryOf(token) };
    } catch (reason) {
      // Writing in place empties a file for a moment; a pod may lose its volume for longer.
      if (!this.#last || this.#clock.now() >= this.#last.expiresAtMs) throw reason;
    }
    return this.#last.token;
  }

  onChange(listener: () => void): () => void {
    const stop = this.#file.onChange(listener);
    this.#stops.add(stop);
    return () => {
      this.#stops.delete(stop);
      stop();
    };
  }

  close(): void {
    for (const stop of this.#stops) stop();
    this.#stops.clear();
  }

  #check(token: string): string {
    if (isHeaderToken(token)) return token;
    const found = token === '' ? 'an empty file' : 'white space or unusual characters in it';
    throw new SlimError('invalid-config', `expected a token in ${this.#path}, got ${found}`);
  }
}

/** When a token expires, if it is one that says so. */
function expiryOf(token: string): number {
  try {
    const { exp } = readToken(token).claims;
    return typeof exp === 'number' ? exp * 1000 : Infinity;
  } catch {
    // Not every token is a JWT, and this one is not judged here.
    return Infinity;
  }
}
