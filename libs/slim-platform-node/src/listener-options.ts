import { SlimError, type Clock } from '@nestjs-slim/core';
import type { LinkAuthenticator } from './link-auth/link-auth.js';
import type { ListenerTls } from './tls/tls-options.js';

/** Where to listen: a port, or a Unix socket. */
export type ListenAddress =
  | {
      readonly host: string;
      /** 0 takes a free port, which the URL of the listener then shows. */
      readonly port: number;
    }
  | {
      /** Of the socket. One that a process left behind when it died is replaced. */
      readonly path: string;
    };

/** Whom a listener takes and how long it puts up with them. */
export interface ListenerSettings {
  /** No encryption when absent. */
  readonly tls?: ListenerTls;
  /** Judges the request that opens a link; everybody is welcome when absent. */
  readonly authenticator?: LinkAuthenticator;
  /**
   * More connections than this are hung up on at once. When absent, as many as the system has, and 1,024 over
   * WebSocket.
   */
  readonly maxConnections?: number;
  /**
   * A connection as old as this is ended in order, so that its client comes back by way of a load balancer
   * and with credentials that are still good. Up to a tenth earlier, so that clients that came together
   * do not leave together. Never when absent.
   */
  readonly maxConnectionAgeMs?: number;
  /** Bytes that may wait for a client that does not read before its link says it is full. 1 MiB by default. */
  readonly maxQueuedBytes?: number;
  /** A connection quiet for this long is asked for a sign of life; 0 never asks. 60,000 by default. */
  readonly keepaliveMs?: number;
  /** How long a client may take for the sign of life. 20,000 by default. */
  readonly keepaliveTimeoutMs?: number;
  /** How long a client may take for one frame, once it began it. 60,000 by default. */
  readonly frameTimeoutMs?: number;
  /** Links on one connection. 128 by default; official applications need one. */
  readonly maxConcurrentStreams?: number;
  /** Of the request that opens a link, tokens included. 16 KiB by default. */
  readonly maxHeaderListBytes?: number;
  /** Largest HTTP/2 frame, of which a message may take many. 16 KiB by default. */
  readonly maxHttp2FrameBytes?: number;
  /** A connection or a request that got no link, and why. For counters and log lines. */
  readonly onRefused?: (reason: SlimError, remote: string) => void;
  readonly clock?: Clock;
}

/** Where a link is listened for and for whom. */
export type ListenerOptions = ListenAddress & ListenerSettings;

/** The longest time that a timer of Node.js takes, some 24 days. */
const longestMs = 2 ** 31 - 1;

/** What each number must lie between. */
const ranges = {
  maxConnections: [1, Number.MAX_SAFE_INTEGER],
  maxConnectionAgeMs: [1, longestMs],
  maxQueuedBytes: [1, Number.MAX_SAFE_INTEGER],
  keepaliveMs: [0, longestMs],
  keepaliveTimeoutMs: [1, longestMs],
  frameTimeoutMs: [1, longestMs],
  connectTimeoutMs: [1, longestMs],
  maxConcurrentStreams: [1, 2 ** 31 - 1],
  maxHeaderListBytes: [1024, 2 ** 31 - 1],
  maxHttp2FrameBytes: [2 ** 14, 2 ** 24 - 1],
} as const;

/**
 * Refuses numbers that cannot be meant, of a listener or a dialler.
 * @throws SlimError `invalid-config` that names the option and what was expected
 */
export function checkNumbers(options: { readonly [Name in keyof typeof ranges]?: number }): void {
  for (const [name, [least, most]] of Object.entries(ranges)) {
    const value = options[name as keyof typeof ranges];
    if (value === undefined) continue;
    if (Number.isInteger(value) && value >= least && value <= most) continue;
    const what = `expected ${name} between ${least} and ${most}, got ${value}`;
    throw new SlimError('invalid-config', what);
  }
}
