import type { Http2Session } from 'node:http2';
import type { Socket } from 'node:net';
import { SlimError, type Clock } from '@nestjs-slim/core';
import { defaultKeepaliveMs, hangUpGraceMs } from './http2-settings.js';
import { Keepalive } from './keepalive.js';

/** Of an option each, in milliseconds. */
export interface KeepaliveTimes {
  readonly keepaliveMs?: number | undefined;
  readonly keepaliveTimeoutMs?: number | undefined;
}

/** What a connection is made of and whom it tells. */
export interface Http2ConnectionOptions {
  readonly session: Http2Session;
  readonly socket: Socket;
  readonly clock: Clock;
  readonly remote: string;
  readonly keepalive: KeepaliveTimes;
  /** The other end went silent; the socket is destroyed after this call. */
  silent(reason: SlimError): void;
}

/** A socket with HTTP/2 on it, of either side: watched while it lives, and ended for good. */
export class Http2Connection {
  /** Settles when the socket is closed. */
  readonly gone: Promise<void>;
  readonly #session: Http2Session;
  readonly #socket: Socket;
  readonly #clock: Clock;
  readonly #keepalive: Keepalive;

  constructor(options: Http2ConnectionOptions) {
    const { session, socket, clock, remote } = options;
    const { keepaliveMs = defaultKeepaliveMs, keepaliveTimeoutMs: timeoutMs } = options.keepalive;
    this.#session = session;
    this.#socket = socket;
    this.#clock = clock;
    const dead = (quietMs: number): void => {
      options.silent(new SlimError('link-closed', `${remote} was silent for ${quietMs} ms`));
      this.drop();
    };
    this.#keepalive = new Keepalive({ session, socket, clock, keepaliveMs, timeoutMs, dead });
    this.gone = new Promise((resolve) => {
      socket.once('close', () => {
        this.#keepalive.stop();
        resolve();
      });
    });
  }

  /** Tells the other end to open no more streams here. Those that are open go on. */
  announceEnd(): void {
    if (!this.#session.destroyed && !this.#session.closed) this.#session.goaway();
  }

  /** Ends the connection behind its streams. A peer that does not play its part is dropped. */
  async end(): Promise<void> {
    const cancel = this.#clock.schedule(hangUpGraceMs, () => this.drop());
    this.#session.close();
    await this.gone;
    cancel();
  }

  /**
   * Ends the connection at once. It is the socket that is destroyed: a session that was closed waits
   * for the end of the peer and cannot be destroyed any more.
   */
  drop(): void {
    this.#keepalive.stop();
    this.#socket.destroy();
  }
}
