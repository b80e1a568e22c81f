import { createSecureContext, type SecureContext } from 'node:tls';
import { SlimError } from '@nestjs-slim/core';
import { fingerprint, readDiallerTls } from './secure-context.js';
import type { DiallerTls } from './tls-options.js';

/** What a dialler shows and trusts, read anew for every dial: there is nothing to watch and to close. */
export class DiallerCertificates {
  readonly #tls: DiallerTls;
  #last: { readonly read: string; readonly context: SecureContext } | undefined;

  constructor(tls: DiallerTls) {
    this.#tls = tls;
  }

  /**
   * What to dial with now. Files that cannot be used any more are reported, and those read before are used.
   * @throws SlimError `invalid-config` that names the file, when there was nothing usable before
   */
  current(): SecureContext {
    try {
      const options = readDiallerTls(this.#tls);
      const read = fingerprint(options);
      // Kept while nothing changes: it takes milliseconds to parse the authorities of the system.
      if (this.#last?.read !== read) this.#last = { read, context: createSecureContext(options) };
      return this.#last.context;
    } catch (reason) {
      const error = SlimError.from(reason, 'invalid-config', 'tls of the dialler');
      if (!this.#last) throw error;
      this.#tls.onTlsError?.(error);
      return this.#last.context;
    }
  }
}
