import {
  constants,
  performServerHandshake,
  type IncomingHttpHeaders,
  type OutgoingHttpHeaders,
  type ServerHttp2Stream,
} from 'node:http2';
import type { Socket } from 'node:net';
import type { Cancel, Clock, Link, SlimError } from '@nestjs-slim/core';
import { grpcStatus } from './grpc-status.js';
import { Http2Connection } from './http2-connection.js';
import { Http2Link } from './http2-link.js';
import {
  defaultHeaderListBytes,
  openChannelPath,
  sessionOptions,
  windowBytes,
} from './http2-settings.js';
import { admit, httpStatusOf } from './link-admission.js';
import type { ListenerSettings } from './listener-options.js';
import { writeBehind } from './write-behind.js';

/**
 * How long a connection may carry no link. It also ends sessions that nghttp2 gave up after a protocol
 * error: node:http2 then stops reading and reports nothing.
 */
const idleMs = 10_000;

/** How long a link may take to be negotiated (reference: data plane 3.3). */
const negotiationMs = 5_000;

/** What a listener hands to each of its connections. */
export interface AcceptedConnectionOptions {
  readonly socket: Socket;
  readonly remote: string;
  readonly clock: Clock;
  readonly settings: ListenerSettings;
  /** How old the connection may become; undefined: as old as it likes. */
  readonly maxAgeMs: number | undefined;
  accept(link: Link): void;
}

type StreamEvent = [ServerHttp2Stream, IncomingHttpHeaders, flags: number, raw: readonly string[]];

/** A connection that a listener accepted, with the links on it: one as a rule, several for some peers. */
export class AcceptedConnection {
  /** Settles when its socket is closed. */
  readonly gone: Promise<void>;
  readonly #options: AcceptedConnectionOptions;
  readonly #connection: Http2Connection;
  readonly #links = new Set<Http2Link>();
  #ending = false;
  #cancelIdle: Cancel = () => undefined;
  #cancelAge: Cancel = () => undefined;

  constructor(options: AcceptedConnectionOptions) {
    const { socket, remote, clock, settings, maxAgeMs } = options;
    this.#options = options;
    const session = performServerHandshake(writeBehind(socket), sessionOptions(settings));
    session.setLocalWindowSize(windowBytes);
    // What is no HTTP/2 ends the session by itself, and an error later ends the links on it.
    session.on('error', () => undefined);
    // Its types leave out the last, which has the headers as they came.
    session.on('stream', (...[stream, headers, , raw]: StreamEvent) =>
      this.#receive(stream, headers, raw),
    );
    const silent = (reason: SlimError): void => this.#destroyLinks(reason);
    const parts = { session, socket, clock, remote, keepalive: settings, silent };
    this.#connection = new Http2Connection(parts);
    this.gone = this.#connection.gone.then(() => {
      this.#cancelIdle();
      this.#cancelAge();
    });
    this.#waitForLink();
    if (maxAgeMs) this.#cancelAge = clock.schedule(maxAgeMs, () => this.#grewOld());
  }

  /** Ends the links in order, and then the connection. */
  async end(): Promise<void> {
    this.#ending = true;
    await Promise.all([...this.#links].map((link) => link.close()));
    await this.#connection.end();
  }

  /** A native client whose link ends before it is negotiated gives it up for good (data plane 3.7). */
  #grewOld(): void {
    if ([...this.#links].every((link) => link.hasReceived)) return void this.#retire();
    const { clock } = this.#options;
    this.#cancelAge = clock.schedule(negotiationMs, () => void this.#retire());
  }

  /**
   * Ends a connection that is old enough. Unlike an official node (reference: data plane 3.8) it says so
   * first, sends what is queued and takes what the other end had sent by then.
   */
  async #retire(): Promise<void> {
    this.#ending = true;
    this.#connection.announceEnd();
    await Promise.all([...this.#links].map((link) => link.retire()));
    await this.#connection.end();
  }

  #receive(stream: ServerHttp2Stream, headers: IncomingHttpHeaders, raw: readonly string[]): void {
    // A stream that fails before it is a link concerns nobody.
    stream.on('error', () => undefined);
    if (!this.#canAnswer(stream)) return;
    const { maxHeaderListBytes = defaultHeaderListBytes } = this.#options.settings;
    // HTTP/2 keeps to the limit only once the client confirmed it, and this may come before.
    if (headerListBytes(raw) > maxHeaderListBytes) return answerOnly(stream, { ':status': 431 });
    if (headers[':method'] !== 'POST' || headers[':path'] !== openChannelPath) {
      return answerUnimplemented(stream, headers);
    }
    const { clock, remote, settings } = this.#options;
    const { authenticator } = settings;
    if (!authenticator) return this.#openLink(stream);
    const { authorization } = headers;
    const giveUp = admit(
      { authenticator, clock },
      { authorization, remote },
      {
        admitted: () => {
          if (this.#canAnswer(stream)) this.#openLink(stream);
        },
        refused: (reason) => this.#refuse(stream, reason, authenticator.challenge),
      },
    );
    stream.once('close', giveUp);
  }

  /** A reset may have come with the headers or since, and a stream that is gone cannot be answered. */
  #canAnswer(stream: ServerHttp2Stream): boolean {
    if (stream.destroyed || stream.closed) return false;
    if (this.#ending) stream.close(constants.NGHTTP2_REFUSED_STREAM);
    return !this.#ending;
  }

  #refuse(stream: ServerHttp2Stream, reason: SlimError, challenge: string | undefined): void {
    const { settings, remote } = this.#options;
    settings.onRefused?.(reason, remote);
    if (!this.#canAnswer(stream)) return;
    const status = httpStatusOf(reason);
    const headers: OutgoingHttpHeaders = { ':status': status };
    if (status === 401 && challenge) headers['www-authenticate'] = challenge;
    answerOnly(stream, headers);
  }

  #openLink(stream: ServerHttp2Stream): void {
    // At once: a native client sends nothing before it has them (reference: data plane 3.1).
    stream.respond(responseHeaders, { waitForTrailers: true });
    this.#cancelIdle();
    const release = (): Promise<void> => {
      this.#links.delete(link);
      if (this.#links.size === 0) this.#waitForLink();
      return Promise.resolve();
    };
    const { remote, clock, settings } = this.#options;
    const { maxQueuedBytes, frameTimeoutMs } = settings;
    const limits = { maxQueuedBytes, frameTimeoutMs };
    const link = new Http2Link(stream, { remote, clock, ...limits, release });
    this.#links.add(link);
    this.#options.accept(link);
  }

  #waitForLink(): void {
    const { socket, clock } = this.#options;
    if (socket.destroyed) return;
    this.#cancelIdle = clock.schedule(idleMs, () => this.#connection.drop());
  }

  #destroyLinks(reason: SlimError): void {
    for (const link of this.#links) link.destroy(reason);
  }
}

const responseHeaders = { ':status': 200, 'content-type': 'application/grpc' };

/** Answers as gRPC does for a method that is not there: a status and nothing else. */
function answerUnimplemented(stream: ServerHttp2Stream, headers: IncomingHttpHeaders): void {
  const what = `no method ${headers[':method']} ${headers[':path']}`;
  const status = { 'grpc-status': grpcStatus.unimplemented, 'grpc-message': encodeURI(what) };
  answerOnly(stream, { ...responseHeaders, ...status });
}

/** As HTTP/2 counts them, with 32 bytes for each field (RFC 9113, 6.5.2). */
function headerListBytes(raw: readonly string[]): number {
  return raw.reduce((bytes, text) => bytes + text.length + 16, 0);
}

/** The whole answer. What the client sends on the stream none the less is thrown away. */
function answerOnly(stream: ServerHttp2Stream, headers: OutgoingHttpHeaders): void {
  stream.resume();
  stream.respond(headers, { endStream: true });
}
