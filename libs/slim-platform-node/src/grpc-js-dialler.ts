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
  type Link,
  type LinkDialler,
} from '@nestjs-slim/core';
import { attemptToDial } from './dial-attempt.js';
import { DialSocket } from './dial-socket.js';
import type { DiallerOptions } from './dialler-options.js';
import { hostAndPort, parseEndpoint, type Endpoint } from './endpoint.js';
import { GrpcJsLink, openChannel } from './grpc-js-link.js';
import { refusalCode } from './grpc-status.js';
import { defaultKeepaliveMs, pingTimeoutMs, windowBytes } from './http2-settings.js';
import { checkNumbers } from './listener-options.js';

/** How to reach a node. */
export interface GrpcJsDiallerOptions extends DiallerOptions {
  /** Takes the place of `tls`. */
  readonly channelCredentials?: ChannelCredentials;
  /** Options of the channel, over those that a link sets. */
  readonly options?: ChannelOptions;
}

type Call = ClientDuplexStream<Uint8Array, Uint8Array>;

/**
 * Dials links with `@grpc/grpc-js`, for its name resolution, proxies and credentials. `http2Dialler`
 * is the faster one, and the one that also ends its socket when it gives up while connecting.
 * @throws SlimError `invalid-config` when the URL is not `http://host:port`, `https://host:port` or
 *   `unix:///path`, or an option cannot be
 */
export function grpcJsDialler(url: string, options: GrpcJsDiallerOptions = {}): LinkDialler {
  checkNumbers(options);
  return new GrpcJsDialler(url, options);
}

class GrpcJsDialler implements LinkDialler {
  readonly #options: GrpcJsDiallerOptions;
  readonly #sockets: DialSocket<Endpoint>;

  constructor(url: string, options: GrpcJsDiallerOptions) {
    this.#options = options;
    this.#sockets = new DialSocket(parseEndpoint(url), 'h2', options.tls);
  }

  get target(): string {
    return this.#sockets.endpoint.url;
  }

  dial(signal: AbortSignal): Promise<Link> {
    const attempt = { target: this.target, signal, options: this.#options };
    return attemptToDial(attempt, async (stop, headers) => {
      // Not before it is needed: it takes longer to load than all the rest.
      const grpc = await import('@grpc/grpc-js');
      stop.throwIfAborted();
      const metadata = this.#metadata(grpc, { ...this.#options.headers, ...headers });
      const client = this.#createClient(grpc);
      const call = startCall(client, metadata);
      const abort = (): void => call.cancel();
      stop.addEventListener('abort', abort);
      try {
        return await this.#answer(client, call);
      } catch (reason) {
        client.close();
        throw reason;
      } finally {
        stop.removeEventListener('abort', abort);
      }
    });
  }

  #createClient(grpc: typeof GrpcJs): Client {
    const { address } = this.#sockets.endpoint;
    const { channelCredentials = this.#credentials(grpc), options } = this.#options;
    const target = 'path' in address ? this.target : hostAndPort(address.host, address.port);
    return new grpc.Client(target, channelCredentials, {
      ...channelOptions,
      ...this.#names(),
      ...options,
    });
  }

  #credentials(grpc: typeof GrpcJs): ChannelCredentials {
    if (!this.#sockets.endpoint.secure) return grpc.credentials.createInsecure();
    const { insecureSkipVerify = false } = this.#options.tls ?? {};
    return grpc.ChannelCredentials.createFromSecureContext(this.#sockets.secureContext(), {
      rejectUnauthorized: !insecureSkipVerify,
    });
  }

  #names(): ChannelOptions {
    const { origin, tls } = this.#options;
    return {
      ...(tls?.serverName !== undefined && { 'grpc.ssl_target_name_override': tls.serverName }),
      ...(origin !== undefined && { 'grpc.default_authority': origin }),
    };
  }

  #metadata(grpc: typeof GrpcJs, headers: Readonly<Record<string, string>>): Metadata {
    const metadata = new grpc.Metadata();
    try {
      for (const [name, value] of Object.entries(headers)) {
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
        reject(refusalOf(status));
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

/** A plain HTTP 403 is told from a gRPC status of the same meaning by what grpc-js says about it. */
function refusalOf(status: StatusObject): SlimError {
  const forbidden = status.details.startsWith('Received HTTP status code 403');
  const code = forbidden ? 'identity-rejected' : refusalCode(status.code);
  return new SlimError(code, describe(status));
}

function describe({ code, details }: StatusObject): string {
  return `gRPC status ${code}${details && `: ${details}`}`;
}

function startCall(client: Client, metadata: Metadata): Call {
  const { path, requestSerialize, responseDeserialize } = openChannel;
  return client.makeBidiStreamRequest(path, requestSerialize, responseDeserialize, metadata);
}
