import type { SecureContextOptions } from 'node:tls';
import { SlimError, type Cancel, type Clock } from '@nestjs-slim/core';
import { watchedFile } from '../tokens/watched-file.js';
import { pemFiles } from './pem.js';
import { fingerprint, readListenerTls } from './secure-context.js';
import type { ListenerTls } from './tls-options.js';

/** How often its files are looked at. */
const checkMs = 1_000;

/** A change is rarely one file: certificate and key are written one after the other. */
const settleMs = 200;

/** What a listener shows to clients, kept up to date with its files until it is closed. */
export class ListenerCertificates {
  readonly #tls: ListenerTls;
  readonly #initial: SecureContextOptions;
  #current: string;
  readonly #stops: (() => void)[] = [];
  #cancelRead: Cancel | undefined;
  #closed = false;

  /** @throws SlimError `invalid-config` that names the file */
  constructor(tls: ListenerTls) {
    this.#tls = tls;
    this.#initial = readListenerTls(tls);
    this.#current = fingerprint(this.#initial);
  }

  /** What `createServer` of `node:tls` begins with. */
  get initial(): SecureContextOptions {
    return this.#initial;
  }

  /** Hands over every usable change from now on. */
  follow(clock: Clock, use: (options: SecureContextOptions) => void): void {
    const { cert, key, clientCa } = this.#tls;
    // Certificate and key may be in one file.
    const paths = new Set(pemFiles([cert, key, clientCa]));
    const files = [...paths].map((path) => watchedFile(path, { clock, checkMs }));
    const changed = (): void => {
      if (this.#closed) return;
      this.#cancelRead ??= clock.schedule(settleMs, () => {
        this.#cancelRead = undefined;
        this.#read(use);
      });
    };
    for (const file of files) {
      this.#stops.push(file.onChange(changed));
      // What changed between the first reading and this one.
      void Promise.resolve(file.text()).then(changed, changed);
    }
  }

  close(): void {
    this.#closed = true;
    this.#cancelRead?.();
    for (const stop of this.#stops.splice(0)) stop();
  }

  #read(use: (options: SecureContextOptions) => void): void {
    try {
      const options = readListenerTls(this.#tls);
      const read = fingerprint(options);
      if (read === this.#current) return;
      use(options);
      this.#current = read;
    } catch (reason) {
      this.#tls.onTlsError?.(SlimError.from(reason, 'invalid-config', 'tls of the listener'));
    }
  }
}
