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
import { checkUnixPath, hostAndPort, unixUrl } from './endpoint.js';
import { GrpcJsLink, openChannel } from './grpc-js-link.js';
import { grpcStatus } from './grpc-status.js';
import {
  closeGraceMs,
  defaultKeepaliveMs,
  hangUpGraceMs,
  pingTimeoutMs,
} from './http2-settings.js';
import { admit } from './link-admission.js';
import { checkNumbers, type ListenerOptions, type ListenerSettings } from './listener-options.js';
import { removeStaleSocket } from './unix-socket.js';

/** Where to listen and for whom. */
export type GrpcJsListenerOptions = ListenerOptions & {
  /** No encryption by default. */
  readonly serverCredentials?: ServerCredentials;
  /** Options of the server, over those that a listener sets. */
  readonly options?: ServerOptions;
};

/**
 * Accepts links with `@grpc/grpc-js` and hands each to `accept`. Its receive window is the default of
 * HTTP/2 and cannot be set, so `listenHttp2` takes many times as much. It encrypts by
 * `serverCredentials` and has only some of the limits.
 * @throws SlimError `link-failed` when the address cannot be had, `invalid-config` for options that cannot
 *   be, and for those that grpc-js does not have
 */
export async function listenGrpcJs(
  options: GrpcJsListenerOptions,
  accept: (link: Link) => void,
): Promise<LinkListener> {
  refuseUnknown(options);
  checkNumbers(options);
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
    this.#credentials = options.serverCredentials ?? grpc.ServerCredentials.createInsecure();
    this.#server = new grpc.Server({ ...serverOptions(options), ...options.options });
    const OpenChannel = (call: Call): void => this.#receive(call);
    this.#server.addService({ OpenChannel: openChannel }, { OpenChannel });
  }

  get url(): string {
    const options = this.#options;
    if ('path' in options) return unixUrl(options.path);
    const scheme = this.#credentials._isSecure() ? 'https' : 'http';
    return `${scheme}://${hostAndPort(options.host, this.#port)}`;
  }

  async listen(): Promise<void> {
    const options = this.#options;
    if ('path' in options) {
      checkUnixPath(options.path);
      await removeStaleSocket(options.path);
    }
    const address = 'path' in options ? this.url : hostAndPort(options.host, options.port);
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

  #receive(call: Call): void {
    const { authenticator } = this.#options;
    if (!authenticator) return this.#openLink(call);
    const remote = call.getPeer();
    const [first] = call.metadata.get('authorization');
    const request = { authorization: first?.toString(), remote };
    const giveUp = admit({ authenticator, clock: this.#clock }, request, {
      admitted: () => {
        if (!call.cancelled) this.#openLink(call);
      },
      refused: (reason) => {
        this.#options.onRefused?.(reason, remote);
        const isTheirs = reason.code === 'identity-rejected';
        // A status of gRPC, since grpc-js knows no other: a native client takes it as it takes a 401.
        const code = isTheirs ? grpcStatus.unauthenticated : grpcStatus.unavailable;
        call.emit('error', { code, details: 'the credentials were not accepted' });
      },
    });
    call.once('cancelled', giveUp);
  }

  #openLink(call: Call): void {
    // At once: a native client sends nothing before it has them (reference: data plane 3.1).
    call.sendMetadata(new this.#grpc.Metadata());
    const remote = call.getPeer();
    const code = grpcStatus.cancelled;
    const link: GrpcJsLink = new GrpcJsLink(call, {
      remote,
      clock: this.#clock,
      cancel: () => call.emit('error', { code, details: 'the link was ended' }),
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

/** What `listenHttp2` can and grpc-js cannot. To ignore it would be worse than to say so. */
const unknownOptions = [
  'tls',
  'maxConnections',
  'maxQueuedBytes',
  'frameTimeoutMs',
  'maxHeaderListBytes',
  'maxHttp2FrameBytes',
] as const satisfies readonly (keyof ListenerSettings)[];

function refuseUnknown(options: ListenerSettings): void {
  const unknown = unknownOptions.find((name) => options[name] !== undefined);
  if (!unknown) return;
  const instead = unknown === 'tls' ? 'serverCredentials, or listenHttp2' : 'listenHttp2';
  throw new SlimError('invalid-config', `listenGrpcJs has no ${unknown}: use ${instead}`);
}

function serverOptions(settings: ListenerSettings): ServerOptions {
  const { maxConnectionAgeMs, maxConcurrentStreams } = settings;
  const { keepaliveMs = defaultKeepaliveMs, keepaliveTimeoutMs = pingTimeoutMs } = settings;
  return {
    'grpc.max_send_message_length': maxFrameBytes,
    'grpc.max_receive_message_length': maxFrameBytes,
    ...(keepaliveMs > 0 && { 'grpc.keepalive_time_ms': keepaliveMs }),
    'grpc.keepalive_timeout_ms': keepaliveTimeoutMs,
    ...(maxConcurrentStreams && { 'grpc.max_concurrent_streams': maxConcurrentStreams }),
    ...(maxConnectionAgeMs && {
      'grpc.max_connection_age_ms': maxConnectionAgeMs,
      'grpc.max_connection_age_grace_ms': closeGraceMs,
    }),
  };
}
