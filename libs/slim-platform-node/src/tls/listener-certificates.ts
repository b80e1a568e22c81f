import type { SecureContextOptions } from 'node:tls';
import { SlimError, type Clock } from '@nestjs-slim/core';
import { FileWatch } from './file-watch.js';
import { pemFiles } from './pem.js';
import { fingerprint, readListenerTls } from './secure-context.js';
import type { ListenerTls } from './tls-options.js';

/** What a listener shows to clients, kept up to date with its files until it is closed. */
export class ListenerCertificates {
  readonly #tls: ListenerTls;
  readonly #initial: SecureContextOptions;
  #current: string;
  #watch: FileWatch | undefined;

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
    const paths = pemFiles([cert, key, clientCa]);
    if (paths.length === 0) return;
    const changed = (): void => this.#read(use);
    this.#watch = new FileWatch({ paths, clock, changed, failed: (error) => this.#report(error) });
    // What changed between the first reading and now.
    changed();
  }

  close(): void {
    this.#watch?.close();
  }

  #read(use: (options: SecureContextOptions) => void): void {
    try {
      const options = readListenerTls(this.#tls);
      const read = fingerprint(options);
      if (read === this.#current) return;
      use(options);
      this.#current = read;
    } catch (reason) {
      this.#report(SlimError.from(reason, 'invalid-config', 'tls of the listener'));
    }
  }

  #report(error: SlimError): void {
    this.#tls.onTlsError?.(error);
  }
}
