import type { Clock } from '@nestjs-slim/core';
import type { LinkCredentials } from './link-auth/link-auth.js';
import type { DiallerTls } from './tls/tls-options.js';

/** How to reach a node, whatever carries the links. */
export interface DiallerOptions {
  /** Who we are, asked anew at every dial. */
  readonly credentials?: LinkCredentials;
  /** For URLs that encrypt; the authorities of the system and no certificate of our own when absent. */
  readonly tls?: DiallerTls;
  /** How long it may take until there is a link. 20,000 by default. */
  readonly connectTimeoutMs?: number;
  /** Sent with the request that opens the link. */
  readonly headers?: Readonly<Record<string, string>>;
  /** What the request names as `:authority`, instead of host and port. */
  readonly origin?: string;
  readonly clock?: Clock;
}
