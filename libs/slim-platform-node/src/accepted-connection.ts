import {
  constants,
  performServerHandshake,
  type IncomingHttpHeaders,
  type ServerHttp2Stream,
} from 'node:http2';
import type { Socket } from 'node:net';
import type { Cancel, Clock, Link, SlimError } from '@nestjs-slim/core';
import { hostAndPort } from './endpoint.js';
import { grpcStatus } from './grpc-status.js';
import { Http2Connection } from './http2-connection.js';
import { Http2Link } from './http2-link.js';
import { openChannelPath, sessionOptions, windowBytes } from './http2-settings.js';
import { writeBehind } from './write-behind.js';

/**
 * How long a connection may carry no link. It also ends sessions that nghttp2 gave up after a protocol
 * error: node:http2 then stops reading and reports nothing.
 */
const idleMs = 10_000;

/** What a listener hands to each of its connections. */
export interface AcceptedConnectionOptions {
  readonly socket: Socket;
  readonly clock: Clock;
  readonly keepaliveMs: number;
  accept(link: Link): void;
}

/** A connection that a listener accepted, with the links on it: one as a rule, several for some peers. */
export class AcceptedConnection {
  /** Settles when its socket is closed. */
  readonly gone: Promise<void>;
  readonly #socket: Socket;
  readonly #remote: string;
  readonly #clock: Clock;
  readonly #accept: (link: Link) => void;
  readonly #connection: Http2Connection;
  readonly #links = new Set<Http2Link>();
  #ending = false;
  #cancelIdle: Cancel = () => undefined;

  constructor(options: AcceptedConnectionOptions) {
    const { socket, clock, keepaliveMs } = options;
    const remote = addressOf(socket);
    this.#socket = socket;
    this.#remote = remote;
    this.#clock = clock;
    this.#accept = (link) => options.accept(link);
    const session = performServerHandshake(writeBehind(socket), sessionOptions);
    session.setLocalWindowSize(windowBytes);
    // What is no HTTP/2 ends the session by itself, and an error later ends the links on it.
    session.on('error', () => undefined);
    session.on('stream', (stream, headers) => this.#answer(stream, headers));
    const silent = (reason: SlimError): void => this.#destroyLinks(reason);
    const parts = { session, socket, clock, remote, keepaliveMs, silent };
    this.#connection = new Http2Connection(parts);
    this.gone = this.#connection.gone.then(() => this.#cancelIdle());
    this.#waitForLink();
  }

  /** Ends the links in order, and then the connection. */
  async end(): Promise<void> {
    this.#ending = true;
    await Promise.all([...this.#links].map((link) => link.close()));
    await this.#connection.end();
  }

  #answer(stream: ServerHttp2Stream, headers: IncomingHttpHeaders): void {
    // A stream that fails before it is a link concerns nobody.
    stream.on('error', () => undefined);
    // Its reset may have come with its headers, and a stream that is gone cannot be answered.
    if (stream.destroyed || stream.closed) return;
    if (this.#ending) return stream.close(constants.NGHTTP2_REFUSED_STREAM);
    if (headers[':method'] !== 'POST' || headers[':path'] !== openChannelPath) {
      return refuse(stream, headers);
    }
    // At once: a native client sends nothing before it has them (reference: data plane 3.1).
    stream.respond(responseHeaders, { waitForTrailers: true });
    this.#cancelIdle();
    const release = (): Promise<void> => {
      this.#links.delete(link);
      if (this.#links.size === 0) this.#waitForLink();
      return Promise.resolve();
    };
    const link = new Http2Link(stream, { remote: this.#remote, clock: this.#clock, release });
    this.#links.add(link);
    this.#accept(link);
  }

  #waitForLink(): void {
    if (this.#socket.destroyed) return;
    this.#cancelIdle = this.#clock.schedule(idleMs, () => this.#connection.drop());
  }

  #destroyLinks(reason: SlimError): void {
    for (const link of this.#links) link.destroy(reason);
  }
}

const responseHeaders = { ':status': 200, 'content-type': 'application/grpc' };

/** Answers as gRPC does for a method that is not there: a status and nothing else. */
function refuse(stream: ServerHttp2Stream, headers: IncomingHttpHeaders): void {
  const what = `no method ${headers[':method']} ${headers[':path']}`;
  const status = { 'grpc-status': grpcStatus.unimplemented, 'grpc-message': encodeURI(what) };
  stream.respond({ ...responseHeaders, ...status }, { endStream: true });
}

function addressOf({ remoteAddress = 'unknown', remotePort = 0 }: Socket): string {
  return hostAndPort(remoteAddress, remotePort);
}
