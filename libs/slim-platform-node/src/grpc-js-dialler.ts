import type * as GrpcJs from '@grpc/grpc-js';
import type {
  ChannelCredentials,
  ChannelOptions,
  Client,
  ClientDuplexStream,
  Metadata,
  StatusObject,
} from '@grpc/grpc-js';
import {
  maxFrameBytes,
  SlimError,
  systemClock,
  type Clock,
  type Link,
  type LinkDialler,
} from '@nestjs-slim/core';
import { dialFailure } from './dial-failure.js';
import { hostAndPort, parseEndpoint, type Endpoint } from './endpoint.js';
import { GrpcJsLink, openChannel } from './grpc-js-link.js';
import { defaultKeepaliveMs, pingTimeoutMs, windowBytes } from './http2-settings.js';

/** How to reach a node. */
export interface GrpcJsDiallerOptions {
  /** By default no encryption for `http:` and the system's authorities for `https:`. */
  readonly credentials?: ChannelCredentials;
  /** Options of the channel, over those that a link sets. */
  readonly options?: ChannelOptions;
  /** Sent with the call that opens the link, such as `authorization`. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly clock?: Clock;
}

type Call = ClientDuplexStream<Uint8Array, Uint8Array>;

/**
 * Dials links with `@grpc/grpc-js`, for its name resolution, proxies and credentials. `http2Dialler`
 * is the faster one, and the one that also ends its socket when it gives up while connecting.
 * @throws SlimError `invalid-config` when the URL is not `http://host:port` or `https://host:port`
 */
export function grpcJsDialler(url: string, options: GrpcJsDiallerOptions = {}): LinkDialler {
  return new GrpcJsDialler(parseEndpoint(url), options);
}

class GrpcJsDialler implements LinkDialler {
  readonly #endpoint: Endpoint;
  readonly #options: GrpcJsDiallerOptions;

  constructor(endpoint: Endpoint, options: GrpcJsDiallerOptions) {
    this.#endpoint = endpoint;
    this.#options = options;
  }

  get target(): string {
    return this.#endpoint.url;
  }

  async dial(signal: AbortSignal): Promise<Link> {
    // Not before it is needed: it takes longer to load than all the rest.
    const grpc = await import('@grpc/grpc-js');
    if (signal.aborted) throw dialFailure(signal.reason, this.target, signal);
    const metadata = this.#metadata(grpc);
    const client = this.#createClient(grpc);
    const call = startCall(client, metadata);
    const abort = (): void => call.cancel();
    signal.addEventListener('abort', abort);
    try {
      return await this.#answer(client, call);
    } catch (reason) {
      client.close();
      throw dialFailure(reason, this.target, signal);
    } finally {
      signal.removeEventListener('abort', abort);
    }
  }

  #createClient(grpc: typeof GrpcJs): Client {
    const { secure, host, port } = this.#endpoint;
    const byScheme = (): ChannelCredentials =>
      secure ? grpc.credentials.createSsl() : grpc.credentials.createInsecure();
    const { credentials = byScheme(), options } = this.#options;
    return new grpc.Client(hostAndPort(host, port), credentials, { ...channelOptions, ...options });
  }

  #metadata(grpc: typeof GrpcJs): Metadata {
    const metadata = new grpc.Metadata();
    try {
      for (const [name, value] of Object.entries(this.#options.headers ?? {})) {
        metadata.set(name, value);
      }
    } catch (reason) {
      throw SlimError.from(reason, 'invalid-config', `headers for ${this.target}`);
    }
    return metadata;
  }

  #answer(client: Client, call: Call): Promise<Link> {
    const { clock = systemClock } = this.#options;
    return new Promise((resolve, reject) => {
      let link: GrpcJsLink | undefined;
      // The status that follows says the same.
      call.on('error', () => undefined);
      call.once('metadata', (metadata) => {
        // A plain HTTP answer, such as 401, has headers as well. Its status comes at once.
        if (!String(metadata.get('content-type')[0]).startsWith('application/grpc')) return;
        const parts = { remote: this.target, clock, cancel: () => call.cancel() };
        link = new GrpcJsLink(call, { ...parts, release: () => client.close() });
        resolve(link);
      });
      call.once('status', (status) => {
        reject(new SlimError('link-failed', describe(status)));
        link?.callIsOver(this.#endOf(status));
      });
    });
  }

  #endOf(status: StatusObject): SlimError | undefined {
    if (status.code === 0) return undefined;
    return new SlimError('link-closed', `${this.target} ended the link with ${describe(status)}`);
  }
}

/** One connection for each link, as the other diallers have it, and nothing sent a second time. */
const channelOptions: ChannelOptions = {
  'grpc.use_local_subchannel_pool': 1,
  'grpc.enable_retries': 0,
  'grpc.max_send_message_length': maxFrameBytes,
  'grpc.max_receive_message_length': maxFrameBytes,
  'grpc.keepalive_time_ms': defaultKeepaliveMs,
  'grpc.keepalive_timeout_ms': pingTimeoutMs,
  'grpc-node.flow_control_window': windowBytes,
};

function describe({ code, details }: StatusObject): string {
  return `gRPC status ${code}${details && `: ${details}`}`;
}

function startCall(client: Client, metadata: Metadata): Call {
  const { path, requestSerialize, responseDeserialize } = openChannel;
  return client.makeBidiStreamRequest(path, requestSerialize, responseDeserialize, metadata);
}
