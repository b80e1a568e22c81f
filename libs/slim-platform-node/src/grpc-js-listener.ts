import type * as GrpcJs from '@grpc/grpc-js';
import type { Server, ServerCredentials, ServerDuplexStream, ServerOptions } from '@grpc/grpc-js';
import {
  maxFrameBytes,
  SlimError,
  systemClock,
  type Clock,
  type Link,
  type LinkListener,
} from '@nestjs-slim/core';
import { hostAndPort } from './endpoint.js';
import { GrpcJsLink, openChannel } from './grpc-js-link.js';
import { hangUpGraceMs, defaultKeepaliveMs, pingTimeoutMs } from './http2-settings.js';

/** Where to listen and for whom. */
export interface GrpcJsListenerOptions {
  readonly host: string;
  /** 0 takes a free port, which the URL of the listener then shows. */
  readonly port: number;
  /** No encryption by default. */
  readonly credentials?: ServerCredentials;
  /** Options of the server, over those that a listener sets. */
  readonly options?: ServerOptions;
  readonly clock?: Clock;
}

/**
 * Accepts links with `@grpc/grpc-js` and hands each to `accept`. Its receive window is the default of
 * HTTP/2 and cannot be set, so `listenHttp2` takes many times as much.
 * @throws SlimError `link-failed` when the address cannot be had
 */
export async function listenGrpcJs(
  options: GrpcJsListenerOptions,
  accept: (link: Link) => void,
): Promise<LinkListener> {
  // Not before it is needed: it takes longer to load than all the rest.
  const listener = new GrpcJsListener(await import('@grpc/grpc-js'), options, accept);
  await listener.listen();
  return listener;
}

class GrpcJsListener implements LinkListener {
  readonly #grpc: typeof GrpcJs;
  readonly #options: GrpcJsListenerOptions;
  readonly #accept: (link: Link) => void;
  readonly #server: Server;
  readonly #links = new Set<GrpcJsLink>();
  readonly #credentials: ServerCredentials;
  readonly #clock: Clock;
  #port = 0;
  #closing: Promise<void> | undefined;

  constructor(grpc: typeof GrpcJs, options: GrpcJsListenerOptions, accept: (link: Link) => void) {
    this.#grpc = grpc;
    this.#options = options;
    this.#accept = accept;
    this.#clock = options.clock ?? systemClock;
    this.#credentials = options.credentials ?? grpc.ServerCredentials.createInsecure();
    this.#server = new grpc.Server({ ...serverOptions, ...options.options });
    const OpenChannel = (call: Call): void => this.#answer(call);
    this.#server.addService({ OpenChannel: openChannel }, { OpenChannel });
  }

  get url(): string {
    const scheme = this.#credentials._isSecure() ? 'https' : 'http';
    return `${scheme}://${hostAndPort(this.#options.host, this.#port)}`;
  }

  listen(): Promise<void> {
    const { host, port } = this.#options;
    const address = hostAndPort(host, port);
    return new Promise((resolve, reject) => {
      this.#server.bindAsync(address, this.#credentials, (reason, bound) => {
        if (reason) return reject(SlimError.from(reason, 'link-failed', `listening on ${address}`));
        this.#port = bound;
        resolve();
      });
    });
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    // Begins now: from here on it takes no connection and no call.
    const closed = new Promise<void>((resolve) => this.#server.tryShutdown(() => resolve()));
    await Promise.all([...this.#links].map((link) => link.close()));
    const cancel = this.#clock.schedule(hangUpGraceMs, () => this.#server.forceShutdown());
    await closed;
    cancel();
  }

  #answer(call: Call): void {
    // At once: a native client sends nothing before it has them (reference: data plane 3.1).
    call.sendMetadata(new this.#grpc.Metadata());
    const remote = call.getPeer();
    const { CANCELLED } = this.#grpc.status;
    const link: GrpcJsLink = new GrpcJsLink(call, {
      remote,
      clock: this.#clock,
      cancel: () => call.emit('error', { code: CANCELLED, details: 'the link was ended' }),
      release: () => this.#links.delete(link),
    });
    call.once('close', () => {
      const what = `${remote} is gone`;
      link.callIsOver(link.endedInOrder ? undefined : new SlimError('link-closed', what));
    });
    this.#links.add(link);
    this.#accept(link);
  }
}

type Call = ServerDuplexStream<Uint8Array, Uint8Array>;

const serverOptions: ServerOptions = {
  'grpc.max_send_message_length': maxFrameBytes,
  'grpc.max_receive_message_length': maxFrameBytes,
  'grpc.keepalive_time_ms': defaultKeepaliveMs,
  'grpc.keepalive_timeout_ms': pingTimeoutMs,
};
