import type { SlimError } from '@nestjs-slim/core';

/** Hears of files that changed and cannot be used; what they held before is used on. */
export type OnFileError = (error: SlimError) => void;

/** Who hears of which files. */
export interface FileErrors {
  /** Certificates, private keys and authorities. */
  readonly tls: OnFileError;
  /** Sets of keys that tokens are verified with. */
  readonly keySet: OnFileError;
}
